#!/usr/bin/env python3
"""Writes a language model of LSTM layers with seeded weights: make_lstm_lm.py [lstm_lm.onnx] [--layers=2] ...

The architecture is the medium word-level model of "Recurrent Neural Network Regularization" (Zaremba et al., 2014):
an embedding, two LSTM layers as wide as it, logits over 10,000 words. The states of all layers are inputs and outputs,
so that a text runs in chunks. Weights are wider than those that training starts from, so that gates, states and logits
are of the size that trained models have. With --tied=1 the logits use the table of the embedding (Press and Wolf, 2017).
"""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from graph import Graph, command_line

BOUND, TABLE_DEVIATION = 0.1, 0.5


@dataclass(frozen=True)
class Size:
    """The medium model with a chunk of the length it was trained on."""

    layers: int = 2
    width: int = 650
    vocabulary: int = 10000
    tokens: int = 35
    batch: int = 1
    tied: int = 0

    @property
    def state(self):
        return (self.layers, self.batch, self.width)


TIED_CHUNK = Size(tied=1, tokens=8, vocabulary=2000)


class LanguageModel:
    def __init__(self, size, seed):
        self.size = size
        self.random = np.random.default_rng(seed)
        words = ((size.tokens, size.batch), TensorProto.INT64)
        self.g = Graph("lstm_lm", {"words": words, "hidden": size.state, "cell": size.state})

    def draw(self, name, *shape):
        return self.g.weight(name, self.random.uniform(-BOUND, BOUND, shape).astype(np.float32))

    def draw_table(self, name):
        table = self.random.normal(0, TABLE_DEVIATION, (self.size.vocabulary, self.size.width))
        return self.g.weight(name, table.astype(np.float32))

    def layer(self, number, x, hidden, cell):
        """The outputs of all steps, and the states behind the last."""
        g, width, name = self.g, self.size.width, f"layer{number}"
        weights = [self.draw(f"{name}.{part}", 1, 4 * width, width) for part in ("weight_ih", "weight_hh")]
        operands = [x, *weights, self.draw(f"{name}.bias", 1, 8 * width), "", hidden, cell]
        outputs = [f"{name}.all", f"{name}.hidden", f"{name}.cell"]
        g.several("LSTM", name, operands, outputs, hidden_size=width)
        return g.node("Squeeze", f"{name}.out", [outputs[0], "direction"]), *outputs[1:]

    def logits(self, x):
        g, size = self.g, self.size
        table = "table" if size.tied else self.draw_table("head.weight")
        turned = g.node("Transpose", "head.turned", [table], perm=[1, 0])
        product = g.node("MatMul", "head.product", [x, turned])
        return g.node("Add", "logits", [product, self.draw("head.bias", size.vocabulary)])

    def model(self):
        g, size = self.g, self.size
        g.weight("direction", np.array([1], np.int64))
        x = g.node("Gather", "embedded", [self.draw_table("table"), "words"])
        states = [g.split(f"{name}_of", [name], size.layers, axis=0) for name in ("hidden", "cell")]
        ends = []
        for number, (hidden, cell) in enumerate(zip(*states)):
            x, *end = self.layer(number, x, hidden, cell)
            ends.append(end)
        next_states = {
            g.node("Concat", f"next_{name}", list(parts), axis=0): size.state
            for name, parts in zip(("hidden", "cell"), zip(*ends))
        }
        return g.model({self.logits(x): (size.tokens, size.batch, size.vocabulary), **next_states})


def make(size=Size(), seed=0):
    """The model, of a size above or of another."""
    return LanguageModel(size, seed).model()


if __name__ == "__main__":
    command_line(__doc__, lambda seed, **size: make(Size(**size), seed), "lstm_lm.onnx", **vars(Size()))
