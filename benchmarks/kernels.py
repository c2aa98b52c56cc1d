#!/usr/bin/env python3
"""The kernel table: one operator on one node, modelled cycles beside the bound that each row names.

kernels.py [NAME...] [--json=FILE] prints a table, or writes a list of rows with name, value, bound,
ratio (bound over value), goal and unit. Models are made here with seeded weights. A transposition has
no row: it is no kernel but part of the moves around it.
"""

import argparse
import json
import sys
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import helper, numpy_helper

import dojo

LANES, MACS = 16, 8 * 8 * 4
ROWS, COLUMNS = 128, 256
VECTORS = ROWS * COLUMNS // LANES


@dataclass(frozen=True)
class Kernel:
    """An operator; `bound` is in cycles, None for the fullest unit or port of what is executed.

    Measured is the dearest kernel of the program, or with `whole` all of them.
    """

    op: str
    inputs: dict
    output: tuple
    precision: str = "fp32"
    weights: dict = field(default_factory=dict)
    attributes: dict = field(default_factory=dict)
    bound: float | None = None
    goal: float = 0.8
    whole: bool = False


MATRIX = {"a": (ROWS, COLUMNS)}
IMAGE = (1, 64, 28, 28)
KERNELS = {
    "gemm-bf16-128x128x512": Kernel(
        "MatMul", {"a": (128, 512), "b": (512, 128)}, (128, 128), "bf16", bound=128 * 128 * 512 / MACS, goal=0.9
    ),
    "gemm-fp32-128x128x512": Kernel(
        "MatMul", {"a": (128, 512), "b": (512, 128)}, (128, 128), bound=128 * 128 * 512 / LANES, goal=0.9
    ),
    "conv3x3-bf16-64x64-28x28": Kernel(
        "Conv", {"x": IMAGE}, IMAGE, "bf16", {"w": (64, 64, 3, 3)}, {"pads": [1, 1, 1, 1]},
        bound=28 * 28 * 64 * 64 * 9 / MACS, goal=0.85,
    ),
    "depthwise3x3-fp32-64-28x28": Kernel(
        "Conv", {"x": IMAGE}, IMAGE, weights={"w": (64, 1, 3, 3)}, attributes={"pads": [1, 1, 1, 1], "group": 64},
        bound=28 * 28 * 64 * 9 / LANES,
    ),
    # Two loads and a store a vector, of which a cycle issues two.
    "add-128x256": Kernel("Add", {**MATRIX, "b": (ROWS, COLUMNS)}, (ROWS, COLUMNS), bound=VECTORS * 3 / 2),
    "rowsum-128x256": Kernel("ReduceSum", MATRIX, (ROWS,), attributes={"keepdims": 0}, bound=VECTORS),
    "softmax-128x256": Kernel("Softmax", MATRIX, (ROWS, COLUMNS), whole=True),
    "layernorm-128x256": Kernel(
        "LayerNormalization", MATRIX, (ROWS, COLUMNS), weights={"s": (COLUMNS,), "t": (COLUMNS,)}, whole=True
    ),
    "gelu-128x256": Kernel("Gelu", MATRIX, (ROWS, COLUMNS), whole=True),
}  # fmt: skip


def model(kernel, random):
    def value(name, shape):
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    weights = {name: random.standard_normal(shape).astype(np.float32) for name, shape in kernel.weights.items()}
    if kernel.op == "ReduceSum":
        weights["axes"] = np.array([1])
    names = [*kernel.inputs, *weights]
    nodes = [helper.make_node(kernel.op, names, ["out"], name="kernel", **kernel.attributes)]
    graph = helper.make_graph(
        nodes, "kernel", [value(*item) for item in kernel.inputs.items()], [value("out", kernel.output)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def measured(kernel, routines):
    """(cycles, cycles of the fullest unit or port) of what the row measures."""
    kernels = [r for r in routines if not r["name"].startswith("move_") and r["name"] not in ("init", "step")]
    if not kernel.whole:
        kernels = [max(kernels, key=lambda r: r["cycles"])]
    return sum(r["cycles"] for r in kernels), sum(r["bound"] for r in kernels)


def row(name):
    """The row of one kernel, from a run of it."""
    kernel, random = KERNELS[name], np.random.default_rng(0)
    program = dojo.compile(model(kernel, random), "d1-node", kernel.precision)
    arrays = {n: random.standard_normal(shape).astype(np.float32) for n, shape in kernel.inputs.items()}
    program.run(arrays, timing=True)
    cycles, executed = measured(kernel, program.run_report["modelled"]["step"]["by_routine"])
    bound = executed if kernel.bound is None else kernel.bound
    return {"name": name, "value": cycles, "bound": bound, "ratio": bound / cycles, "goal": kernel.goal,
            "unit": "modelled cycles"}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(KERNELS))
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    if unknown := set(options.names) - KERNELS.keys():
        parser.error(f"no kernel is named {min(unknown)}")
    rows = [row(name) for name in options.names or KERNELS]
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=2)
        return
    for r in rows:
        print(f"{r['name']:28} {r['value']:>10,} {r['bound']:>10,.0f} {r['ratio']:>7.1%}  goal {r['goal']:.0%}")


if __name__ == "__main__":
    sys.exit(main())
