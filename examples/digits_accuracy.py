#!/usr/bin/env python3
"""Compares D1's classes with ONNX Runtime's over the 360 test images of the digits.

    digits_accuracy.py MODEL.onnx [--target=d1-mini] [--precision=fp32] [--seed=0]

MODEL.onnx is one of those made by make_digits.py with the same seed. Prints both accuracies and
the number of images on which the classes differ; exit status 0 only if none does.
"""

import argparse
import sys

import dojo
import numpy as np
import onnxruntime

from make_digits import split


def logits_in_batches(run, images, batch):
    if len(images) % batch:
        raise ValueError(f"{len(images)} test images are no whole number of batches of {batch}")
    return np.concatenate([run(images[i : i + batch]) for i in range(0, len(images), batch)])


def d1_logits(program, images):
    (source,), (result,) = program.inputs, program.outputs
    return logits_in_batches(lambda x: program.run({source.name: x})[result.name], images, source.shape[0])


def reference_logits(model, images):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0]
    return logits_in_batches(lambda x: session.run(None, {source.name: x})[0], images, source.shape[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--target", default="d1-mini")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    _, (images, labels) = split(arguments.seed)
    program = dojo.compile(arguments.model, arguments.target, arguments.precision)
    classes = d1_logits(program, images).argmax(axis=1)
    expected = reference_logits(arguments.model, images).argmax(axis=1)
    different = int(np.sum(classes != expected))
    print(f"accuracy on D1            {np.mean(classes == labels):.4f}")
    print(f"accuracy on ONNX Runtime  {np.mean(expected == labels):.4f}")
    print(f"images classed otherwise  {different} of {len(labels)}")
    return 0 if different == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
