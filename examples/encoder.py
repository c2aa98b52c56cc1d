"""Layers of transformer encoders with seeded weights, as exporters write them: batch x tokens x width."""

import numpy as np

from graph import Graph

DEVIATION = 0.02


class Encoder:
    """`size` has batch, tokens, width and heads. Weights are drawn with BERT's deviation of 0.02."""

    def __init__(self, name, inputs, size, seed, epsilon):
        self.size, self.epsilon = size, epsilon
        self.random = np.random.default_rng(seed)
        self.g = Graph(name, inputs)
        head = size.width // size.heads
        self.ints("heads_of", size.batch, size.tokens, size.heads, head)
        self.ints("merged_to", size.batch, size.tokens, size.width)
        for name, value in {"one": 1, "half": 0.5, "root_of_2": np.sqrt(2), "root_of_head": np.sqrt(head)}.items():
            self.g.weight(name, np.array(value, np.float32))

    def draw(self, name, *shape, deviation=DEVIATION):
        return self.g.weight(name, self.random.normal(0, deviation, shape).astype(np.float32))

    def ints(self, name, *values):
        return self.g.weight(name, np.array(values, np.int64))

    def norm(self, name, x):
        scale = self.g.weight(f"{name}.scale", 1 + self.random.normal(0, 0.1, self.size.width).astype(np.float32))
        operands = [x, scale, self.draw(f"{name}.bias", self.size.width)]
        return self.g.node("LayerNormalization", name, operands, axis=-1, epsilon=self.epsilon)

    def linear(self, name, x, inputs, outputs):
        product = self.g.node("MatMul", f"{name}.product", [x, self.draw(f"{name}.weight", inputs, outputs)])
        return self.g.node("Add", name, [product, self.draw(f"{name}.bias", outputs)])

    def gelu(self, name, x):
        g = self.g
        error = g.node("Erf", f"{name}.erf", [g.node("Div", f"{name}.scaled", [x, "root_of_2"])])
        both = g.node("Mul", f"{name}.both", [x, g.node("Add", f"{name}.shifted", [error, "one"])])
        return g.node("Mul", name, [both, "half"])

    def heads(self, name, x):
        split = self.g.node("Reshape", f"{name}.split", [x, "heads_of"])
        return self.g.node("Transpose", f"{name}.heads", [split], perm=[0, 2, 1, 3])

    def attention(self, name, x, mask=None):
        """`mask` is added to the scores."""
        g, width = self.g, self.size.width
        query, key, value = [
            self.heads(f"{name}.{part}", self.linear(f"{name}.{part}", x, width, width))
            for part in ("query", "key", "value")
        ]
        turned = g.node("Transpose", f"{name}.turned", [key], perm=[0, 1, 3, 2])
        product = g.node("MatMul", f"{name}.product", [query, turned])
        scores = g.node("Div", f"{name}.scores", [product, "root_of_head"])
        if mask:
            scores = g.node("Add", f"{name}.masked", [scores, mask])
        weights = g.node("Softmax", f"{name}.softmax", [scores], axis=-1)
        mixed = g.node("MatMul", f"{name}.mixed", [weights, value])
        back = g.node("Transpose", f"{name}.back", [mixed], perm=[0, 2, 1, 3])
        return self.linear(f"{name}.out", g.node("Reshape", f"{name}.merged", [back, "merged_to"]), width, width)

    def feed_forward(self, name, x):
        width = self.size.width
        wide = self.gelu(f"{name}.gelu", self.linear(f"{name}.up", x, width, 4 * width))
        return self.linear(f"{name}.down", wide, 4 * width, width)

    def add(self, name, x, y):
        return self.g.node("Add", name, [x, y])
