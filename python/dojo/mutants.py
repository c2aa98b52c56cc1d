"""Models with one thing wrong: the compiler refuses them by name, or is right where they still mean something.

    python -m dojo.mutants                  every mutant of the cases below; prints what went wrong, then the counts
    python -m dojo.mutants REGEX --each 20  at most 20 of each case of the official suite whose name matches

A mutant differs from a case of the official suite in one operand, type, shape, attribute, operator,
declaration, weight or place, in a body as in the graph around it. It is `refused` by an error that names a
node or value of it, or its result is that of ONNX Runtime (`passed`); where ONNX Runtime has no kernel for
it, or a limit that ONNX has not, it is `unjudged`. All else fails: an error that names nothing, a wrong
result, a model taken that ONNX Runtime refuses, a crash, a hang.
"""

import argparse
import collections
import os
import random
import re
import sys

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper

from dojo.backend import DojoBackend, Refused
from dojo.suite import Outcome, Suite

# One of each kind of handler, with operands of several ranks and types.
CASES = [
    "test_add_bcast", "test_and_bcast3v1d", "test_argmax_keepdims_example", "test_averagepool_2d_pads",
    "test_basic_conv_with_padding", "test_batchnorm_epsilon", "test_cast_FLOAT_to_FLOAT16", "test_clip_example",
    "test_attention_4d_attn_mask", "test_concat_2d_axis_1", "test_cumsum_2d_axis_1", "test_depthtospace_example", "test_dequantizelinear_axis",
    "test_equal_bcast", "test_expand_dim_changed", "test_flatten_axis1", "test_gather_1", "test_gather_elements_0",
    "test_gemm_all_attributes", "test_if", "test_layer_normalization_2d_axis1", "test_leakyrelu", "test_lstm_defaults", "test_matmul_3d",
    "test_maxpool_2d_strides", "test_mod_int64_fmod", "test_onehot_with_axis", "test_constant_pad", "test_pow",
    "test_prelu_broadcast", "test_quantizelinear", "test_range_float_type_positive_delta_expanded", "test_reduce_sum_keepdims_example", "test_reshape_reduced_dims",
    "test_scan9_sum", "test_scatter_elements_with_axis", "test_slice", "test_softmax_axis_1", "test_split_equal_parts_1d_opset18",
    "test_squeeze", "test_tile", "test_transpose_all_permutations_0", "test_unsqueeze_axis_1", "test_where_example",
]  # fmt: skip

OPERATORS = ["Abs", "Add", "Concat", "Conv", "Gather", "Identity", "MatMul", "Max", "Mean", "Not", "ReduceSum", "Reshape",
             "Shape", "Softmax", "Transpose", "Upsample", "Where", "Nonesuch"]  # fmt: skip
TYPES = [TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32, TensorProto.FLOAT16, TensorProto.BOOL, TensorProto.UINT8]



# What ONNX Runtime says of models that ONNX allows: attributes and operands that may be absent, queries and values of
# two types, and indices that the data of a run decide.
LIMITS = ['info.GetAttr("hidden_size"', "Axes input is null", "Optype (MatMul) bound to different types", "out of data bounds"]


def _external(tensor):
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="nowhere.bin")


# What is done to a weight.
WEIGHTS = {
    "of another type": lambda tensor: setattr(tensor, "data_type", TensorProto.INT32),
    "of no type": lambda tensor: setattr(tensor, "data_type", 77),
    "longer than its data": lambda tensor: tensor.dims.append(3),
    "of a negative size": lambda tensor: tensor.dims.append(-1),
    "in a missing file": _external,
}


def _copy(model):
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    return changed


def graphs_of(graph, find=lambda model: model.graph, where=""):
    """(where it is, how it is found in a model) of a graph and of the bodies in it."""
    yield where, find
    for i, node in enumerate(graph.node):
        for j, attribute in enumerate(node.attribute):
            if attribute.type == AttributeProto.GRAPH:
                inside = f" of {attribute.name} of node {i}{where}"
                yield from graphs_of(attribute.g, lambda m, i=i, j=j: find(m).node[i].attribute[j].g, inside)


def mutants_of(model):
    """All mutants of a model, as (what was done, model)."""
    for where, find in graphs_of(model.graph):
        yield from Mutator(model, find, where).all()
    for version in (0, 1, 5, 9, 99):
        yield _changed(model, f"opset {version}", lambda m, v=version: setattr(m.opset_import[0], "version", v))
    yield _changed(model, "opset gone", lambda m: m.opset_import.pop())


def _changed(model, what, change):
    model = _copy(model)
    change(model)
    return what, model


class Mutator:
    """The mutants of one graph of a model."""

    def __init__(self, model, find, where):
        self._model, self._find, self._where = model, find, where
        self._graph = find(model)

    def all(self):
        for index in range(len(self._graph.node)):
            for mutation in (self.operands, self.results, self.attributes, self.operator, self.place):
                yield from mutation(index)
        for mutation in (self.inputs, self.outputs, self.weights):
            yield from mutation()

    def _changed(self, what, change):
        return _changed(self._model, what + self._where, lambda model: change(self._find(model)))

    def _on_node(self, index, what, change):
        return self._changed(f"{what} of node {index}", lambda graph: change(graph.node[index]))

    def place(self, index):
        yield self._changed(f"node {index} gone", lambda g: g.node.pop(index))
        yield self._changed(f"node {index} twice", lambda g: g.node.append(g.node[index]))
        if len(self._graph.node) > 1:
            yield self._changed(f"node {index} last", lambda g: g.node.append(g.node.pop(index)))

    def operands(self, index):
        node = self._graph.node[index]
        for i in range(len(node.input)):
            yield self._on_node(index, f"operand {i} dropped", lambda n, i=i: n.input.pop(i))
            yield self._on_node(index, f"operand {i} blank", lambda n, i=i: n.input.__setitem__(i, ""))
        if node.input:
            yield self._on_node(index, "operand added", lambda n: n.input.append(n.input[0]))
            yield self._on_node(index, "operand undefined", lambda n: n.input.__setitem__(0, "nowhere"))
            yield self._on_node(index, "operand its own result", lambda n: n.input.__setitem__(0, n.output[0]))
        if len(node.input) > 1:
            yield self._on_node(index, "operands swapped", lambda n: n.input.reverse() if len(n.input) > 1 else None)

    def results(self, index):
        yield self._on_node(index, "result added", lambda n: n.output.append("surplus"))
        yield self._on_node(index, "results gone", lambda n: n.ClearField("output"))

    def attributes(self, index):
        node = self._graph.node[index]
        yield self._on_node(index, "attribute 'zeal' added", lambda n: n.attribute.append(helper.make_attribute("zeal", 1)))
        for i, attribute in enumerate(node.attribute):
            name = attribute.name
            yield self._on_node(index, f"attribute '{name}' gone", lambda n, i=i: n.attribute.pop(i))
            yield self._on_node(index, f"attribute '{name}' twice", lambda n, i=i: n.attribute.append(n.attribute[i]))
            for value in self._other_values(attribute):
                changed = helper.make_attribute(name, value, attr_type=AttributeProto.INTS if isinstance(value, list) else None)
                yield self._on_node(
                    index, f"attribute '{name}' = {value!r}", lambda n, i=i, c=changed: n.attribute[i].CopyFrom(c)
                )

    @staticmethod
    def _other_values(attribute):
        value = helper.get_attribute_value(attribute)
        if attribute.type == AttributeProto.INT:
            return [value + 1, value - 1, -value - 7, 2**62, "one", 1.5, [value]]
        if attribute.type == AttributeProto.FLOAT:
            return [-value - 1, 0.25, 3, "one"]
        if attribute.type == AttributeProto.STRING:
            return ["nonesuch", 1]
        if attribute.type == AttributeProto.INTS:
            return [[*value, 1], list(value)[1:], [-v for v in value], [v + 2 for v in value], [2**62 for _ in value], 1]
        return []

    def operator(self, index):
        node = self._graph.node[index]
        for op in OPERATORS:
            if op != node.op_type:
                yield self._on_node(index, f"operator {op}", lambda n, op=op: setattr(n, "op_type", op))
        yield self._on_node(index, "domain", lambda n: setattr(n, "domain", "nonesuch"))

    def _on_value(self, what, index):
        """An input or an output of the graph, by the name of the list it is in."""
        name, value = f"{what} {index}", getattr(self._graph, what)[index]
        yield self._changed(f"{name} gone", lambda g: getattr(g, what).pop(index))
        yield self._changed(f"{name} twice", lambda g: getattr(g, what).append(value))
        if value.type.HasField("tensor_type"):
            yield from self._on_type(name, lambda g: getattr(g, what)[index].type.tensor_type, value.type.tensor_type.elem_type)

    def _on_type(self, what, get, elem_type):
        for kind in TYPES:
            if kind != elem_type:
                name = TensorProto.DataType.Name(kind)
                yield self._changed(f"{what} {name}", lambda g, kind=kind: setattr(get(g), "elem_type", kind))

        def resize(change):
            return lambda graph: change(get(graph).shape.dim)

        yield self._changed(f"{what} of one dimension more", resize(lambda dims: dims.add(dim_value=2)))
        yield self._changed(f"{what} of one dimension less", resize(lambda dims: dims.pop() if dims else dims.add(dim_value=3)))
        yield self._changed(f"{what} longer", resize(self._longer))

    @staticmethod
    def _longer(dims):
        if dims:
            dims[0].dim_value += 1

    def inputs(self):
        for i in range(len(self._graph.input)):
            yield from self._on_value("input", i)

    def outputs(self):
        for i in range(len(self._graph.output)):
            yield from self._on_value("output", i)
            yield self._changed(f"output {i} undefined", lambda g, i=i: setattr(g.output[i], "name", "nowhere"))

    def weights(self):
        for i in range(len(self._graph.initializer)):
            for what, change in WEIGHTS.items():
                yield self._changed(f"weight {i} {what}", lambda g, i=i, change=change: change(g.initializer[i]))
            yield self._changed(f"weight {i} gone", lambda g, i=i: g.initializer.pop(i))
            yield self._changed(f"weight {i} twice", lambda g, i=i: g.initializer.append(g.initializer[i]))


def data_for(model, given):
    """Arrays of the model's input types; those of the case (name -> array) where they still fit."""
    numbers, arrays = np.random.default_rng(0), []
    for value in model.graph.input:
        array = given[value.name]
        kind = value.type.tensor_type
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
        sizes = [*array.shape, *[1] * len(kind.shape.dim)]
        shape = tuple(d.dim_value if d.HasField("dim_value") else size for d, size in zip(kind.shape.dim, sizes))
        if array.dtype != dtype or array.shape != shape:
            array = numbers.integers(0, 2, shape).astype(dtype)
        arrays.append(array)
    return arrays


def reference(model, arrays):
    """ONNX Runtime's outputs, or why there are none: a text that is empty if it has no kernel, a limit of its own, or
    takes and gives no arrays of these types."""
    import onnxruntime as ort
    from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NoKernel

    kinds = {value.type.tensor_type.elem_type for value in [*model.graph.input, *model.graph.output]}
    if any(kind and helper.tensor_dtype_to_np_dtype(kind).isbuiltin != 1 for kind in kinds):
        return ""
    options = ort.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        return session.run(None, dict(zip([i.name for i in model.graph.input], arrays)))
    except NoKernel:
        return ""
    except Exception as error:  # noqa: BLE001  it raises a class of its own for every status
        known = any(words in str(error) for words in ["is not a registered function/op", *LIMITS])
        return "" if known else " ".join(str(error).split())


def names_of(graph):
    """A graph, its nodes and values, and those of the bodies in it."""
    names = {graph.name, *(value.name for value in [*graph.input, *graph.output, *graph.initializer])}
    for node in graph.node:
        names.update([node.name, *node.input, *node.output])
        for attribute in node.attribute:
            names.update(*[names_of(body) for body in [attribute.g, *attribute.graphs]])
    return names - {""}


def judge(model, arrays):
    """The Outcome of one mutant."""
    try:
        outputs = DojoBackend.prepare(model, target="d1-mini", threads=1).run(arrays)
    except Refused as error:
        named = names_of(model.graph) & set(re.findall(r"'([^']*)'", str(error)))
        return Outcome("refused" if named else "failing", str(error))
    expected = reference(model, arrays)
    if isinstance(expected, str):
        return Outcome("failing" if expected else "unjudged", f"it compiles; ONNX Runtime: {expected}")
    for output, wanted in zip(outputs, expected, strict=True):
        try:
            if output.dtype != wanted.dtype:
                return Outcome("failing", f"the result is {output.dtype}, expected {wanted.dtype}")
            exact = np.issubdtype(wanted.dtype, np.integer) or wanted.dtype == bool
            np.testing.assert_allclose(output, wanted, rtol=0 if exact else 1e-3, atol=0 if exact else 1e-6)
        except AssertionError as error:
            return Outcome("failing", " ".join(str(error).split()))
    return Outcome("passed")


def of_suite(suite, cases):
    """name -> (model, inputs) of these cases, of those whose inputs are tensors."""
    models = {}
    for case in cases:
        model = suite.model(case)
        for inputs, _ in suite.data(case)[:1]:
            if all(value.type.tensor_type.elem_type for value in model.graph.input):
                models[case] = (model, [np.asarray(x) for x in inputs])
    return models


class Mutants:
    """The mutants of models (name -> (model, inputs in their order)) by `NAME: what was done`; `each` of a model, chosen by the
    seed, or all of them for 0."""

    def __init__(self, models, each=0, seed=0):
        self._mutants = {}
        for name, (original, inputs) in models.items():
            mutants = list(mutants_of(original))
            given = {value.name: array for value, array in zip(original.graph.input, inputs)}
            if each:
                mutants = random.Random(f"{seed} {name}").sample(mutants, min(each, len(mutants)))
            for what, model in mutants:
                self._mutants[f"{name}: {what}"] = (model, given)

    def names(self):
        return list(self._mutants)

    def run_one(self, name):
        model, inputs = self._mutants[name]
        try:
            return judge(model, data_for(model, inputs))
        except Exception as error:  # noqa: BLE001  whatever it is, it is not a refusal
            return Outcome("failing", f"{type(error).__name__}: {error}")

    def run(self, jobs, limit=30, done=lambda name, outcome: None):
        """name -> Outcome, each in a process that may die or hang."""
        return Suite.run(self, self.names(), jobs, limit, done)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("regex", nargs="?", help="cases of the suite; default: a list of kinds")
    parser.add_argument("--each", type=int, default=0, help="mutants of each case; default: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    suite = Suite()
    cases = [n for n in suite.names() if suite.kind(n) == "node" and re.search(options.regex, n)] if options.regex else CASES
    mutants = Mutants(of_suite(suite, cases), options.each, options.seed)

    def show(name, outcome):
        if outcome.status not in ("passed", "refused", "unjudged"):
            print(f"{outcome.status}: {name}: {outcome.reason[:400]}", flush=True)

    counts = collections.Counter(outcome.status for outcome in mutants.run(options.jobs, done=show).values())
    print(", ".join(f"{count} {status}" for status, count in sorted(counts.items())))
    return 0 if set(counts) <= {"passed", "refused", "unjudged"} else 1


if __name__ == "__main__":
    sys.exit(main())
