"""Det against numpy in float64: matrices that need their rows exchanged, singular ones, and batches."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from dojo import backend


def det(x):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([helper.make_node("Det", ["x"], ["y"])], "g", [value], [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    return backend.run_model(model, [x])[0]


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 5, 4, 4), (40, 3, 3), (3, 8, 8)])
def test_determinants(shape):
    x = np.random.default_rng(5).standard_normal(shape).astype(np.float32)
    np.testing.assert_allclose(det(x), np.linalg.det(x.astype(np.float64)), rtol=1e-4, atol=1e-4)


def test_rows_that_must_change_places():
    x = np.stack([np.eye(4)[[2, 0, 3, 1]], np.eye(4)[[1, 0, 3, 2]], 1e-6 * np.eye(4) + np.eye(4)[::-1]])
    np.testing.assert_allclose(det(x.astype(np.float32)), np.linalg.det(x), rtol=1e-5)


def test_singular_matrices():
    x = np.array([[[0, 0, 0], [1, 2, 3], [4, 5, 6]], [[0, 1, 2], [0, 3, 4], [0, 5, 7]], [[1, 2, 4], [2, 4, 8], [1, 1, 1]]])
    np.testing.assert_array_equal(det(x.astype(np.float32)), np.zeros(3, np.float32))
