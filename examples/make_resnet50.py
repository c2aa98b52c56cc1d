#!/usr/bin/env python3
"""Writes ResNet-50 with seeded random weights: make_resnet50.py [resnet50.onnx] [--seed=0] [--batch=1]

The architecture is torchvision's (v1.5: the stride stands on the 3x3 convolution), in evaluation
mode with its BatchNormalization nodes kept; convnet.py says how weights are drawn. The branch of a
residual block is scaled down before it is added.
"""

from convnet import ConvNet
from graph import command_line

STAGES = [(64, 3), (128, 4), (256, 6), (512, 3)]
EXPANSION = 4
CLASSES = 1000
BRANCH_SCALE = 0.25


class ResNet50(ConvNet):
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

    def build(self):
        x = self.conv("conv1", "input", 64, 7, 2)
        x = self.relu("relu", self.batch_norm("bn1", x))
        x = self.graph.node("MaxPool", "maxpool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
        for stage, (width, blocks) in enumerate(STAGES, 1):
            for i in range(blocks):
                stride = 2 if stage > 1 and i == 0 else 1
                x = self.block(f"layer{stage}.{i}", x, width, stride, project=i == 0)
        return self.classifier(x, "fc", CLASSES)


def make(seed=0, batch=1):
    return ResNet50("resnet50", seed, batch).build()


if __name__ == "__main__":
    command_line(__doc__, make, "resnet50.onnx", batch=1)
