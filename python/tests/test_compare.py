"""The comparison must be able to fail: every way of being wrong, and the edges of being right."""

import numpy as np
import pytest

from dojo.compare import compare, compare_all, ulp_distance


@pytest.fixture
def values(random):
    return random.standard_normal((16, 32)).astype(np.float32)


def test_equal_values_pass_with_zero_figures(values):
    result = compare("y", values, values.copy(), "fp32")
    assert result.passed
    assert (result.max_error, result.error_over_magnitude, result.relative_rms, result.max_ulp) == (0, 0, 0, 0)


def test_figures_are_those_of_the_definition():
    expected = np.array([3, -4], np.float32)
    actual = np.array([3, -4.5], np.float32)
    result = compare("y", expected, actual, "fp32")
    assert result.max_error == 0.5
    assert result.error_over_magnitude == 0.125
    assert result.relative_rms == pytest.approx(0.1)
    assert result.max_ulp == 2**20


@pytest.mark.parametrize("factor, passes", [(0.9e-4, True), (1.1e-4, False)])
def test_fp32_is_judged_by_error_over_magnitude(factor, passes):
    expected = np.array([8, 1, 0], np.float64)
    actual = expected + np.array([0, 0, 8 * factor])
    assert compare("y", expected, actual, "fp32").passed == passes


@pytest.mark.parametrize("factor, passes", [(2.9e-2, True), (3.1e-2, False)])
def test_bf16_is_judged_by_relative_rms(values, factor, passes):
    assert compare("y", values, values * np.float32(1 + factor), "bf16").passed == passes


def test_one_wrong_value_of_many_fails_in_fp32(values):
    wrong = values.copy()
    wrong[3, 5] += 0.01
    assert not compare("y", values, wrong, "fp32").passed


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("change", [lambda v: -v, lambda v: v * 0, lambda v: v.T.reshape(v.shape), lambda v: v[::-1]])
def test_wrong_values_fail(values, precision, change):
    assert not compare("y", values, change(values), precision).passed


@pytest.mark.parametrize("stray", [np.nan, np.inf, -np.inf])
def test_a_value_that_should_be_finite_fails(values, stray):
    wrong = values.copy()
    wrong[0, 0] = stray
    result = compare("y", values, wrong, "bf16")
    assert not result.passed
    assert "not finite" in result.failure


@pytest.mark.parametrize("stray", [np.nan, np.inf])
def test_a_finite_value_that_should_not_be_fails(values, stray):
    expected = values.copy()
    expected[0, 0] = stray
    assert not compare("y", expected, values, "bf16").passed


def test_non_finite_values_at_the_same_places_are_equal(values):
    expected = values.copy()
    expected[0, :3] = np.nan, np.inf, -np.inf
    assert compare("y", expected, expected.copy(), "fp32").passed


def test_infinities_of_unlike_sign_fail():
    assert not compare("y", np.float32([np.inf]), np.float32([-np.inf]), "fp32").passed


def test_all_nan_passes_only_against_all_nan():
    nan = np.full(4, np.nan, np.float32)
    assert compare("y", nan, nan, "fp32").passed
    assert not compare("y", nan, np.zeros(4, np.float32), "fp32").passed


def test_an_error_against_zero_fails():
    zero = np.zeros(4, np.float32)
    assert compare("y", zero, zero, "fp32").passed
    assert compare("y", zero, zero + np.float32(1e-30), "fp32").error_over_magnitude == np.inf
    assert not compare("y", zero, zero + np.float32(1e-30), "fp32").passed


def test_wrong_shape_fails(values):
    result = compare("y", values, values.T, "fp32")
    assert "(32, 16)" in result.failure and "(16, 32)" in result.failure
    assert not compare("y", values, values[None], "fp32").passed


def test_missing_and_surplus_outputs_fail(values):
    results = compare_all({"a": values, "b": values}, {"b": values, "c": values}, "fp32")
    assert [(r.name, r.passed) for r in results] == [("a", False), ("b", True), ("c", False)]


def test_integers_must_be_equal():
    expected = np.arange(10, dtype=np.int64)
    assert compare("y", expected, expected.astype(np.int32), "bf16").passed
    wrong = expected.astype(np.int32)
    wrong[7] += 1
    assert compare("y", expected, wrong, "bf16").failure == "1 of 10 values differ"


def test_integers_are_not_floats():
    assert "element type" in compare("y", np.zeros(3, np.int32), np.zeros(3, np.float32), "fp32").failure


def test_empty_outputs_are_equal():
    empty = np.zeros((0, 4), np.float32)
    assert compare("y", empty, empty, "fp32").passed


def test_ulp_distance_counts_across_zero():
    tiny = np.finfo(np.float32).smallest_subnormal
    one = np.float32(1)
    pairs = [(0.0, -0.0, 0), (tiny, -tiny, 2), (one, np.nextafter(one, np.float32(2)), 1), (-one, -one, 0)]
    for a, b, distance in pairs:
        assert ulp_distance(np.float32([a]), np.float32([b]))[0] == distance
