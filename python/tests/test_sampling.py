"""Images sampled at places that are known at run time only, equal to ONNX Runtime in both precisions."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

import dojo
from dojo.compare import compare

F = np.float32


def uniform(*shape, low=-1.3, high=1.3):
    return np.random.default_rng(0).uniform(low, high, shape).astype(F)


REGIONS = np.array([[1, 2, 9, 8], [0, 0, 4, 6], [-3, 5, 30, 30], [6, 6, 6, 6]], F)
CASES = [
    ("GridSample", {}, [uniform(2, 5, 9, 11), uniform(2, 7, 6, 2)]),
    ("GridSample", {"mode": "cubic", "padding_mode": "border", "align_corners": 1}, [uniform(1, 4, 9, 11), uniform(1, 7, 6, 2)]),
    ("GridSample", {"mode": "cubic", "padding_mode": "reflection", "align_corners": 1}, [uniform(2, 3, 9, 8), uniform(2, 5, 4, 2)]),
    ("GridSample", {"mode": "nearest", "padding_mode": "reflection"}, [uniform(1, 3, 9, 8), uniform(1, 5, 4, 2, low=-4, high=4)]),
    ("GridSample", {"padding_mode": "border"}, [uniform(1, 3, 5, 6, 7), uniform(1, 3, 4, 5, 3)]),
    ("AffineGrid", {"align_corners": 1}, [uniform(3, 2, 3), np.array([3, 1, 7, 5])]),
    ("RoiAlign", {"output_height": 3, "output_width": 4, "sampling_ratio": 2, "spatial_scale": 0.5},
     [uniform(2, 6, 12, 14), REGIONS, np.array([0, 1, 1, 0])]),
    ("RoiAlign", {"output_height": 2, "output_width": 2, "sampling_ratio": 3, "coordinate_transformation_mode": "output_half_pixel"},
     [uniform(2, 6, 12, 14), REGIONS, np.array([1, 1, 0, 0])]),
]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("op, attributes, arrays", CASES, ids=[f"{i}-{c[0]}" for i, c in enumerate(CASES)])
def test_equal(op, attributes, arrays, precision):
    names = [f"x{i}" for i in range(len(arrays))]
    feeds = dict(zip(names, arrays))
    constants = [names[1]] if op == "AffineGrid" else []
    info = helper.make_tensor_value_info
    inputs = [info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in feeds.items() if n not in constants]
    graph = helper.make_graph(
        [helper.make_node(op, names, ["y"], **attributes)], "g", inputs, [info("y", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(feeds.pop(n), n) for n in constants])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    got = dojo.compile(model, target="d1-mini", precision=precision).run(feeds, strict="memory")["y"]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    comparison = compare("y", session.run(None, feeds)[0], got, precision)
    assert comparison.passed, comparison.line()
