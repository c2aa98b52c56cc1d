"""Rewrites of an ONNX model: intermediate values as outputs, a node as a model of its own.

Values inside the bodies of control flow are not reached; the node that has them counts as one.
"""

import onnx
from onnx import helper, numpy_helper

import dojo

# Protobuf's limit for one message.
MAX_BYTES = 2**31 - 1
# Their results follow from the shapes of their operands.
OF_SHAPES = {"Shape", "Size"}


def load(path):
    """The model with its external data."""
    model = onnx.load(path)
    if model.ByteSize() > MAX_BYTES:
        raise dojo.Error(f"{path} has more than 2 GiB with its weights, too much for a model with other outputs")
    return model


def producers(model):
    """value -> the node that computes it, in the order of the graph."""
    return {name: node for node in model.graph.node for name in node.output if name}


def label(node):
    """As the compiler names a node."""
    return node.name or next((name for name in node.output if name), "")


def exposed(model, names):
    """The model with these values as outputs after its own."""
    own = {value.name for value in model.graph.output}
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    changed.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in own)
    return changed


def reads(node):
    """What a node reads: its operands, and what its bodies take from the graph around them."""
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        for body in [attribute.g, *attribute.graphs]:
            inside = {v.name for v in [*body.input, *body.initializer]} | {n for b in body.node for n in b.output}
            taken = [name for inner in body.node for name in reads(inner)] + [value.name for value in body.output]
            names += [name for name in taken if name not in inside]
    return list(dict.fromkeys(names))


def varying(model):
    """The values that depend on what is in the graph's inputs, not on their shapes alone."""
    weights = {tensor.name for tensor in model.graph.initializer}
    names = {value.name for value in model.graph.input} - weights
    for node in model.graph.node:
        if node.op_type not in OF_SHAPES and names.intersection(reads(node)):
            names.update(node.output)
    return names


def one_node(model, node, values):
    """The node as a model, and its inputs by name. `values` has every value of `model` that the node
    reads or computes; what does not vary with the inputs of `model` becomes a weight."""
    given = {tensor.name: tensor for tensor in model.graph.initializer}
    vary = varying(model)
    inputs, weights = {}, []
    for name in reads(node):
        if name in vary:
            inputs[name] = values[name]
        else:
            weights.append(given[name] if name in given else numpy_helper.from_array(values[name], name))
    graph = helper.make_graph(
        [node],
        label(node),
        [described(name, array) for name, array in inputs.items()],
        [described(name, values[name]) for name in node.output if name in values],
        weights,
    )
    alone = onnx.ModelProto(ir_version=model.ir_version, producer_name="dojo-verify --bisect")
    alone.opset_import.extend(model.opset_import)
    alone.functions.extend(model.functions)
    alone.graph.CopyFrom(graph)
    return alone, inputs


def described(name, array):
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
