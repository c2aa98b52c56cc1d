#!/usr/bin/env python3
"""Writes EfficientNet-B0 with seeded random weights: make_efficientnet.py [efficientnet_b0.onnx] [--seed=0] [--batch=1]

The architecture is torchvision's: inverted residuals with squeeze-and-excitation and SiLU,
BatchNormalization nodes kept. convnet.py says how weights are drawn; the branch of a residual block
is scaled down before it is added.
"""

from convnet import ConvNet
from graph import command_line

# Expansion, kernel, stride of the first, channels, blocks.
STAGES = [(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
          (6, 3, 1, 320, 1)]  # fmt: skip
CLASSES = 1000
BRANCH_SCALE = 0.25


class EfficientNetB0(ConvNet):
    def silu(self, name, x):
        return self.graph.node("Mul", f"{name}.silu", [x, self.graph.node("Sigmoid", f"{name}.sigmoid", [x])])

    def layer(self, name, x, channels, kernel, stride=1, group=1):
        y = self.conv(f"{name}.conv", x, channels, kernel, stride, group)
        return self.silu(name, self.batch_norm(f"{name}.bn", y))

    def squeeze_and_excitation(self, name, x, squeezed):
        y = self.graph.node("GlobalAveragePool", f"{name}.pool", [x])
        y = self.silu(f"{name}.fc1", self.conv(f"{name}.fc1", y, squeezed, 1, bias=True))
        y = self.conv(f"{name}.fc2", y, self.channels(x), 1, bias=True)
        return self.graph.node("Mul", f"{name}.scaled", [self.graph.node("Sigmoid", f"{name}.gate", [y]), x])

    def block(self, name, x, expansion, kernel, stride, channels):
        inputs = self.channels(x)
        wide = inputs * expansion
        y = self.layer(f"{name}.expand", x, wide, 1) if expansion > 1 else x
        y = self.layer(f"{name}.depthwise", y, wide, kernel, stride, group=wide)
        y = self.squeeze_and_excitation(f"{name}.se", y, max(1, inputs // 4))
        residual = stride == 1 and inputs == channels
        y = self.conv(f"{name}.project", y, channels, 1)
        y = self.batch_norm(f"{name}.bn", y, BRANCH_SCALE if residual else 1)
        return self.graph.node("Add", f"{name}.add", [x, y]) if residual else y

    def build(self):
        x = self.layer("stem", "input", 32, 3, 2)
        for stage, (expansion, kernel, stride, channels, blocks) in enumerate(STAGES, 1):
            for i in range(blocks):
                x = self.block(f"stage{stage}.{i}", x, expansion, kernel, stride if i == 0 else 1, channels)
        return self.classifier(self.layer("head", x, 1280, 1), "classifier", CLASSES)


def make(seed=0, batch=1):
    return EfficientNetB0("efficientnet_b0", seed, batch).build()


if __name__ == "__main__":
    command_line(__doc__, make, "efficientnet_b0.onnx", batch=1)
