"""Writes an ONNX model node by node; what the example models are made with."""

import argparse
import math

import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8


def _type_and_shape(described):
    if len(described) == 2 and isinstance(described[0], (list, tuple)):
        shape, element = described
        return element, shape
    return TensorProto.FLOAT, described


class Graph:
    """Collects nodes and weights; every value is known by its name."""

    def __init__(self, name, inputs):
        """inputs: name -> shape of a float32 tensor, or -> (shape, element type of onnx)."""
        self.name = name
        self.inputs = [helper.make_tensor_value_info(n, *_type_and_shape(s)) for n, s in inputs.items()]
        self.weights = []
        self.nodes = []

    def weight(self, name, array):
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op, name, inputs, **attributes):
        """Appends a node with one output, called after the node, and returns that name."""
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def several(self, op, name, inputs, outputs, **attributes):
        """Appends a node with these outputs, and returns their names."""
        self.nodes.append(helper.make_node(op, inputs, outputs, name=name, **attributes))
        return outputs

    def split(self, name, inputs, parts, axis):
        """Appends a Split and returns the names of its outputs."""
        return self.several("Split", name, inputs, [f"{name}.{i}" for i in range(parts)], axis=axis)

    def model(self, outputs):
        """outputs: name -> shape, all float32."""
        results = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()]
        graph = helper.make_graph(self.nodes, self.name, self.inputs, results, self.weights)
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="dojo examples")
        onnx.checker.check_model(model)
        return model


def parameters(model):
    """How many weights are trained: all but the running statistics."""
    return sum(math.prod(w.dims) for w in model.graph.initializer if w.data_type == TensorProto.FLOAT
               and w.dims and ".running_" not in w.name)  # fmt: skip


def command_line(description, make, path, **figures):
    """The main of a script that writes make(seed=..., **figures): an option for each figure, with its default."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("model", nargs="?", default=path)
    for name, value in {"seed": 0, **figures}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    options = vars(parser.parse_args())
    path = options.pop("model")
    model = make(**options)
    onnx.save(model, path)
    print(f"{path}: {len(model.graph.node)} nodes, {parameters(model)} parameters")
