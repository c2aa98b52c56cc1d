#!/usr/bin/env python3
"""The executor table: host time of binaries beside the host's own peak, ONNX Runtime, or another way to run them.

executor.py [NAME...] [--json=FILE] prints a table, or writes a list of rows with name, value, bound, ratio (value over
bound), goal and unit. A row is the fastest of some runs of `step` in one process of dojo-bench-executor; what it is held
to is measured in the same process, or right after it. Time is that of the processor, so that what else the host does
does not count, but for the row of two threads.
"""

import functools
import json
import os
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import onnx
from onnx import helper, numpy_helper

import dojo
import table
from rows import MODELS

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCH = pathlib.Path(os.environ.get("DOJO_BUILD", ROOT / "build"), "bin", "dojo-bench-executor")
FOLDER = tempfile.TemporaryDirectory(prefix="dojo-bench-")
GEMM = (256, 512, 256)
RUNS = 5


def run(binary, *options):
    """What dojo-bench-executor says of a binary, or without one of its scalar loop."""
    command = [BENCH, *([binary] if binary else []), f"--runs={RUNS}", *options]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


@functools.cache
def gemm():
    """A binary that is one BF16 product on one node, by weights that the node keeps."""

    def value(name, *shape):
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    rows, depth, columns = GEMM
    nodes = [helper.make_node("MatMul", ["a", "b"], ["out"], name="gemm")]
    weights = np.random.default_rng(0).standard_normal((depth, columns)).astype(np.float32)
    graph = helper.make_graph(nodes, "gemm", [value("a", rows, depth)], [value("out", rows, columns)],
                              [numpy_helper.from_array(weights, "b")])  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return saved(dojo.compile(model, "d1-node", "bf16"), "gemm")


def saved(program, name):
    path = pathlib.Path(FOLDER.name, f"{name}.d1")
    program.save(path)
    return path


@functools.cache
def resnet50_model():
    return str(MODELS["resnet50"].make(FOLDER.name))


@functools.cache
def resnet50():
    return saved(dojo.compile(resnet50_model(), "d1-die", "bf16"), "resnet50")


@functools.cache
def onnxruntime_seconds():
    """The fastest run of ResNet-50 on one thread of ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(resnet50_model(), options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    inputs = {given.name: np.random.default_rng(0).standard_normal((1, 3, 224, 224)).astype(np.float32)}
    seconds = []
    for _ in range(4 * RUNS):
        start = time.process_time()
        session.run(None, inputs)
        seconds.append(time.process_time() - start)
    return min(seconds)


def figure(value, bound, goal, unit):
    return {"value": value, "bound": bound, "ratio": value / bound, "goal": goal, "unit": unit}


def of_peak(goal, *options):
    """Multiply-accumulates a second, beside the host's fused multiply-adds."""
    done = run(gemm(), *options)
    return figure(done["macs"] / done["processor_seconds"] / 1e9, done["peak_fma_per_second"] / 1e9, goal, "10^9 MAC/s")


def scalar_loop():
    done = run(None)
    return figure(done["instructions"] / done["processor_seconds"] / 1e6, 1000, 1, "10^6 instructions/s")


def seconds_of(binary, *options):
    return run(binary, *options)["processor_seconds"]


def speed_of(binary, threads):
    return 1 / run(binary, f"--threads={threads}")["seconds"]


# Below the goal is good where the unit is seconds, above it elsewhere.
TABLE = {
    "executor-gemm": lambda: of_peak(0.8),
    "executor-gemm-interpreted": lambda: of_peak(0.35, "--interpret"),
    "executor-scalar-loop": scalar_loop,
    "executor-resnet50": lambda: figure(seconds_of(resnet50()), onnxruntime_seconds(), 3, "s"),
    "executor-resnet50-timed": lambda: figure(
        seconds_of(resnet50(), "--timing"), seconds_of(resnet50()), 4, "s"
    ),
    "executor-resnet50-2-threads": lambda: figure(
        speed_of(resnet50(), 2), speed_of(resnet50(), 1), 1.7, "1/s"
    ),
}  # fmt: skip


def row(name):
    return {"name": name, **TABLE[name]()}


def line_of(r):
    return f"{r['name']:28} {r['value']:>10.4g} {r['bound']:>10.4g} {r['ratio']:>7.3g}  goal {r['goal']:<5} {r['unit']}"


if __name__ == "__main__":
    table.main(__doc__, TABLE, row, line_of)
