"""Sequences and optionals: lists of tensors that are known when compiling, and tensors at the border of a program."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import dojo
from dojo import backend, verify

F = TensorProto.FLOAT
X = np.arange(6, dtype=np.float32).reshape(2, 3)

tensor = helper.make_tensor_type_proto(F, None)
sequence = helper.make_sequence_type_proto(tensor)
numbers = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.INT64, None))
optional = helper.make_optional_type_proto(tensor)
maybe_sequence = helper.make_optional_type_proto(sequence)


def model(nodes, inputs, outputs, weights=()):
    infos = [[helper.make_value_info(name, kind) for name, kind in values.items()] for values in (inputs, outputs)]
    graph = helper.make_graph(nodes, "g", *infos, [onnx.numpy_helper.from_array(np.array(a), n) for n, a in weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def node(op, inputs, outputs="y", **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), name="the node", **attributes)


def graph(nodes, inputs, outputs):
    infos = [[helper.make_value_info(name, tensor) for name in names.split()] for names in (inputs, outputs)]
    return helper.make_graph(nodes, "body", *infos)


def run(built, *values):
    return backend.run_model(built, list(values))


def test_a_list_goes_in_and_comes_out():
    body = graph([node("Neg", "e", "n")], "e", "n")
    built = model([node("SequenceMap", "x", body=body)], {"x": sequence}, {"y": sequence})
    rep = backend.prepare(built)
    for values in ([X, X[0]], [X[:1]]):
        (out,) = rep.run([values])
        assert len(out) == len(values)
        for got, value in zip(out, values, strict=True):
            np.testing.assert_array_equal(got, -value)


@pytest.mark.parametrize("kind, shapes", [
    (sequence, ["x[0]=2x3", "x[1]=2x3"]), (sequence, ["x="]), (optional, ["x[0]=2x3"]), (optional, ["x="]),
    (maybe_sequence, ["x[0]=2x3"]),
])  # fmt: skip
def test_dojo_verify_takes_lists(kind, shapes, tmp_path, capsys):
    if kind is sequence:
        nodes, out = [node("SequenceInsert", "x w", "y")], {"y": sequence}
    else:
        nodes, out = [node("OptionalHasElement", "x")], {"y": helper.make_tensor_type_proto(TensorProto.BOOL, [])}
    elements = [f"y[{i}]" for i in range(3 if len(shapes) == 2 else 1)] if kind is sequence else ["y"]
    assert verified(model(nodes, {"x": kind}, out, [("w", X)]), shapes, tmp_path, capsys) == [*elements, "PASS"]


def verified(built, shapes, folder, capsys):
    """What dojo-verify says first in each line."""
    onnx.save(built, folder / "m.onnx")
    options = [f"--shape={shape}" for shape in shapes]
    assert verify.main([str(folder / "m.onnx"), "--target=d1-node", "--precision=fp32", *options]) == 0
    return [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]


def test_dojo_verify_compares_optionals(tmp_path, capsys):
    ops = [("SequenceConstruct", "x x", "s"), ("Optional", "s", "y"), ("Optional", "x", "z")]
    nodes = [helper.make_node(op, inputs.split(), [output]) for op, inputs, output in ops]
    built = model(nodes, {"x": helper.make_tensor_type_proto(F, [2, 3])}, {"y": maybe_sequence, "z": optional})
    assert verified(built, [], tmp_path, capsys) == ["y[0]", "y[1]", "z[0]", "PASS"]


def test_dojo_verify_names_a_list_without_shapes(tmp_path, capsys):
    onnx.save(model([node("SequenceAt", "x p")], {"x": sequence}, {"y": tensor}, [("p", 0)]), tmp_path / "m.onnx")
    assert verify.main([str(tmp_path / "m.onnx"), "--target=d1-node"]) == 2
    assert "input 'x' is seq(float32); give the shapes of its elements, with --shape 'x[0]=DIMS'" in capsys.readouterr().err


def test_the_elements_are_tensors_of_the_program():
    built = model([node("SequenceErase", "x p")], {"x": sequence}, {"y": sequence}, [("p", 0)])
    program = dojo.compile(built, target="d1-node", shapes={"x[0]": (2, 3), "x[1]": (), "x[2]": (4,)})
    assert [(t.name, t.shape) for t in program.inputs] == [("x[0]", (2, 3)), ("x[1]", ()), ("x[2]", (4,))]
    assert [(t.name, t.shape) for t in program.outputs] == [("y[0]", ()), ("y[1]", (4,))]


@pytest.mark.parametrize("kind, value, present", [(optional, X, True), (optional, None, False), (maybe_sequence, [X], True)])
def test_an_optional_is_there_or_not(kind, value, present):
    built = model([node("OptionalHasElement", "x")], {"x": kind}, {"y": helper.make_tensor_type_proto(TensorProto.BOOL, [])})
    (out,) = run(built, value)
    assert out == present


def test_optional_sequences_and_tensors_come_out():
    nodes = [node("SequenceConstruct", "x x", "s"), node("Optional", "s", "y"), node("Optional", "x", "z")]
    out = run(model(nodes, {"x": tensor}, {"y": maybe_sequence, "z": optional}), X)
    np.testing.assert_array_equal(out.y, [X, X])
    np.testing.assert_array_equal(out.z, X)


def test_an_empty_list_is_extended():
    (out,) = run(model([node("SequenceInsert", "s x")], {"s": sequence, "x": tensor}, {"y": sequence}), [], X)
    np.testing.assert_array_equal(out, [X])


def loop(nodes, outputs, steps="three"):
    """A Loop that carries the list of x twice; `nodes` make the next list s, from step i."""
    infos = [helper.make_value_info(n, helper.make_tensor_type_proto(t, [])) for n, t in (("i", TensorProto.INT64), ("on", TensorProto.BOOL))]
    carried = [helper.make_value_info(name, sequence) for name in ("l", "s")]
    values = [helper.make_value_info(name, sequence if name in "sl" else helper.make_tensor_type_proto(kind, None))
              for name, kind in outputs]
    body = helper.make_graph(nodes, "body", [*infos, carried[0]], values)
    return [node("SequenceConstruct", "x x", "l0"), node("Loop", f"{steps} yes l0", body=body)]


def test_a_loop_that_carries_lists_is_unrolled():
    nodes = [node("SequenceAt", "l i", "e"), node("Neg", "e", "n"), node("SequenceInsert", "l n", "s"), node("Identity", "on", "go")]
    built = model(loop(nodes, [("go", TensorProto.BOOL), ("s", F)]), {"x": tensor}, {"y": sequence}, [("three", 3), ("yes", True)])
    (out,) = run(built, X)
    for got, sign in zip(out, [1, 1, -1, -1, 1], strict=True):
        np.testing.assert_array_equal(got, sign * X)


def test_a_branch_with_lists_is_chosen_when_compiling():
    branches = {}
    for name, count in (("then_branch", 1), ("else_branch", 2)):
        made = helper.make_node("SequenceConstruct", ["x"] * count, [name])
        branches[name] = helper.make_graph([made], name, [], [helper.make_value_info(name, sequence)])
    condition = helper.make_tensor_type_proto(TensorProto.BOOL, [])
    built = model([node("If", "c", **branches)], {"x": tensor, "c": condition}, {"y": sequence})
    for c in (True, False):
        (out,) = run(built, X, np.array(c))
        np.testing.assert_array_equal(out, [X] * (1 if c else 2))


@pytest.mark.parametrize("weights", [[], [("c", True)]])
def test_a_branch_gives_all_results(weights):
    graphs = {}
    for name in ("then_branch", "else_branch"):
        graphs[name] = helper.make_graph([helper.make_node("Neg", ["x"], [name])], name, [], [helper.make_value_info(name, tensor)])
    inputs = {"x": tensor} if weights else {"x": tensor, "c": helper.make_tensor_type_proto(TensorProto.BOOL, [])}
    built = model([node("If", "c", "y z", **graphs)], inputs, {"y": tensor}, weights)
    with pytest.raises(backend.Refused, match="it has 2 results and its branch gives 1"):
        run(built, X, *([] if weights else [np.array(True)]))


CUT = node("SplitToSequence", "x", "s", axis=1)
LIST = node("SequenceConstruct", "x x", "s")
EMPTY = node("SequenceEmpty", "", "s")
PAIR = graph([node("Neg", "e", "n")], "e", "n e")
NEGATE = graph([node("Neg", "e", "n")], "e", "n")
NONE = node("Optional", "", "o", type=tensor)


@pytest.mark.parametrize(
    "nodes, kind, message",
    [
        ([node("SequenceEmpty", "", dtype=TensorProto.STRING)], sequence, "'dtype' names type 8, which no node computes"),
        ([LIST, node("SequenceAt", "s two")], tensor, "its position is outside a sequence of 2 elements"),
        ([LIST, node("SequenceErase", "s ends")], sequence, "its position has 2 values, one is expected"),
        ([LIST, node("SequenceInsert", "s two")], sequence, "it inserts int64 into a sequence of float32"),
        ([node("SplitToSequence", "long", "s"), node("SequenceInsert", "s two")], numbers,
         "its sequence grows beyond 1024 elements"),
        ([node("SplitToSequence", "x zero")], sequence, "it cannot cut a dimension of 2 into pieces of 0"),
        ([node("SplitToSequence", "x ends")], sequence, "its pieces 0x1 do not make up a dimension of 2"),
        ([EMPTY, node("ConcatFromSequence", "s", axis=0)], tensor, "its sequence is empty"),
        ([node("SequenceConstruct", "x one", "s"), node("ConcatFromSequence", "s", axis=0)], tensor,
         "it cannot join 3 to 2x3"),
        ([EMPTY, node("SequenceMap", "s", body=NEGATE)], sequence, "it maps an empty sequence"),
        ([LIST, node("SplitToSequence", "x", "t", axis=1), node("SequenceMap", "s t", body=NEGATE)], sequence,
         "its sequences have 2 and 3 elements"),
        ([LIST, node("SequenceMap", "s", body=PAIR)], sequence, "its body gives 2 values for 1 results"),
        ([LIST, node("SequenceMap", "s s", body=NEGATE)], sequence, "its graph 'body' has 1 inputs, expected 2"),
        ([node("Optional", "")], optional, "it has neither an operand nor a type"),
        ([node("Optional", "x", type=helper.make_tensor_type_proto(TensorProto.INT64, None))], optional,
         "its attribute 'type' is int64 and its operand float32"),
        ([NONE, node("OptionalGetElement", "o")], tensor, "its optional has no value"),
        ([NONE, node("Identity", "o")], optional, "output 'y' is an optional without a value"),
        (loop([node("ReduceMax", "x", "m", keepdims=0), node("Less", "m nought", "go"), node("Identity", "l", "s")],
              [("go", TensorProto.BOOL), ("s", F)]), sequence, "it carries lists, and its body computes its condition"),
        (loop([], [("on", TensorProto.BOOL), ("l", F)], "many"), sequence,
         "it carries lists through 2000 steps, more than 1024"),
        (loop([node("Identity", "l", "s"), node("Identity", "on", "go"), node("Neg", "x", "n")],
              [("go", TensorProto.BOOL), ("s", F), ("n", F)]), sequence, "it carries 1 values with lists and has 1 results, and its body gives 3"),
        ([LIST, node("Neg", "s")], tensor, "its operand 0, 'X', must not be seq(float32)"),
        ([LIST, node("Identity", "s")], tensor, "its result 0 is declared as float32 and is seq(float32)"),
    ],
)  # fmt: skip
def test_the_cause_is_named(nodes, kind, message):
    weights = [("three", 3), ("many", 2000), ("yes", True), ("nought", np.float32(0)), ("two", 2), ("ends", [0, 1]), ("zero", 0), ("one", X[0]), ("long", np.arange(1024))]
    with pytest.raises(backend.Refused) as refusal:
        run(model(nodes, {"x": tensor}, {"y": kind}, weights), X)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    "kind, shapes, message",
    [
        (sequence, {}, "input 'x' is seq(float32); give the shapes of its elements, with --shape 'x[0]=DIMS'"),
        (optional, {}, "input 'x' is optional(float32); give the shapes"),
        (sequence, {"x": (2, 3)}, "input 'x' is a list; x[0]=DIMS gives its first element a shape"),
        (sequence, {"x[0]": (2,), "x[2]": (2,)}, "a shape is given for 'x[2]', which is neither an input"),
        (optional, {"x[0]": (2,), "x[1]": (2,)}, "a shape is given for 'x[1]', which is neither an input"),
    ],
)
def test_a_list_needs_the_shapes_of_its_elements(kind, shapes, message):
    with pytest.raises(dojo.Error) as refusal:
        dojo.compile(model([node("Identity", "x")], {"x": kind}, {"y": kind}), shapes=shapes)
    assert message in str(refusal.value)


def test_strings_are_refused_where_they_would_be_computed():
    built = model([node("Concat", "a a", axis=0)], {}, {"y": helper.make_tensor_type_proto(TensorProto.STRING, None)})
    built.graph.initializer.append(helper.make_tensor("a", TensorProto.STRING, [1], [b"text"]))
    with pytest.raises(backend.Refused, match="its operand 0 is string, which no node computes"):
        run(built)
