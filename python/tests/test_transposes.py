"""Transpositions against numpy, to the bit: kernels on a node, moves between nodes, and where they are cut ragged."""

import itertools

import numpy as np
import pytest
from graph import Graph
from onnx import TensorProto

import dojo

TYPES = {
    "float32": TensorProto.FLOAT,
    "int32": TensorProto.INT32,
    "int16": TensorProto.INT16,
    "uint8": TensorProto.UINT8,
    "bool": TensorProto.BOOL,
}
ATTENTION = (0, 2, 1, 3)
SHAPES = [
    *(((2, 3, 20, 24), permutation) for permutation in itertools.permutations(range(4)) if permutation != (0, 1, 2, 3)),
    ((128, 64), (1, 0)),
    ((37, 59), (1, 0)),
    ((4, 8), (1, 0)),
    ((3, 50), (1, 0)),
    ((50, 2), (1, 0)),
    ((1, 3, 32, 32), (0, 2, 3, 1)),
    ((1, 32, 32, 3), (0, 3, 1, 2)),
    ((1, 12, 16, 8), ATTENTION),
    ((17, 1, 33), (2, 1, 0)),
]


def drawn(shape, element):
    random = np.random.default_rng(len(shape))
    if element == "float32":
        values = random.standard_normal(shape).astype(np.float32)
        values.flat[:2] = np.float32([-0.0, np.inf])
        return values
    return random.integers(0, 2 if element == "bool" else 120, shape).astype(element)


def compiled(cases, element, target, precision="fp32"):
    """One program that transposes every case, and its inputs."""
    inputs = {f"in{i}": (shape, TYPES[element]) for i, (shape, _) in enumerate(cases)}
    graph = Graph("transposes", inputs)
    for i, (_, permutation) in enumerate(cases):
        graph.node("Transpose", f"out{i}", [f"in{i}"], perm=permutation)
    model = graph.model({f"out{i}": [shape[d] for d in permutation] for i, (shape, permutation) in enumerate(cases)})
    for output in model.graph.output:
        output.type.tensor_type.elem_type = TYPES[element]
    arrays = {f"in{i}": drawn(shape, element) for i, (shape, _) in enumerate(cases)}
    return dojo.compile(model, target, precision), arrays


@pytest.mark.parametrize("element", TYPES)
def test_one_node_transposes_in_kernels(element):
    program, arrays = compiled(SHAPES, element, "d1-node")
    outputs = program.run(arrays, strict="memory")
    for i, (_, permutation) in enumerate(SHAPES):
        np.testing.assert_array_equal(outputs[f"out{i}"], arrays[f"in{i}"].transpose(permutation))
    assert any(routine["name"].startswith("generic_") for routine in program.report["routines"])


@pytest.mark.parametrize("element", ["float32", "uint8"])
def test_the_mesh_transposes(element):
    program, arrays = compiled(SHAPES, element, "d1-mini")
    outputs = program.run(arrays, strict="race")
    for i, (_, permutation) in enumerate(SHAPES):
        np.testing.assert_array_equal(outputs[f"out{i}"], arrays[f"in{i}"].transpose(permutation))


def test_bf16_operands_are_transposed_on_a_node():
    """a b^T, whose second operand the matrix unit reads by columns."""
    random = np.random.default_rng(0)
    graph = Graph("products", {"a": (32, 40), "b": (48, 40)})
    graph.node("Transpose", "t", ["b"], perm=(1, 0))
    graph.node("MatMul", "out", ["a", "t"])
    program = dojo.compile(graph.model({"out": (32, 48)}), "d1-node", "bf16")
    a, b = (random.integers(-8, 8, shape).astype(np.float32) for shape in ((32, 40), (48, 40)))
    np.testing.assert_array_equal(program.run({"a": a, "b": b}, strict="memory")["out"], a @ b.T)
