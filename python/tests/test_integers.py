"""Integers of every width against numpy, on D1 machine code under strict memory."""

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import helper

from dojo import backend

WIDTHS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def evaluate(op, *arrays, outputs, opset=24, **attributes):
    kind = onnx.helper.np_dtype_to_tensor_dtype
    names = [f"x{i}" for i in range(len(arrays))]
    node = helper.make_node(op, names, ["y"], **attributes)
    inputs = [helper.make_tensor_value_info(n, kind(a.dtype), a.shape) for n, a in zip(names, arrays)]
    graph = helper.make_graph([node], "g", inputs, [helper.make_tensor_value_info("y", kind(np.dtype(outputs)), None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    return backend.run_model(model, arrays)[0]


def numbers(dtype, seed):
    """Small numbers, those around every power of two, and arbitrary bits."""
    random = np.random.default_rng(seed)
    info = np.iinfo(dtype)
    edges = {v for k in range(info.bits + 1) for v in (2**k - 1, 2**k, 2**k + 1, -(2**k), -(2**k) - 1)}
    edges = np.array([v for v in sorted(edges) if info.min <= v <= info.max], dtype)
    some = random.integers(info.min, info.max, 300, dtype, endpoint=True)
    return random.permutation(np.concatenate([random.choice(edges, 300), some]))


@pytest.mark.parametrize("dtype", WIDTHS)
def test_arithmetic_wraps_and_compares_as_numpy_does(dtype):
    x, y = numbers(dtype, 1), numbers(dtype, 2)
    with np.errstate(over="ignore"):
        for op, function in {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply}.items():
            np.testing.assert_array_equal(evaluate(op, x, y, outputs=dtype), function(x, y), op)
    for op, function in {"Min": np.minimum, "Max": np.maximum, "BitwiseXor": np.bitwise_xor}.items():
        np.testing.assert_array_equal(evaluate(op, x, y, outputs=dtype), function(x, y), op)
    y[::3] = x[::3]
    for op, function in {"Less": np.less, "GreaterOrEqual": np.greater_equal, "Equal": np.equal}.items():
        np.testing.assert_array_equal(evaluate(op, x, y, outputs=bool), function(x, y), op)


@pytest.mark.parametrize("dtype", WIDTHS)
def test_quotients_are_truncated_and_remainders_have_a_sign(dtype):
    x, y = numbers(dtype, 3), numbers(dtype, 4)
    y[y == 0] = 3
    x[x == np.iinfo(dtype).min] = 1  # the least integer over -1 has no quotient
    quotient = np.array([abs(int(a)) // abs(int(b)) * (1 if (a < 0) == (b < 0) else -1) for a, b in zip(x, y)], dtype)
    np.testing.assert_array_equal(evaluate("Div", x, y, outputs=dtype), quotient)
    np.testing.assert_array_equal(evaluate("Mod", x, y, outputs=dtype), np.mod(x, y))
    np.testing.assert_array_equal(evaluate("Mod", x, y, outputs=dtype, fmod=1), np.fmod(x, y))


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_sums_of_64_bits_carry(dtype):
    x = numbers(dtype, 5).reshape(24, 25)
    axes = np.array([1])
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(
            evaluate("ReduceSum", x, axes, outputs=dtype, keepdims=0), x.sum(1, dtype=dtype))
    np.testing.assert_array_equal(evaluate("ReduceMax", x, axes, outputs=dtype, keepdims=0), x.max(1))


@pytest.mark.parametrize("source", WIDTHS)
def test_integers_become_other_integers_and_floats(source):
    x = numbers(source, 6)
    for target in WIDTHS + ["float32"]:
        code = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(target))
        found = evaluate("Cast", x, outputs=target, to=code)
        if target == "float32":
            np.testing.assert_allclose(found, x.astype(target), rtol=2**-23)
        else:
            np.testing.assert_array_equal(found, x.astype(target))


@pytest.mark.parametrize("name", ["float16", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"])
def test_small_floats_round_to_nearest_even_and_come_back(name):
    dtype = np.dtype(getattr(ml_dtypes, name, None) or name)
    code = onnx.helper.np_dtype_to_tensor_dtype(dtype)
    bits = np.arange(1 << (8 * dtype.itemsize), dtype=f"u{dtype.itemsize}")
    every = bits.view(dtype)
    np.testing.assert_array_equal(evaluate("Cast", every, outputs="float32", to=1), every.astype(np.float32))
    exact = np.unique(every.astype(np.float32)[np.isfinite(every.astype(np.float32))])
    middles = (exact[1:].astype(np.float64) + exact[:-1]) / 2
    x = np.concatenate([exact, middles, np.nextafter(middles.astype(np.float32), np.inf)]).astype(np.float32)
    found = evaluate("Cast", x, outputs=dtype, to=code, saturate=0)
    np.testing.assert_array_equal(found.astype(np.float32), x.astype(dtype).astype(np.float32))
