#!/usr/bin/env python3
"""Writes ResNet-50 with seeded random weights: make_resnet50.py [resnet50.onnx] [--seed=0] [--batch=1]

The architecture is torchvision's (v1.5: the stride stands on the 3x3 convolution), in evaluation
mode with its BatchNormalization nodes kept. Weights are drawn as He et al. draw them. The running
statistics of each BatchNormalization are measured on a calibration batch while the network is
built, so that its result has mean 0 and deviation 1 in every channel, whatever the depth; the
branch of a residual block is scaled down before it is added. The bias of the classifier takes
away a part of what its features have in common for all images, so that the logits depend on the
image; all of it would leave mostly rounding errors.
"""

import argparse

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from graph import IR_VERSION, OPSET, Graph

STAGES = [(64, 3), (128, 4), (256, 6), (512, 3)]
EXPANSION = 4
CLASSES = 1000
BRANCH_SCALE = 0.25
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
            [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, v.shape) for n, v in feeds.items()],
            [helper.make_tensor_value_info(node.output[0], onnx.TensorProto.FLOAT, None)],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, feeds)[0]


class ResNet50:
    def __init__(self, seed, batch):
        self.random = np.random.default_rng(seed)
        self.batch = batch
        images = self.normal((CALIBRATION_IMAGES, 3, 224, 224))
        self.graph = CalibratedGraph("resnet50", {"input": [batch, 3, 224, 224]}, {"input": images})

    def normal(self, shape, deviation=1.0):
        return (deviation * self.random.standard_normal(shape)).astype(np.float32)

    def conv(self, name, x, channels, kernel, stride=1):
        inputs = self.graph.values[x].shape[1]
        fan_in = inputs * kernel * kernel
        w = self.graph.weight(f"{name}.weight", self.normal((channels, inputs, kernel, kernel), np.sqrt(2 / fan_in)))
        pad = kernel // 2
        return self.graph.node(
            "Conv", name, [x, w], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4
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

    def block(self, name, x, width, stride, project):
        y = self.conv(f"{name}.conv1", x, width, 1)
        y = self.relu(f"{name}.relu1", self.batch_norm(f"{name}.bn1", y))
        y = self.conv(f"{name}.conv2", y, width, 3, stride)
        y = self.relu(f"{name}.relu2", self.batch_norm(f"{name}.bn2", y))
        y = self.conv(f"{name}.conv3", y, width * EXPANSION, 1)
        y = self.batch_norm(f"{name}.bn3", y, BRANCH_SCALE)
        if project:
            x = self.conv(f"{name}.downsample.0", x, width * EXPANSION, 1, stride)
            x = self.batch_norm(f"{name}.downsample.1", x)
        return self.relu(f"{name}.relu3", self.graph.node("Add", f"{name}.add", [y, x]))

    def classifier(self, x):
        features = self.graph.values[x]
        w = self.normal((CLASSES, features.shape[1]), 1 / np.sqrt(features.shape[1]))
        bias = self.normal(CLASSES, 0.01) - SHARED_PART_REMOVED * (w @ features.mean(axis=0))
        names = [self.graph.weight("fc.weight", w), self.graph.weight("fc.bias", bias)]
        return self.graph.node("Gemm", "logits", [x, *names], transB=1)

    def build(self):
        x = self.conv("conv1", "input", 64, 7, 2)
        x = self.relu("relu", self.batch_norm("bn1", x))
        x = self.graph.node("MaxPool", "maxpool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
        for stage, (width, blocks) in enumerate(STAGES, 1):
            for i in range(blocks):
                stride = 2 if stage > 1 and i == 0 else 1
                x = self.block(f"layer{stage}.{i}", x, width, stride, project=i == 0)
        x = self.graph.node("GlobalAveragePool", "avgpool", [x])
        logits = self.classifier(self.graph.node("Flatten", "flatten", [x], axis=1))
        return self.graph.model({logits: [self.batch, CLASSES]})


def make(seed=0, batch=1):
    return ResNet50(seed, batch).build()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", nargs="?", default="resnet50.onnx")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=1)
    arguments = parser.parse_args()
    model = make(arguments.seed, arguments.batch)
    onnx.save(model, arguments.path)
    parameters = sum(numpy_helper.to_array(w).size for w in model.graph.initializer)
    print(f"{arguments.path}: {len(model.graph.node)} nodes, {parameters} parameters")


if __name__ == "__main__":
    main()
