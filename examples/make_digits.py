#!/usr/bin/env python3
"""Trains two classifiers of scikit-learn's digits and writes digits_mlp.onnx and digits_cnn.onnx.

    make_digits.py [FOLDER] [--seed=0] [--batch=20]

The first 1,437 images of a seeded shuffle are for training, the other 360 for testing, in whole
batches. The MLP is scikit-learn's own; the CNN is trained below with Adam. Prints both
test accuracies; takes a few seconds.
"""

import argparse
import pathlib
import warnings

import numpy as np
import onnx
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from graph import Graph

TEST_IMAGES = 360
CLASSES = 10


def split(seed=0):
    """Images in [0, 1] as (n, 1, 8, 8) float32 and labels: training, then test."""
    data = load_digits()
    order = np.random.default_rng(seed).permutation(len(data.target))
    images = (data.images[order] / 16).astype(np.float32)[:, None]
    labels = data.target[order]
    return (images[:-TEST_IMAGES], labels[:-TEST_IMAGES]), (images[-TEST_IMAGES:], labels[-TEST_IMAGES:])


def accuracy(logits, labels):
    return float(np.mean(np.argmax(logits, axis=1) == labels))


def patches(x):
    """(n, c, h, w) -> (n, h, w, c * 9): the 3x3 neighbourhood of every pixel, zeros outside."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(x.shape[0], x.shape[2], x.shape[3], -1)


def patches_gradient(g, channels):
    """The adjoint of patches."""
    n, h, w, _ = g.shape
    g = g.reshape(n, h, w, channels, 3, 3)
    padded = np.zeros((n, channels, h + 2, w + 2), g.dtype)
    for i in range(3):
        for j in range(3):
            padded[:, :, i : i + h, j : j + w] += g[..., i, j].transpose(0, 3, 1, 2)
    return padded[:, :, 1:-1, 1:-1]


class Cnn:
    """Conv 3x3, Relu, MaxPool 2x2, Conv 3x3, Relu, Gemm; weights as matrices (patch, channel)."""

    def __init__(self, random, channels=(16, 32)):
        first, second = channels
        sizes = [(9, first), (first * 9, second), (second * 16, CLASSES)]
        self.weights = [(np.sqrt(2 / i) * random.standard_normal((i, o))).astype(np.float32) for i, o in sizes]
        self.biases = [np.zeros(o, np.float32) for _, o in sizes]

    def parameters(self):
        return self.weights + self.biases

    def forward(self, x):
        """The logits, and what backward needs."""
        p1 = patches(x)
        a1 = np.maximum(p1 @ self.weights[0] + self.biases[0], 0)
        blocks = a1.reshape(len(x), 4, 2, 4, 2, -1)
        pooled = blocks.max(axis=(2, 4), keepdims=True)
        p2 = patches(pooled[:, :, 0, :, 0].transpose(0, 3, 1, 2))
        a2 = np.maximum(p2 @ self.weights[1] + self.biases[1], 0)
        flat = a2.transpose(0, 3, 1, 2).reshape(len(x), -1)
        return flat @ self.weights[2] + self.biases[2], (p1, a1, blocks, pooled, p2, a2, flat)

    def backward(self, g, kept):
        """Gradients in the order of parameters(), for the gradient g of the logits."""
        p1, a1, blocks, pooled, p2, a2, flat = kept
        weights, biases = [None] * 3, [None] * 3
        weights[2], biases[2] = flat.T @ g, g.sum(axis=0)
        channels = a2.shape[-1]
        g = (g @ self.weights[2].T).reshape(len(g), channels, 4, 4).transpose(0, 2, 3, 1) * (a2 > 0)
        weights[1] = np.tensordot(p2, g, ((0, 1, 2), (0, 1, 2)))
        biases[1] = g.sum(axis=(0, 1, 2))
        g = patches_gradient(g @ self.weights[1].T, a1.shape[-1]).transpose(0, 2, 3, 1)
        largest = blocks == pooled
        g = largest / largest.sum(axis=(2, 4), keepdims=True) * g[:, :, None, :, None]
        g = g.reshape(a1.shape) * (a1 > 0)
        weights[0] = np.tensordot(p1, g, ((0, 1, 2), (0, 1, 2)))
        biases[0] = g.sum(axis=(0, 1, 2))
        return weights + biases

    def step_gradients(self, x, labels):
        """Gradients of the mean cross-entropy."""
        logits, kept = self.forward(x)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        g = odds / odds.sum(axis=1, keepdims=True)
        g[np.arange(len(x)), labels] -= 1
        return self.backward((g / len(x)).astype(np.float32), kept)


def train_cnn(images, labels, seed, epochs=12, batch=32, rate=2e-3):
    random = np.random.default_rng(seed)
    cnn = Cnn(random)
    means = [np.zeros_like(p) for p in cnn.parameters()]
    squares = [np.zeros_like(p) for p in cnn.parameters()]
    t = 0
    for _ in range(epochs):
        order = random.permutation(len(images))
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            t += 1
            gradients = cnn.step_gradients(images[chosen], labels[chosen])
            for p, g, m, s in zip(cnn.parameters(), gradients, means, squares):
                m += 0.1 * (g - m)
                s += 0.001 * (g * g - s)
                p -= rate * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return cnn


def cnn_model(cnn, batch):
    graph = Graph("digits_cnn", {"image": [batch, 1, 8, 8]})
    filters = [w.T.reshape(w.shape[1], -1, 3, 3).copy() for w in cnn.weights[:2]]
    for i, f in enumerate(filters, 1):
        graph.weight(f"conv{i}.weight", f)
        graph.weight(f"conv{i}.bias", cnn.biases[i - 1])
    graph.weight("fc.weight", cnn.weights[2])
    graph.weight("fc.bias", cnn.biases[2])
    same = {"kernel_shape": [3, 3], "pads": [1] * 4}
    x = graph.node("Conv", "conv1", ["image", "conv1.weight", "conv1.bias"], **same)
    x = graph.node("Relu", "relu1", [x])
    x = graph.node("MaxPool", "pool1", [x], kernel_shape=[2, 2], strides=[2, 2])
    x = graph.node("Conv", "conv2", [x, "conv2.weight", "conv2.bias"], **same)
    x = graph.node("Relu", "relu2", [x])
    x = graph.node("Flatten", "flatten", [x], axis=1)
    graph.node("Gemm", "logits", [x, "fc.weight", "fc.bias"])
    return graph.model({"logits": [batch, CLASSES]})


def train_mlp(images, labels, seed):
    mlp = MLPClassifier((64, 32), max_iter=60, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp.fit(images.reshape(len(images), -1), labels)
    return mlp


def mlp_model(mlp, batch):
    graph = Graph("digits_mlp", {"image": [batch, 1, 8, 8]})
    x = graph.node("Flatten", "flatten", ["image"], axis=1)
    last = len(mlp.coefs_) - 1
    for i, (w, b) in enumerate(zip(mlp.coefs_, mlp.intercepts_)):
        names = [graph.weight(f"fc{i}.weight", w.astype(np.float32)), graph.weight(f"fc{i}.bias", b.astype(np.float32))]
        x = graph.node("Gemm", "logits" if i == last else f"fc{i}", [x, *names])
        if i != last:
            x = graph.node("Relu", f"relu{i}", [x])
    return graph.model({x: [batch, CLASSES]})


def make(seed=0, batch=20):
    """name -> (model, accuracy on the test images as trained)."""
    (images, labels), (test_images, test_labels) = split(seed)
    mlp = train_mlp(images, labels, seed)
    cnn = train_cnn(images, labels, seed)
    mlp_logits = mlp.predict_proba(test_images.reshape(len(test_images), -1))
    return {
        "digits_mlp": (mlp_model(mlp, batch), accuracy(mlp_logits, test_labels)),
        "digits_cnn": (cnn_model(cnn, batch), accuracy(cnn.forward(test_images)[0], test_labels)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=".", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=20)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, (model, reached) in make(arguments.seed, arguments.batch).items():
        onnx.save(model, arguments.folder / f"{name}.onnx")
        print(f"{arguments.folder / name}.onnx: test accuracy {reached:.4f}")


if __name__ == "__main__":
    main()
