"""Fourier transforms against numpy's, over lengths that are direct, cut in two and prime."""

import numpy as np
import onnx
import pytest
from onnx import helper

from dojo import backend

F, I64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64


def run(op, arrays, names, **attributes):
    """The one output of a node whose inputs `names` may leave out."""
    kind = onnx.helper.np_dtype_to_tensor_dtype
    given = [name for name in names if name]
    inputs = [helper.make_tensor_value_info(n, kind(a.dtype), a.shape) for n, a in zip(given, arrays)]
    graph = helper.make_graph([helper.make_node(op, names, ["y"], **attributes)], "g", inputs, [helper.make_tensor_value_info("y", F, None)])
    return backend.run_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), arrays)[0]


def as_complex(pairs):
    return pairs[..., 0] + 1j * pairs[..., 1]


def as_pairs(values):
    return np.stack([values.real, values.imag], axis=-1).astype(np.float32)


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("length", [1, 8, 30, 36, 37, 128, 400])
@pytest.mark.parametrize("onesided", [0, 1])
def test_a_real_signal(length, onesided):
    x = np.random.default_rng(length).standard_normal((2, length, 1)).astype(np.float32)
    expected = np.fft.rfft(x[..., 0]) if onesided else np.fft.fft(x[..., 0])
    assert_close(as_complex(run("DFT", [x], ["x"], onesided=onesided)), expected)


@pytest.mark.parametrize("length, taken, axis", [(30, 30, 1), (30, 24, 1), (30, 40, 1), (24, 24, 2)])
def test_complex_signals_there_and_back(length, taken, axis):
    shape = (2, length, 3) if axis == 1 else (2, 3, length)
    rng = np.random.default_rng(taken)
    x = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    rest = [np.array(taken), np.array(axis)]
    for inverse, reference in ((0, np.fft.fft), (1, np.fft.ifft)):
        y = run("DFT", [as_pairs(x), *rest], ["x", "n", "axis"], inverse=inverse)
        assert_close(as_complex(y), reference(x, n=taken, axis=axis))


@pytest.mark.parametrize("length", [9, 64, 90])
def test_half_a_spectrum_gives_its_real_signal(length):
    signal = np.random.default_rng(length).standard_normal((2, length))
    y = run("DFT", [as_pairs(np.fft.rfft(signal)), np.array(length), np.array(1)], ["x", "n", "axis"], inverse=1, onesided=1)
    assert y.shape == (2, length, 1)
    assert_close(y[..., 0], signal)


@pytest.mark.parametrize("parts, onesided, windowed", [(1, 1, True), (1, 0, False), (2, 0, True)])
def test_frames_of_a_signal(parts, onesided, windowed):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 100, parts)).astype(np.float32)
    window, step = (np.hanning(24) if windowed else np.ones(24)).astype(np.float32), 10
    signal = as_complex(x) if parts == 2 else x[..., 0]
    frames = np.stack([signal[:, at : at + 24] * window for at in range(0, 100 - 24 + 1, step)], axis=1)
    expected = np.fft.rfft(frames) if onesided else np.fft.fft(frames)
    y = run("STFT", [x, np.array(step), window if windowed else np.array(24)], ["x", "step", "window"] if windowed else ["x", "step", "", "n"], onesided=onesided)
    assert_close(as_complex(y), expected)
