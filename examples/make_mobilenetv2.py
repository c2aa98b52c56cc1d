#!/usr/bin/env python3
"""Writes MobileNetV2 with seeded random weights: make_mobilenetv2.py [mobilenetv2.onnx] [--seed=0] [--batch=1]

The architecture is torchvision's: inverted residuals of depthwise convolutions, ReLU6 written as
Clip, BatchNormalization nodes kept. convnet.py says how weights are drawn; the branch of a residual
block is scaled down before it is added.
"""

import numpy as np

from convnet import ConvNet
from graph import command_line

# Expansion, channels, blocks, stride of the first.
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
CLASSES = 1000
BRANCH_SCALE = 0.25


class MobileNetV2(ConvNet):
    def layer(self, name, x, channels, kernel, stride=1, group=1):
        y = self.batch_norm(f"{name}.bn", self.conv(f"{name}.conv", x, channels, kernel, stride, group))
        return self.graph.node("Clip", f"{name}.relu6", [y, "zero", "six"])

    def block(self, name, x, expansion, channels, stride):
        inputs = self.channels(x)
        wide = inputs * expansion
        y = self.layer(f"{name}.expand", x, wide, 1) if expansion > 1 else x
        y = self.layer(f"{name}.depthwise", y, wide, 3, stride, group=wide)
        residual = stride == 1 and inputs == channels
        y = self.conv(f"{name}.project", y, channels, 1)
        y = self.batch_norm(f"{name}.bn", y, BRANCH_SCALE if residual else 1)
        return self.graph.node("Add", f"{name}.add", [x, y]) if residual else y

    def build(self):
        self.graph.weight("zero", np.array(0, np.float32))
        self.graph.weight("six", np.array(6, np.float32))
        x = self.layer("stem", "input", 32, 3, 2)
        for stage, (expansion, channels, blocks, stride) in enumerate(STAGES, 1):
            for i in range(blocks):
                x = self.block(f"stage{stage}.{i}", x, expansion, channels, stride if i == 0 else 1)
        return self.classifier(self.layer("head", x, 1280, 1), "classifier", CLASSES)


def make(seed=0, batch=1):
    return MobileNetV2("mobilenetv2", seed, batch).build()


if __name__ == "__main__":
    command_line(__doc__, make, "mobilenetv2.onnx", batch=1)
