"""Outputs whose sizes the data decide: one program, cut anew at every run."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto as T, helper

import dojo

F = np.float32


def model_of(nodes, inputs, outputs, **constants):
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [info(*i) for i in inputs], [info(n, k, None) for n, k in outputs],
        [onnx.numpy_helper.from_array(a, n) for n, a in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def compiled(*parts):
    return dojo.compile(model_of(*parts), target="d1-mini", precision="fp32")


def draws(shape):
    random = np.random.default_rng(0)
    return [random.integers(-1, 2, shape).astype(F), np.zeros(shape, F), np.ones(shape, F), random.integers(-3, 4, shape).astype(F)]


def test_coordinates_of_what_is_not_zero():
    program = compiled([helper.make_node("NonZero", ["x"], ["y"])], [("x", T.FLOAT, (4, 3, 5))], [("y", T.INT64)])
    assert [(o.name, o.shape) for o in program.outputs] == [("y", (3, 60))]
    for x in draws((4, 3, 5)):
        y = program.run({"x": x}, strict="memory")["y"]
        np.testing.assert_array_equal(y, np.nonzero(x))


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_places_where_a_condition_holds(axis):
    attributes = {} if axis is None else {"axis": axis}
    program = compiled([helper.make_node("Compress", ["x", "c"], ["y"], **attributes)], [("x", T.FLOAT, (3, 4, 3)), ("c", T.BOOL, (3,))], [("y", T.FLOAT)])
    x = np.random.default_rng(0).standard_normal((3, 4, 3)).astype(F)
    for c in ([1, 0, 1], [0, 0, 0], [0, 1, 1]):
        y = program.run({"x": x, "c": np.array(c, bool)}, strict="memory")["y"]
        np.testing.assert_array_equal(y, np.compress(c, x, axis))


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_what_occurs_sorted(axis):
    attributes = {} if axis is None else {"axis": axis}
    names = ["y", "first", "inverse", "times"]
    program = compiled([helper.make_node("Unique", ["x"], names, **attributes)], [("x", T.FLOAT, (5, 3))], [("y", T.FLOAT)] + [(n, T.INT64) for n in names[1:]])
    for x in draws((5, 3)):
        got = program.run({"x": x}, strict="memory")
        wanted = np.unique(x, return_index=True, return_inverse=True, return_counts=True, axis=axis)
        for name, array in zip(names, wanted):
            np.testing.assert_array_equal(got[name], array.reshape(-1) if name == "inverse" else array)


def test_what_occurs_in_its_order():
    program = compiled([helper.make_node("Unique", ["x"], ["y"], sorted=0)], [("x", T.INT32, (9,))], [("y", T.INT32)])
    for x in ([4, 1, 4, 4, 2, 1, 0, 2, 9], [1] * 9):
        y = program.run({"x": np.array(x, np.int32)}, strict="memory")["y"]
        np.testing.assert_array_equal(y, list(dict.fromkeys(x)))


def test_a_saved_program_cuts_too(tmp_path):
    program = compiled([helper.make_node("NonZero", ["x"], ["y"])], [("x", T.FLOAT, (6,))], [("y", T.INT64)])
    program.save(tmp_path / "p.d1")
    x = np.array([0, 1, 0, 2, 3, 0], F)
    y = dojo.Program.load(tmp_path / "p.d1").run({"x": x})["y"]
    np.testing.assert_array_equal(y, [[1, 3, 4]])


def test_a_transposition_keeps_the_size_open():
    nodes = [helper.make_node("NonZero", ["x"], ["n"]), helper.make_node("Transpose", ["n"], ["y"])]
    program = compiled(nodes, [("x", T.FLOAT, (2, 3))], [("y", T.INT64)])
    for x in draws((2, 3)):
        np.testing.assert_array_equal(program.run({"x": x})["y"], np.argwhere(x))


def test_other_nodes_do_not_take_them():
    nodes = [helper.make_node("NonZero", ["x"], ["n"]), helper.make_node("ReduceSum", ["n"], ["y"], "sum")]
    with pytest.raises(dojo.Error, match=r"node 'sum' \(ReduceSum\): the data decide the size of dimension 1 of its operand 0; make that an output"):
        compiled(nodes, [("x", T.FLOAT, (2, 3))], [("y", T.INT64)])
