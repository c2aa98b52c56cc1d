"""Functions of one variable beside double precision, and how the distances of the suite are told."""

import numpy as np
import pytest
from onnx import helper, parser
from onnx.reference import ReferenceEvaluator

from dojo import backend
from dojo.accuracy import Distance, Double, tables, widened
from dojo.compare import ulp_distance


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


FUNCTIONS = {
    "Softplus": (softplus, 4),
    "Mish": (lambda x: x * np.tanh(softplus(x)), 8),
    "Elu": (lambda x: np.where(x > 0, x, np.expm1(x)), 4),
}


@pytest.mark.parametrize("operator", FUNCTIONS)
def test_small_results_are_as_near_as_large_ones(operator):
    function, limit = FUNCTIONS[operator]
    x = np.concatenate([np.linspace(-60, 20, 4001), np.geomspace(1e-30, 1, 200), -np.geomspace(1e-30, 1, 200)])
    x = x.astype(np.float32)
    (y,) = backend.run_node(helper.make_node(operator, ["x"], ["y"]), [x], outputs_info=[(x.dtype, x.shape)])
    assert ulp_distance(function(x.astype(np.float64)).astype(np.float32), y).max() <= limit


def standardised(x, axes):
    centred = x.astype(np.float64) - x.mean(axes, np.float64, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axes, keepdims=True) + 1e-5)


def test_norms_over_images_are_not_as_far_off_as_their_means():
    """A mean near 100 is rounded to 4e-6."""
    x = (np.random.default_rng(0).standard_normal((2, 3, 16, 17)) + 100).astype(np.float32)
    of = lambda *shape: (np.float32, shape)
    ones, zeros = np.ones((3, 16, 17), np.float32), np.zeros((3, 16, 17), np.float32)
    layer = helper.make_node("LayerNormalization", ["x", "scale", "bias"], ["y"], axis=1)
    (y,) = backend.run_node(layer, [x, ones, zeros], outputs_info=[of(*x.shape)])
    assert np.abs(y - standardised(x, (1, 2, 3))).max() < 2.5e-6
    batch = helper.make_node("BatchNormalization", ["x", "scale", "bias", "m", "v"], ["y", "mean", "var"], training_mode=1)
    each = [ones[:, 0, 0], zeros[:, 0, 0]]
    y = backend.run_node(batch, [x, *each, *each[::-1]], outputs_info=[of(*x.shape), of(3), of(3)])[0]
    assert np.abs(y - standardised(x, (0, 2, 3))).max() < 2.5e-6


def ulps(*values):
    return np.array(values, np.int64)


def test_the_tables_have_shares_by_case_and_by_element_and_the_cases_beyond():
    near = Distance("a", ulps(0, 0), ulps(0, 1), ulps(0, 0))
    far = Distance("c", ulps(900, 4, 0, 0), ulps(2, 0, 0, 0), ulps(902, 4, 0, 0))
    lines = list(tables([near, Distance("b", ulps(0, 3)), far]))
    assert lines[0] == "3 cases, 2 of them beside double precision"
    assert lines[1].startswith("D1 of ONNX Runtime: median 3 ulp")
    assert "in 50.0% of the cases" in lines[2]
    rows = [line.split()[-8:] for line in lines]
    assert rows[5] == ["33.3%"] * 3 + ["66.7%"] * 4 + ["100.0%"]  # cases: D1 of ONNX Runtime, of double, ONNX Runtime of double
    assert rows[6] == ["0.0%", "50.0%"] + ["100.0%"] * 6
    assert rows[7] == ["50.0%"] * 7 + ["100.0%"]
    assert "elements, 8 in all" in lines[8]
    assert rows[10] == ["62.5%"] * 3 + ["87.5%"] * 4 + ["100.0%"]
    assert [line.split() for line in lines[14:]] == [["900", "2", "902", "2", "c"]]


CONSTANTS = """<ir_version: 8, opset_import: ["" : 17]> agraph (float[2] x) => (float[2] y) <float[1] w = {0.1}> {
  c = Constant<value_float = 0.3>()
  n = Constant<value = int64[1] {3}>()
  m = Cast<to = 1>(n)
  a = Mul(x, w)
  b = Div(a, m)
  y = Add(b, c)
}"""


def test_double_precision_keeps_constants_and_computes_in_doubles():
    x = np.array([1.7, -2.3], np.float32)
    exact = x.astype(np.float64) * np.float64(np.float32(0.1)) / 3 + np.float64(np.float32(0.3))
    wide = ReferenceEvaluator(widened(parser.parse_model(CONSTANTS))).run(None, {"x": x.astype(np.float64)})[0]
    assert wide.dtype == np.float64
    assert np.array_equal(wide, exact)


def test_what_disagrees_is_unknown_or_comes_as_floats_is_not_judged():
    double, x = Double(parser.parse_model(CONSTANTS)), np.array([1.7, -2.3], np.float32)
    (y,) = double.run([x], [np.array([0.3566667, 0.2233333], np.float32)])
    assert y.dtype == np.float32
    assert double.run([x], [np.array([0.4, 0.2], np.float32)]) is None
    unknown = '<ir_version: 8, opset_import: ["" : 17]> agraph (float[2] x) => (float[2] y) { y = Scatter(x) }'
    assert Double(parser.parse_model(unknown)).run([x], [x]) is None
    window = '<ir_version: 8, opset_import: ["" : 17]> agraph (int64 n) => (float[4] y) { y = HannWindow(n) }'
    size = np.array(4, np.int64)
    assert Double(parser.parse_model(window)).run([size], [np.hanning(5)[:4].astype(np.float32)]) is None
