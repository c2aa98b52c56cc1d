#!/usr/bin/env python3
"""Writes a U-Net with seeded random weights: make_unet.py [unet.onnx] [--seed=0] [--batch=1]

The architecture is that of the U-Net for brain MRI on PyTorch Hub: four levels of 32 to 256 channels,
pairs of convolutions with BatchNormalization, transposed convolutions on the way up, one mask as the
result. convnet.py says how weights are drawn.
"""

import numpy as np

from convnet import ConvNet
from graph import command_line

FEATURES = 32
LEVELS = 4
SIZE = 256


class UNet(ConvNet):
    def pair(self, name, x, channels):
        for i in (1, 2):
            x = self.batch_norm(f"{name}.norm{i}", self.conv(f"{name}.conv{i}", x, channels, 3))
            x = self.relu(f"{name}.relu{i}", x)
        return x

    def up(self, name, x, channels):
        inputs = self.channels(x)
        weight = self.graph.weight(f"{name}.weight", self.normal((inputs, channels, 2, 2), np.sqrt(1 / inputs)))
        bias = self.graph.weight(f"{name}.bias", self.normal(channels, 0.1))
        return self.graph.node("ConvTranspose", name, [x, weight, bias], kernel_shape=[2, 2], strides=[2, 2])

    def build(self):
        x, kept = "input", []
        for level in range(LEVELS):
            kept.append(self.pair(f"encoder{level + 1}", x, FEATURES << level))
            x = self.graph.node("MaxPool", f"pool{level + 1}", kept[-1:], kernel_shape=[2, 2], strides=[2, 2])
        x = self.pair("bottleneck", x, FEATURES << LEVELS)
        for level in reversed(range(LEVELS)):
            x = self.up(f"upconv{level + 1}", x, FEATURES << level)
            x = self.graph.node("Concat", f"joined{level + 1}", [x, kept[level]], axis=1)
            x = self.pair(f"decoder{level + 1}", x, FEATURES << level)
        mask = self.graph.node("Sigmoid", "mask", [self.conv("conv", x, 1, 1, bias=True)])
        return self.graph.model({mask: [self.batch, 1, self.size, self.size]})


def make(seed=0, batch=1, size=SIZE):
    return UNet("unet", seed, batch, size).build()


if __name__ == "__main__":
    command_line(__doc__, make, "unet.onnx", batch=1, size=SIZE)
