"""BatchNormalization in training mode against numpy in float64: what it normalises and the statistics it keeps."""

import ml_dtypes
import numpy as np
import pytest
from onnx import helper

from dojo import backend


def expected(x, scale, bias, mean, variance, momentum, epsilon):
    axes = tuple(d for d in range(x.ndim) if d != 1)
    along = [-1] + [1] * (x.ndim - 2)
    now, spread = x.mean(axes), x.var(axes)
    y = (x - now.reshape(along)) / np.sqrt(spread.reshape(along) + epsilon)
    y = y * scale.reshape(along) + bias.reshape(along)
    return y, mean * momentum + now * (1 - momentum), variance * momentum + spread * (1 - momentum)


@pytest.mark.parametrize(
    "shape, opset, dtype, attributes, tolerance",
    [
        ((2, 3, 4, 5), 15, np.float32, {}, 1e-5),
        ((16, 3), 14, np.float32, {"momentum": 0.6, "epsilon": 0.1}, 1e-5),
        ((4, 40, 7), 15, np.float32, {"momentum": 0.0}, 1e-5),
        ((2, 3, 4, 5), 15, np.float16, {}, 2e-3),
        ((2, 3, 4, 5), 15, ml_dtypes.bfloat16, {}, 3e-2),
    ],
)
def test_batch_statistics(shape, opset, dtype, attributes, tolerance):
    """The statistics stay float32 whatever the type of the data."""
    random = np.random.default_rng(7)
    channel = [random.standard_normal(shape[1]).astype(np.float32) for _ in range(3)]
    channel.append(random.uniform(0.5, 2, shape[1]).astype(np.float32))
    arrays = [(random.standard_normal(shape) * 3 + 1).astype(dtype), *channel]
    names, results = ["x", "scale", "bias", "mean", "variance"], ["y", "new_mean", "new_variance"]
    kinds = [helper.np_dtype_to_tensor_dtype(a.dtype) for a in arrays]
    inputs = [helper.make_tensor_value_info(n, k, a.shape) for n, k, a in zip(names, kinds, arrays)]
    outputs = [helper.make_tensor_value_info(n, k, None) for n, k in zip(results, [kinds[0], kinds[3], kinds[4]])]
    node = helper.make_node("BatchNormalization", names, results, training_mode=1, **attributes)
    graph = helper.make_graph([node], "g", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    found = backend.run_model(model, arrays)
    wanted = expected(
        *(a.astype(np.float64) for a in arrays), attributes.get("momentum", 0.9), attributes.get("epsilon", 1e-5)
    )
    for one, other in zip(found, wanted):
        np.testing.assert_allclose(one.astype(np.float64), other, rtol=tolerance, atol=tolerance)
    assert found[1].dtype == found[2].dtype == np.float32
