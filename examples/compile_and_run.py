#!/usr/bin/env python3
"""Compiles any ONNX model, keeps its binary, and runs the binary on random inputs.

    compile_and_run.py MODEL.onnx OUT.d1 [TARGET]

Needs neither onnx nor onnxruntime.
"""

import sys

import dojo
import numpy as np


def random_array(tensor, random):
    if tensor.dtype.kind == "f":
        return random.standard_normal(tensor.shape).astype(tensor.dtype)
    return random.integers(0, 2, tensor.shape).astype(tensor.dtype)


def main(model, binary, target="d1-die"):
    compiled = dojo.compile(model, target=target)
    compiled.save(binary)
    print(f"{compiled.report['nodes_used']} nodes, {compiled.report['code_bytes']} bytes of code")

    program = dojo.Program.load(binary)
    random = np.random.default_rng(0)
    outputs = program.run({t.name: random_array(t, random) for t in program.inputs})
    for name, array in outputs.items():
        print(f"{name}: {array.dtype} {array.shape}, from {array.min()} to {array.max()}")
    print(f"{program.run_report['instructions_executed']} instructions")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
