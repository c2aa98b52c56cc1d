"""Layers of convolutional networks with seeded weights, scaled on a calibration batch as they are added.

Weights are drawn as He et al. draw them. The running statistics of each BatchNormalization are
measured on the batch while the network is built, so that its result has mean 0 and deviation 1 in
every channel, whatever the depth. The bias of a classifier takes away a part of what its features
have in common for all images, so that the logits depend on the image; all of it would leave mostly
rounding errors.
"""

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from graph import IR_VERSION, OPSET, Graph

CALIBRATION_IMAGES = 4
SHARED_PART_REMOVED = 0.3


class CalibratedGraph(Graph):
    """A graph whose values are computed for a calibration batch as its nodes are added."""

    def __init__(self, name, inputs, batch):
        super().__init__(name, inputs)
        self.values = dict(batch)

    def weight(self, name, array):
        self.values[name] = array
        return super().weight(name, array)

    def node(self, op, name, inputs, **attributes):
        super().node(op, name, inputs, **attributes)
        self.values[name] = self.run_last_node()
        return name

    def run_last_node(self):
        node = self.nodes[-1]
        feeds = {n: self.values[n] for n in node.input}
        graph = helper.make_graph(
            [node],
            "one_node",
            [
                helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
                for n, v in feeds.items()
            ],
            [helper.make_tensor_value_info(node.output[0], onnx.TensorProto.FLOAT, None)],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, feeds)[0]


class ConvNet:
    """A network from images `input`, batch x 3 x size x size."""

    def __init__(self, name, seed, batch, size=224):
        self.random = np.random.default_rng(seed)
        self.batch, self.size = batch, size
        images = self.normal((CALIBRATION_IMAGES, 3, size, size))
        self.graph = CalibratedGraph(name, {"input": [batch, 3, size, size]}, {"input": images})

    def normal(self, shape, deviation=1.0):
        return (deviation * self.random.standard_normal(shape)).astype(np.float32)

    def channels(self, x):
        return self.graph.values[x].shape[1]

    def conv(self, name, x, channels, kernel, stride=1, group=1, bias=False):
        inputs = self.channels(x) // group
        deviation = np.sqrt(2 / (inputs * kernel * kernel))
        weights = [self.graph.weight(f"{name}.weight", self.normal((channels, inputs, kernel, kernel), deviation))]
        if bias:
            weights.append(self.graph.weight(f"{name}.bias", self.normal(channels, 0.1)))
        pad = kernel // 2
        more = {"group": group} if group > 1 else {}
        return self.graph.node(
            "Conv", name, [x, *weights], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, **more
        )

    def batch_norm(self, name, x, scale=1.0):
        measured = self.graph.values[x].astype(np.float64)
        channels = measured.shape[1]
        parameters = {
            "weight": scale * self.random.uniform(0.8, 1.2, channels),
            "bias": scale * self.random.normal(0, 0.1, channels),
            "running_mean": measured.mean(axis=(0, 2, 3)),
            "running_var": measured.var(axis=(0, 2, 3)),
        }
        names = [self.graph.weight(f"{name}.{k}", v.astype(np.float32)) for k, v in parameters.items()]
        return self.graph.node("BatchNormalization", name, [x, *names], epsilon=1e-5)

    def relu(self, name, x):
        return self.graph.node("Relu", name, [x])

    def classifier(self, x, name, classes):
        """The logits of pooled features."""
        x = self.graph.node("GlobalAveragePool", "avgpool", [x])
        x = self.graph.node("Flatten", "flatten", [x], axis=1)
        features = self.graph.values[x]
        w = self.normal((classes, features.shape[1]), 1 / np.sqrt(features.shape[1]))
        bias = self.normal(classes, 0.01) - SHARED_PART_REMOVED * (w @ features.mean(axis=0))
        names = [self.graph.weight(f"{name}.weight", w), self.graph.weight(f"{name}.bias", bias)]
        return self.graph.model({self.graph.node("Gemm", "logits", [x, *names], transB=1): [self.batch, classes]})
