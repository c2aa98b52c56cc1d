"""Windows with halos, as ONNX nodes under mappings written by hand: obeyed, without races, equal to ONNX Runtime."""

from dataclasses import dataclass, field

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from dojo.compare import compare


@dataclass
class Node:
    name: str
    op: str
    x: tuple
    weights: list  # shapes, or arrays, or None for an operand left out
    mappings: list
    attributes: dict = field(default_factory=dict)

    def model(self):
        random = np.random.default_rng(0)
        names, initializers = [], []
        for i, weight in enumerate(self.weights):
            names.append("" if weight is None else f"w{i}")
            if weight is not None:
                array = random.standard_normal(weight).astype(np.float32) if isinstance(weight, tuple) else weight
                initializers.append(numpy_helper.from_array(array, names[-1]))
        node = helper.make_node(self.op, ["x", *names], ["y"], name="window", **self.attributes)
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            [node], "g", [value("x", TensorProto.FLOAT, self.x)], [value("y", TensorProto.FLOAT, None)], initializers
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)


# Iterators of a window: batch d0, channels d1 (groups d1 and their channels d2), rows, columns.
SPACE = "y = [d2 : 4], x = [d3 : 4]"
CHANNELS = "y = [d1 : 4], x = [d2 : 3], inner = d1"
MIXED = "y = [d2 : 2, d3 : 2], x = [d1 : 2, d2 : 2], inner = d1, tile = [d1 : 16]"
TILED = "x = [d3 : 3], inner = d1, tile = [d1 : 16, d2 : 2, d3 : 4]"
PLAIN = [SPACE, CHANNELS, MIXED, TILED]
GROUPED = [
    "y = [d3 : 4], x = [d4 : 4]",
    "y = [d1 : 2], x = [d2 : 2, d3 : 2], inner = d2",
    "y = [d3 : 2, d4 : 2], x = [d1 : 2, d3 : 2], inner = d2, tile = [d2 : 16]",
]
SOLID = ["y = [d2 : 2, d3 : 2], x = [d4 : 4]", "y = [d1 : 3], x = [d3 : 3], inner = d1"]
MATMUL = ["y = [d0 : 4], x = [d1 : 3]", "y = [d0 : 3], x = [d2 : 2], inner = d1"]


def conv(name, x, weights, mappings=PLAIN, **attributes):
    return Node(name, "Conv", x, weights, mappings, attributes)


def transposed(name, x, weights, mappings=PLAIN, **attributes):
    return Node(name, "ConvTranspose", x, weights, mappings, attributes)


def pool(name, op, x=(1, 12, 14, 15), kernel=(3, 3), strides=(2, 2), mappings=PLAIN, **attributes):
    return Node(name, op, x, [], mappings, {"kernel_shape": kernel, "strides": strides, **attributes})


def resize(name, x, mappings=MATMUL, scales=None, sizes=None, mode="linear", coordinates="half_pixel", **attributes):
    weights = [None, np.array(scales, np.float32)] if scales else [None, None, np.array(sizes, np.int64)]
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates, **attributes}
    return Node(name, "Resize", x, weights, mappings, attributes)


NODES = [
    conv("strided", (1, 6, 17, 19), [(20, 6, 3, 3), (20,)], [*PLAIN, "y = [d4 : 2], x = [d2 : 4]"], strides=[2, 2], pads=[1] * 4),
    conv("dilated", (2, 5, 14, 13), [(16, 5, 3, 3)], dilations=[2, 3], pads=[2, 3, 2, 3]),
    conv("dilated and strided", (1, 5, 18, 21), [(8, 5, 3, 3)], strides=[2, 3], dilations=[3, 2], pads=[3, 2, 3, 2]),
    conv("padded unevenly", (1, 4, 12, 15), [(8, 4, 2, 5)], strides=[1, 3], pads=[1, 0, 0, 2]),
    conv("window wider than a block", (1, 3, 9, 9), [(4, 3, 7, 7)], pads=[3] * 4),
    conv("of one dimension", (2, 6, 40), [(8, 6, 5)], ["y = [d3 : 4], x = [d1 : 4]", "y = [d3 : 3], x = [d3 : 4], inner = d1"], pads=[2, 2]),
    conv("grouped", (1, 12, 13, 11), [(18, 4, 3, 3), (18,)], GROUPED, group=3, pads=[1] * 4),
    conv("grouped and strided", (1, 8, 13, 11), [(16, 4, 3, 3)], GROUPED, group=2, strides=[2, 1], pads=[1] * 4),
    conv("depthwise", (1, 20, 14, 14), [(20, 1, 5, 5), (20,)], group=20, strides=[2, 1], pads=[2] * 4),
    conv("depthwise, two of each channel", (1, 6, 10, 10), [(12, 1, 3, 3)], GROUPED, group=6, pads=[1] * 4),
    transposed("transposed", (1, 6, 7, 9), [(6, 10, 3, 3), (10,)], strides=[2, 2], pads=[1] * 4, output_padding=[1, 0]),
    transposed("transposed, windows apart", (1, 8, 10, 10), [(8, 4, 2, 2)], strides=[2, 2]),
    transposed("transposed, uneven", (1, 4, 5, 5), [(4, 5, 4, 2)], strides=[3, 1], pads=[0, 1, 2, 0]),
    transposed("transposed, dilated", (1, 4, 6, 7), [(4, 6, 3, 2)], dilations=[2, 3], strides=[2, 1], pads=[1, 0, 2, 1]),
    transposed("transposed, grouped", (1, 6, 7, 9), [(6, 4, 3, 3), (8,)], GROUPED, strides=[2, 2], group=2),
    transposed("transposed, same", (1, 4, 6, 7), [(4, 6, 3, 4)], strides=[2, 3], auto_pad="SAME_UPPER"),
    transposed("transposed, solid", (1, 3, 4, 5, 4), [(3, 6, 3, 2, 3), (6,)], SOLID, strides=[2, 1, 2], pads=[1, 0, 1, 0, 1, 1]),
    conv("solid", (1, 4, 7, 8, 9), [(6, 4, 3, 3, 2), (6,)], SOLID, strides=[2, 1, 1], dilations=[1, 2, 1], pads=[1, 2, 0, 1, 2, 1]),
    conv("solid, grouped", (1, 4, 6, 8, 9), [(6, 2, 3, 3, 2)], ["y = [d3 : 2, d4 : 2], x = [d5 : 4]"], group=2, pads=[1] * 6),
    pool("maximum, solid", "MaxPool", (1, 6, 8, 9, 7), (3, 2, 2), (2, 2, 1), SOLID, pads=[1, 0, 1, 1, 1, 0]),
    pool("mean, solid", "AveragePool", (1, 6, 8, 9, 7), (3, 2, 2), (2, 2, 1), SOLID, pads=[1, 0, 1, 1, 1, 0]),
    pool("maximum, beyond the edge", "MaxPool", ceil_mode=1),
    pool("maximum, dilated", "MaxPool", (2, 9, 14, 15), (3, 2), (1, 2), pads=[1, 0, 1, 1], dilations=[1, 2]),
    pool("mean with padding", "AveragePool", pads=[1] * 4, count_include_pad=1),
    pool("mean without padding, beyond the edge", "AveragePool", pads=[1] * 4, ceil_mode=1),
    pool("mean with padding, beyond the edge", "AveragePool", kernel=(4, 3), strides=(3, 2), pads=[1] * 4, ceil_mode=1, count_include_pad=1),
    Node("mean of all pixels", "GlobalAveragePool", (2, 12, 12, 16), [], ["y = [d2 : 4], x = [d3 : 4]", "y = [d0 : 2, d2 : 2], x = [d1 : 2, d3 : 2], inner = d1", "y = [d2 : 2], x = [d2 : 3]"]),
    Node("maximum of all pixels", "GlobalMaxPool", (2, 12, 12, 16), [], ["y = [d2 : 4], x = [d3 : 4]", "y = [d2 : 3], x = [d1 : 4], inner = d1"]),
    resize("nearest, twice", (1, 6, 7, 9), ["y = [d2 : 4], x = [d4 : 3]", "y = [d1 : 3], x = [d5 : 2], inner = d4"], scales=[1, 1, 2, 2], mode="nearest", coordinates="asymmetric", nearest_mode="floor"),
    resize("nearest, by fractions", (1, 6, 8, 10), scales=[1, 1, 2.5, 1.5], mode="nearest"),
    resize("nearest, up at ties", (1, 6, 8, 10), scales=[1, 1, 0.5, 1.5], mode="nearest", coordinates="asymmetric", nearest_mode="round_prefer_ceil"),
    resize("linear", (1, 6, 8, 10), scales=[1, 1, 2, 1.5]),
    resize("linear, asymmetric", (1, 6, 8, 10), scales=[1, 1, 2, 3], coordinates="asymmetric"),
    resize("linear, corners aligned", (1, 6, 8, 10), sizes=[1, 6, 15, 21], coordinates="align_corners"),
    resize("cubic", (1, 6, 8, 10), scales=[1, 1, 1.5, 0.8], mode="cubic"),
    resize("cubic, inside", (1, 6, 8, 10), sizes=[1, 6, 11, 7], mode="cubic", exclude_outside=1, cubic_coeff_a=-0.5),
    resize("linear, smoothed", (1, 6, 16, 10), sizes=[1, 6, 7, 6], antialias=1),
    resize("linear, smaller", (1, 6, 16, 10), scales=[1, 1, 0.5, 0.7], coordinates="pytorch_half_pixel"),
]


CASES = [(n, m, "fp32") for n in NODES for m in n.mappings] + [(n, n.mappings[-1], "bf16") for n in NODES]


@pytest.mark.parametrize("node, mapping, precision", [pytest.param(n, m, p, id=f"{n.name}-{p}-{m}") for n, m, p in CASES])
def test_obeyed_and_equal(run_tool, tmp_path, node, mapping, precision):
    model, binary, x = tmp_path / "model.onnx", tmp_path / "model.d1", tmp_path / "x.npy"
    onnx.save(node.model(), model)
    line = f'step "window" = #dojo.mapping<{mapping}>\n'
    (tmp_path / "by-hand").write_text(line)
    compiled = run_tool(
        "dojo-compile", model, "-o", binary, "--target=d1-mini", f"--precision={precision}",
        f"--mapping={tmp_path / 'by-hand'}", f"--export-mapping={tmp_path / 'used'}",
    )
    assert compiled.returncode == 0, compiled.stderr
    assert line in (tmp_path / "used").read_text()

    array = np.random.default_rng(1).standard_normal(node.x).astype(np.float32)
    np.save(x, array)
    ran = run_tool("dojo-run", binary, f"--input=x={x}", f"--output-dir={tmp_path}", "--strict=race")
    assert ran.returncode == 0, ran.stderr
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (wanted,) = session.run(None, {"x": array})
    comparison = compare("y", wanted, np.load(tmp_path / "y.npy"), precision)
    assert comparison.passed, comparison.line()
