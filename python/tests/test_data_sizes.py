"""Outputs whose sizes the data decide: one program, cut anew at every run."""

import numpy as np
import onnx
import onnxruntime
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


SUPPRESSION = ["boxes", "scores", "most", "overlap", "least"]
BOXES = [("boxes", T.FLOAT, (2, 12, 4)), ("scores", T.FLOAT, (2, 3, 12))]


def boxes_of(random, centred):
    """Crowded boxes, some of them flipped and one twice, and scores of which some are equal."""
    middle, size = random.uniform(0, 4, (2, 12, 2)), random.uniform(0.5, 4, (2, 12, 2))
    size *= 1 if centred else random.choice([-1, 1], (2, 12, 2))
    boxes = np.concatenate([middle, size] if centred else [middle - size / 2, middle + size / 2], 2).astype(F)
    boxes[:, 7] = boxes[:, 2]
    return {"boxes": boxes, "scores": (random.integers(0, 12, (2, 3, 12)) / 12).astype(F)}


@pytest.mark.parametrize("centred", [0, 1])
@pytest.mark.parametrize("most", [2, 1 << 40])
def test_boxes_that_overlap_no_better_one(centred, most):
    node = helper.make_node("NonMaxSuppression", SUPPRESSION, ["y"], center_point_box=centred)
    limits = [("overlap", T.FLOAT, (1,)), ("least", T.FLOAT, (1,))]
    model = model_of([node], BOXES + limits, [("y", T.INT64)], most=np.array([most]))
    program = dojo.compile(model, target="d1-mini", precision="fp32")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    sizes = set()
    for overlap, least in [(0.3, 0.25), (0.6, 0.5), (0, -1), (1, 0), (0.5, 0.85), (0.5, 2)]:
        inputs = {**boxes_of(random, centred), "overlap": np.array([overlap], F), "least": np.array([least], F)}
        y = program.run(inputs, strict="memory")["y"]
        np.testing.assert_array_equal(y, session.run(None, inputs)[0])
        sizes.add(len(y))
    assert min(sizes) == 0 and len(sizes) > 2


@pytest.mark.parametrize("given", [2, 3, 4])
def test_limits_of_boxes_that_are_absent(given):
    constants = {"most": np.array(5), "overlap": np.array(0.4, F)}
    known = {n: constants[n] for n in SUPPRESSION[2:given]}
    model = model_of([helper.make_node("NonMaxSuppression", SUPPRESSION[:given], ["y"])], BOXES, [("y", T.INT64)], **known)
    program = dojo.compile(model, target="d1-mini", precision="fp32")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    inputs = boxes_of(np.random.default_rng(1), False)
    inputs["scores"][0, 1, ::2] = -np.inf
    np.testing.assert_array_equal(program.run(inputs)["y"], session.run(None, inputs)[0])


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
