#!/usr/bin/env python3
"""Writes BERT with seeded random weights: make_bert.py [bert.onnx] [--batch=1] [--tokens=128] [--layers=12] ...

The architecture is that of BERT-base (post-norm blocks, GELU by erf, a pooler over the first token), as
exporters write it: the attention mask is cast, turned round and added to the scores.
"""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from encoder import Encoder
from graph import command_line


@dataclass(frozen=True)
class Size:
    """What BERT-base is, on one sequence of 128 tokens."""

    batch: int = 1
    tokens: int = 128
    layers: int = 12
    width: int = 768
    heads: int = 12
    vocabulary: int = 30522
    context: int = 512


class Bert(Encoder):
    def __init__(self, size, seed):
        numbers = ((size.batch, size.tokens), TensorProto.INT64)
        super().__init__("bert", dict.fromkeys(("input_ids", "attention_mask", "token_type_ids"), numbers), size, seed, 1e-12)

    def embed(self):
        g, size = self.g, self.size
        words = g.node("Gather", "words", [self.draw("word_embeddings", size.vocabulary, size.width), "input_ids"])
        types = g.node("Gather", "types", [self.draw("type_embeddings", 2, size.width), "token_type_ids"])
        positions = self.g.weight("positions", np.arange(size.tokens).reshape(1, -1))
        places = g.node("Gather", "places", [self.draw("position_embeddings", size.context, size.width), positions])
        return self.norm("embedded", self.add("words_at", self.add("words_of", words, types), places))

    def mask(self):
        g = self.g
        wide = g.node("Unsqueeze", "mask.wide", ["attention_mask", self.ints("mask.axes", 1, 2)])
        hidden = g.node("Sub", "mask.hidden", ["one", g.node("Cast", "mask.float", [wide], to=TensorProto.FLOAT)])
        return g.node("Mul", "mask", [hidden, g.weight("lowest", np.array(-10000, np.float32))])

    def layer(self, name, x, mask):
        attended = self.add(f"{name}.sum1", self.attention(f"{name}.attention", x, mask), x)
        x = self.norm(f"{name}.norm1", attended)
        return self.norm(f"{name}.norm2", self.add(f"{name}.sum2", self.feed_forward(name, x), x))

    def model(self):
        g, size = self.g, self.size
        x, mask = self.embed(), self.mask()
        for layer in range(size.layers):
            x = self.layer(f"layer{layer}", x, mask)
        first = g.node("Gather", "first_token", [x, g.weight("index_0", np.array(0))], axis=1)
        pooled = g.node("Tanh", "pooler_output", [self.linear("pooler", first, size.width, size.width)])
        return g.model({x: (size.batch, size.tokens, size.width), pooled: (size.batch, size.width)})


def make(size=Size(), seed=0):
    """The model, of the size above or of another."""
    return Bert(size, seed).model()


if __name__ == "__main__":
    command_line(__doc__, lambda seed, **size: make(Size(**size), seed), "bert.onnx", **vars(Size()))
