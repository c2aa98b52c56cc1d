#!/usr/bin/env python3
"""Writes a vision transformer with seeded random weights: make_vit.py [vit.onnx] [--batch=1] [--image=224] [--layers=12] ...

The architecture is that of ViT-B/16: patches by a convolution with its size as stride, a class token, pre-norm
blocks with GELU by erf, a head over the class token.
"""

from dataclasses import dataclass

import numpy as np

from encoder import Encoder
from graph import command_line


@dataclass(frozen=True)
class Size:
    """What ViT-B/16 is, on one image."""

    batch: int = 1
    image: int = 224
    patch: int = 16
    layers: int = 12
    width: int = 768
    heads: int = 12
    classes: int = 1000

    @property
    def patches(self):
        return (self.image // self.patch) ** 2

    @property
    def tokens(self):
        return 1 + self.patches


class VisionTransformer(Encoder):
    def __init__(self, size, seed):
        super().__init__("vit", {"image": (size.batch, 3, size.image, size.image)}, size, seed, 1e-6)

    def embed(self):
        g, size = self.g, self.size
        inputs = 3 * size.patch**2
        weight = self.draw("patches.weight", size.width, 3, size.patch, size.patch, deviation=1 / np.sqrt(inputs))
        operands = ["image", weight, self.draw("patches.bias", size.width)]
        patches = g.node("Conv", "patches", operands, kernel_shape=[size.patch] * 2, strides=[size.patch] * 2)
        flat = g.node("Reshape", "patches.flat", [patches, self.ints("flat_to", size.batch, size.width, size.patches)])
        rows = g.node("Transpose", "patches.rows", [flat], perm=[0, 2, 1])
        first = self.draw("class_token", 1, 1, size.width)
        tokens = g.node("Expand", "class_tokens", [first, self.ints("one_of_each", size.batch, 1, 1)])
        places = self.draw("position_embeddings", 1, size.tokens, size.width)
        return self.add("embedded", g.node("Concat", "tokens", [tokens, rows], axis=1), places)

    def layer(self, name, x):
        x = self.add(f"{name}.sum1", self.attention(f"{name}.attention", self.norm(f"{name}.norm1", x)), x)
        return self.add(f"{name}.sum2", self.feed_forward(name, self.norm(f"{name}.norm2", x)), x)

    def model(self):
        g, size = self.g, self.size
        x = self.embed()
        for layer in range(size.layers):
            x = self.layer(f"layer{layer}", x)
        first = g.node("Gather", "class_features", [self.norm("final_norm", x), g.weight("index_0", np.array(0))], axis=1)
        return g.model({self.linear("logits", first, size.width, size.classes): (size.batch, size.classes)})


def make(size=Size(), seed=0):
    """The model, of the size above or of another."""
    return VisionTransformer(size, seed).model()


if __name__ == "__main__":
    command_line(__doc__, lambda seed, **size: make(Size(**size), seed), "vit.onnx", **vars(Size()))
