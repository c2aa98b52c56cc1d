#!/usr/bin/env python3
"""The kernel tables: modelled cycles beside the bound that each row names.

kernels.py [NAME...] [--json=FILE] prints a table, or writes a list of rows with name, value, bound,
ratio (bound over value), goal and unit. A row is one operator on one node, or what a network of
examples/ spends in the kernels of its contractions. Models are made with seeded weights.
"""

import functools
import importlib
import json
import tempfile
from dataclasses import dataclass, field, replace

import numpy as np
import onnx
from onnx import helper, numpy_helper

import dojo
import rows  # noqa: F401, for the path of examples/
import table

LANES, MACS = 16, 8 * 8 * 4
ROWS, COLUMNS = 128, 256
VECTORS = ROWS * COLUMNS // LANES


@dataclass(frozen=True)
class Kernel:
    """An operator; `bound` is in cycles, None for the fullest unit or port of what is executed.

    Measured is the dearest kernel of the program; with `whole` all of them.
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
    # A vector leaves through the one write port each cycle.
    "transpose-128x256": Kernel("Transpose", MATRIX, (COLUMNS, ROWS), bound=VECTORS),
}  # fmt: skip
DEEPER = 2 * 512


@dataclass(frozen=True)
class Network:
    """What examples/SCRIPT.py makes, the ends of the ranges of inputs that are whole numbers, and keys in which
    the machine differs from d1-die.
    """

    script: str
    make: callable
    limits: dict = field(default_factory=dict)
    machine: dict = field(default_factory=dict)


NETWORKS = {
    "kernels-of-resnet50-64x3x224x224": Network(
        "make_resnet50", lambda module: module.make(batch=64), machine={"code_budget_percent": 30}
    ),
    "kernels-of-bert-base-8x128": Network(
        "make_bert",
        lambda module: module.make(module.Size(batch=8)),
        {"input_ids": 30522, "attention_mask": 2, "token_type_ids": 2},
    ),
}


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
    kernels = [r for r in routines if r["name"] not in ("init", "step") and not r["name"].startswith("move_")]
    if not kernel.whole:
        kernels = [max(kernels, key=lambda r: r["cycles"])]
    return sum(r["cycles"] for r in kernels), sum(r["bound"] for r in kernels)


def figure(value, bound, goal):
    return {"value": value, "bound": bound, "ratio": bound / value, "goal": goal, "unit": "modelled cycles"}


def timed(program, arrays):
    """The routines of a timed step."""
    program.run(arrays, timing=True)
    return program.run_report["modelled"]["step"]["by_routine"]


def of_kernel(kernel):
    """One operator on one node."""
    random = np.random.default_rng(0)
    program = dojo.compile(model(kernel, random), "d1-node", kernel.precision)
    arrays = {n: random.standard_normal(shape).astype(np.float32) for n, shape in kernel.inputs.items()}
    cycles, executed = measured(kernel, timed(program, arrays))
    return figure(cycles, executed if kernel.bound is None else kernel.bound, kernel.goal)


def steady_state():
    """What further steps of k cost: starts and ends of blocks cancel."""
    short = KERNELS["gemm-bf16-128x128x512"]
    deep = replace(short, inputs={"a": (128, DEEPER), "b": (DEEPER, 128)}, bound=128 * 128 * DEEPER / MACS)
    few, many = of_kernel(short), of_kernel(deep)
    return figure(many["value"] - few["value"], many["bound"] - few["bound"], 0.95)


def of_network(network):
    """Useful multiply-accumulates at the matrix units' rate, over the cycles of all nodes in kernels that have any."""
    made = network.make(importlib.import_module(network.script))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"base": "d1-die", "name": "d1-die", **network.machine}, file)
        file.flush()
        program = dojo.compile(made, file.name, "bf16")
    random, arrays = np.random.default_rng(0), {}
    for value in made.graph.input:
        shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
        limit = network.limits.get(value.name)
        arrays[value.name] = random.integers(0, limit, shape) if limit else random.standard_normal(shape, np.float32)
    cycles = sum(r["cycles"] for r in timed(program, arrays) if r["matrix_instructions"])
    useful = sum(op["macs"] for op in program.report["ops"] if op["entry"] == "step")
    return figure(cycles, useful / MACS, 0.8)


TABLE = {
    **{name: functools.partial(of_kernel, kernel) for name, kernel in KERNELS.items()},
    "gemm-bf16-128x128-steady": steady_state,
    **{name: functools.partial(of_network, network) for name, network in NETWORKS.items()},
}


def row(name):
    return {"name": name, **TABLE[name]()}


def line_of(r):
    return f"{r['name']:33} {r['value']:>12,} {r['bound']:>12,.0f} {r['ratio']:>7.1%}  goal {r['goal']:.0%}"


if __name__ == "__main__":
    table.main(__doc__, TABLE, row, line_of)
