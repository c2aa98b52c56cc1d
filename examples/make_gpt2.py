#!/usr/bin/env python3
"""Writes GPT-2 with seeded random weights: make_gpt2.py [gpt2.onnx] [--layers=12] [--width=768] [--heads=12] ...

The architecture is GPT-2's (pre-norm blocks, tanh GELU, one matrix for embedding and logits), as exporters write
it: the keys and values of past tokens are inputs, those of all tokens are outputs, and the causal mask is a slice
of a constant, its ends computed from the shapes of the graph. Weights are drawn as GPT-2's were at the start of
its training: deviation 0.02, the projections back into the residual divided by the root of their number. With
--vocabulary=0 it is the blocks alone, from hidden states to hidden states.
"""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from graph import Graph, command_line

DEVIATION = 0.02


@dataclass(frozen=True)
class Size:
    """What GPT-2 small is, with one step of 64 tokens after 64 others."""

    layers: int = 12
    width: int = 768
    heads: int = 12
    vocabulary: int = 50257
    context: int = 1024
    tokens: int = 64
    past: int = 64

    @property
    def head(self):
        return self.width // self.heads

    @property
    def cache(self):
        return (1, self.heads, self.past, self.head)

    @property
    def present(self):
        return (1, self.heads, self.past + self.tokens, self.head)


XL_BLOCKS = Size(layers=2, width=1600, heads=25, vocabulary=0)


class GPT2:
    def __init__(self, size, seed):
        self.size = size
        self.random = np.random.default_rng(seed)
        first = {"input_ids": ((1, size.tokens), TensorProto.INT64)}
        if not size.vocabulary:
            first = {"hidden_states": (1, size.tokens, size.width)}
        caches = {f"past.{i}.{part}": size.cache for i in range(size.layers) for part in ("key", "value")}
        self.g = Graph("gpt2", {**first, **caches})

    def draw(self, name, *shape, deviation=DEVIATION):
        return self.g.weight(name, self.random.normal(0, deviation, shape).astype(np.float32))

    def ints(self, name, *values):
        return self.g.weight(name, np.array(values, np.int64))

    def floats(self, name, *values):
        return self.g.weight(name, np.array(values, np.float32).squeeze())

    def norm(self, name, x):
        scale = self.g.weight(f"{name}.scale", 1 + self.random.normal(0, 0.1, self.size.width).astype(np.float32))
        return self.g.node("LayerNormalization", name, [x, scale, self.draw(f"{name}.bias", self.size.width)])

    def linear(self, name, x, inputs, outputs, deviation=DEVIATION):
        weight = self.draw(f"{name}.weight", inputs, outputs, deviation=deviation)
        bias = self.draw(f"{name}.bias", outputs)
        rows = self.g.node("Reshape", f"{name}.rows", [x, f"rows_of.{inputs}"])
        product = self.g.node("Gemm", f"{name}.gemm", [rows, weight, bias])
        return self.g.node("Reshape", name, [product, f"batch_of.{outputs}"])

    def gelu(self, name, x):
        g = self.g
        cube = g.node("Pow", f"{name}.cube", [x, "three"])
        inner = g.node("Add", f"{name}.sum", [x, g.node("Mul", f"{name}.bent", [cube, "gelu.cubic"])])
        tanh = g.node("Tanh", f"{name}.tanh", [g.node("Mul", f"{name}.scaled", [inner, "gelu.scale"])])
        half = g.node("Mul", f"{name}.half", [x, "half"])
        return g.node("Mul", name, [half, g.node("Add", f"{name}.shifted", [tanh, "one"])])

    def heads(self, name, x):
        split = self.g.node("Reshape", f"{name}.split", [x, "heads_of"])
        return self.g.node("Transpose", name, [split], perm=[0, 2, 1, 3])

    def mask(self):
        """The rows of the tokens and the columns of all they may see, of a triangle of True."""
        g, size = self.g, self.size
        g.weight("triangle", np.tril(np.ones((1, 1, size.context, size.context), bool)))
        new = g.node("Gather", "mask.new", [g.node("Shape", "mask.input", [g.inputs[0].name]), "index_1"])
        old = g.node("Gather", "mask.old", [g.node("Shape", "mask.past", ["past.0.key"]), "index_2"])
        end = g.node("Add", "mask.end", [new, old])
        rows = g.node("Slice", "mask.rows", ["triangle", old, end, "axis_2"])
        return g.node("Slice", "mask", [rows, "index_0", end, "axis_3"])

    def attention(self, name, x, mask, layer):
        g, size = self.g, self.size
        joint = self.linear(f"{name}.qkv", x, size.width, 3 * size.width)
        parts = g.split(f"{name}.parts", [joint], 3, axis=2)
        names = [f"{name}.{part}" for part in ("query", "key", "value")]
        query, key, value = [self.heads(*pair) for pair in zip(names, parts)]
        key = g.node("Concat", f"present.{layer}.key", [f"past.{layer}.key", key], axis=2)
        value = g.node("Concat", f"present.{layer}.value", [f"past.{layer}.value", value], axis=2)
        turned = g.node("Transpose", f"{name}.turned", [key], perm=[0, 1, 3, 2])
        product = g.node("MatMul", f"{name}.product", [query, turned])
        scores = g.node("Div", f"{name}.scores", [product, "root_of_head"])
        masked = g.node("Where", f"{name}.masked", [mask, scores, "lowest"])
        weights = g.node("Softmax", f"{name}.softmax", [masked], axis=-1)
        mixed = g.node("MatMul", f"{name}.mixed", [weights, value])
        back = g.node("Transpose", f"{name}.back", [mixed], perm=[0, 2, 1, 3])
        merged = g.node("Reshape", f"{name}.merged", [back, f"batch_of.{size.width}"])
        return self.linear(f"{name}.out", merged, size.width, size.width, self.residual_deviation)

    @property
    def residual_deviation(self):
        return DEVIATION / np.sqrt(2 * self.size.layers)

    def block(self, layer, x, mask):
        g, size, name = self.g, self.size, f"layer{layer}"
        attended = self.attention(f"{name}.attention", self.norm(f"{name}.norm1", x), mask, layer)
        x = g.node("Add", f"{name}.sum1", [x, attended])
        wide = self.linear(f"{name}.up", self.norm(f"{name}.norm2", x), size.width, 4 * size.width)
        bent = self.gelu(f"{name}.gelu", wide)
        down = self.linear(f"{name}.down", bent, 4 * size.width, size.width, self.residual_deviation)
        return g.node("Add", f"{name}.sum2", [x, down])

    def constants(self):
        size = self.size
        for inner in (size.width, 4 * size.width):
            self.ints(f"rows_of.{inner}", -1, inner)
        for outer in (size.width, 3 * size.width, 4 * size.width):
            self.ints(f"batch_of.{outer}", 1, size.tokens, outer)
        self.ints("heads_of", 1, size.tokens, size.heads, size.head)
        for name, value in (("index_0", 0), ("index_1", 1), ("index_2", 2), ("axis_2", 2), ("axis_3", 3)):
            self.ints(name, value)
        values = {"three": 3, "half": 0.5, "one": 1, "gelu.cubic": 0.044715, "gelu.scale": np.sqrt(2 / np.pi)}
        values |= {"root_of_head": np.sqrt(size.head), "lowest": np.finfo(np.float32).min}
        for name, value in values.items():
            self.floats(name, value)

    def embed(self):
        g, size = self.g, self.size
        table = self.draw("wte", size.vocabulary, size.width)
        places = self.draw("wpe", size.context, size.width, deviation=DEVIATION / 2)
        numbers = self.ints("positions", *range(size.past, size.past + size.tokens))
        words = g.node("Gather", "words", [table, "input_ids"])
        return g.node("Add", "embedded", [words, g.node("Gather", "places", [places, numbers])])

    def model(self):
        g, size = self.g, self.size
        self.constants()
        x = self.embed() if size.vocabulary else "hidden_states"
        mask = self.mask()
        for layer in range(size.layers):
            x = self.block(layer, x, mask)
        x = self.norm("final_norm", x)
        first = {x: (1, size.tokens, size.width)}
        if size.vocabulary:
            turned = g.node("Transpose", "head", ["wte"], perm=[1, 0])
            first = {g.node("MatMul", "logits", [x, turned]): (1, size.tokens, size.vocabulary)}
        presents = {f"present.{i}.{part}": size.present for i in range(size.layers) for part in ("key", "value")}
        return g.model({**first, **presents})


def make(size=Size(), seed=0):
    """The model, of a size above or of another."""
    return GPT2(size, seed).model()


if __name__ == "__main__":
    command_line(__doc__, lambda seed, **size: make(Size(**size), seed), "gpt2.onnx", **vars(Size()))
