"""Models with one thing wrong: the compiler refuses them by name, or is right where they still mean something.

    python -m dojo.mutants                  every mutant of the cases below; prints what went wrong, then the counts
    python -m dojo.mutants REGEX --each 20  at most 20 of each case of the official suite whose name matches

A mutant differs from a case of the official suite in one operand, type, shape, attribute, operator or
declaration. It is `refused` by an error that names a node or value of it, or its result is that of ONNX
Runtime (`passed`); where ONNX Runtime has no kernel for it, it is `unjudged`. All else fails: an error that
names nothing, a wrong result, a model taken that ONNX Runtime refuses, a crash, a hang.
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
    "test_concat_2d_axis_1", "test_cumsum_2d_axis_1", "test_depthtospace_example", "test_dequantizelinear_axis",
    "test_equal_bcast", "test_expand_dim_changed", "test_flatten_axis1", "test_gather_1", "test_gather_elements_0",
    "test_gemm_all_attributes", "test_layer_normalization_2d_axis1", "test_leakyrelu", "test_matmul_3d",
    "test_maxpool_2d_strides", "test_mod_int64_fmod", "test_onehot_with_axis", "test_constant_pad", "test_pow",
    "test_prelu_broadcast", "test_quantizelinear", "test_reduce_sum_keepdims_example", "test_reshape_reduced_dims",
    "test_scatter_elements_with_axis", "test_slice", "test_softmax_axis_1", "test_split_equal_parts_1d_opset18",
    "test_squeeze", "test_tile", "test_transpose_all_permutations_0", "test_unsqueeze_axis_1", "test_where_example",
]  # fmt: skip

OPERATORS = ["Abs", "Add", "Concat", "Conv", "Gather", "Identity", "MatMul", "Max", "Mean", "Not", "ReduceSum", "Reshape",
             "Shape", "Softmax", "Transpose", "Upsample", "Where", "Nonesuch"]  # fmt: skip
TYPES = [TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32, TensorProto.FLOAT16, TensorProto.BOOL, TensorProto.UINT8]


def _copy(model):
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    return changed


class Mutator:
    """All mutants of a model, as (what was done, model)."""

    def __init__(self, model):
        self._model = model

    def all(self):
        for index in range(len(self._model.graph.node)):
            for mutation in (self.operands, self.results, self.attributes, self.operator):
                yield from mutation(index)
        yield from self.inputs()
        yield from self.outputs()
        yield from self.opsets()

    def _changed(self, what, change):
        model = _copy(self._model)
        change(model)
        return what, model

    def _on_node(self, index, what, change):
        return self._changed(f"{what} of node {index}", lambda model: change(model.graph.node[index]))

    def operands(self, index):
        node = self._model.graph.node[index]
        for i in range(len(node.input)):
            yield self._on_node(index, f"operand {i} dropped", lambda n, i=i: n.input.pop(i))
            yield self._on_node(index, f"operand {i} blank", lambda n, i=i: n.input.__setitem__(i, ""))
        if node.input:
            yield self._on_node(index, "operand added", lambda n: n.input.append(n.input[0]))
            yield self._on_node(index, "operand undefined", lambda n: n.input.__setitem__(0, "nowhere"))
        if len(node.input) > 1:
            yield self._on_node(index, "operands swapped", lambda n: n.input.reverse() if len(n.input) > 1 else None)

    def results(self, index):
        yield self._on_node(index, "result added", lambda n: n.output.append("surplus"))
        yield self._on_node(index, "results gone", lambda n: n.ClearField("output"))

    def attributes(self, index):
        node = self._model.graph.node[index]
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
        node = self._model.graph.node[index]
        for op in OPERATORS:
            if op != node.op_type:
                yield self._on_node(index, f"operator {op}", lambda n, op=op: setattr(n, "op_type", op))
        yield self._on_node(index, "domain", lambda n: setattr(n, "domain", "nonesuch"))

    def _on_type(self, what, get, elem_type):
        for kind in TYPES:
            if kind != elem_type:
                name = TensorProto.DataType.Name(kind)
                yield self._changed(f"{what} {name}", lambda m, kind=kind: setattr(get(m), "elem_type", kind))

        def resize(change):
            return lambda model: change(get(model).shape.dim)

        yield self._changed(f"{what} of one dimension more", resize(lambda dims: dims.add(dim_value=2)))
        yield self._changed(f"{what} of one dimension less", resize(lambda dims: dims.pop() if dims else dims.add(dim_value=3)))
        yield self._changed(f"{what} longer", resize(self._longer))

    @staticmethod
    def _longer(dims):
        if dims:
            dims[0].dim_value += 1

    def inputs(self):
        for i, value in enumerate(self._model.graph.input):
            yield from self._on_type(
                f"input {i}", lambda m, i=i: m.graph.input[i].type.tensor_type, value.type.tensor_type.elem_type
            )

    def outputs(self):
        for i, value in enumerate(self._model.graph.output):
            yield from self._on_type(
                f"output {i}", lambda m, i=i: m.graph.output[i].type.tensor_type, value.type.tensor_type.elem_type
            )
            yield self._changed(f"output {i} undefined", lambda m, i=i: setattr(m.graph.output[i], "name", "nowhere"))

    def opsets(self):
        for version in (1, 5, 9):
            yield self._changed(f"opset {version}", lambda m, v=version: setattr(m.opset_import[0], "version", v))


def data_for(model, given):
    """Arrays of the model's input types; those of the case where they still fit."""
    numbers, arrays = np.random.default_rng(0), []
    for value, array in zip(model.graph.input, given, strict=True):
        kind = value.type.tensor_type
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
        sizes = [*array.shape, *[1] * len(kind.shape.dim)]
        shape = tuple(d.dim_value if d.HasField("dim_value") else size for d, size in zip(kind.shape.dim, sizes))
        if array.dtype != dtype or array.shape != shape:
            array = numbers.integers(0, 2, shape).astype(dtype)
        arrays.append(array)
    return arrays


def reference(model, arrays):
    """ONNX Runtime's outputs, or why there are none: a text that is empty if it has no kernel, or takes and gives no
    arrays of these types."""
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
        return "" if "is not a registered function/op" in str(error) else " ".join(str(error).split())


def names_of(graph):
    """The nodes and values of a graph and of the bodies in it."""
    names = {value.name for value in [*graph.input, *graph.output]}
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
    """The mutants of models (name -> (model, inputs)) by `NAME: what was done`; `each` of a model, chosen by the
    seed, or all of them for 0."""

    def __init__(self, models, each=0, seed=0):
        self._mutants = {}
        for name, (original, inputs) in models.items():
            mutants = list(Mutator(original).all())
            if each:
                mutants = random.Random(f"{seed} {name}").sample(mutants, min(each, len(mutants)))
            for what, model in mutants:
                self._mutants[f"{name}: {what}"] = (model, inputs)

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
