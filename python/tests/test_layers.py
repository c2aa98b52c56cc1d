"""Layers of transformers under mappings written by hand, strict about memory, against ONNX Runtime."""

from dataclasses import dataclass

import numpy as np
import onnx
import pytest
from onnx import TensorProto

import dojo
from dojo.verify import Reference, check
from graph import Graph

INT64 = TensorProto.INT64


@dataclass
class Layer:
    """A graph with an output "out", its inputs, and the shape of the output."""

    graph: Graph
    inputs: dict
    shape: tuple


def normal(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def run(layer, folder, run_tool, mapping="", target="d1-mini", precision="fp32"):
    """Compiles with the lines of `mapping`, sees them in what is exported, runs and compares."""
    model, binary, given, used = (folder / name for name in ("m.onnx", "m.d1", "given.map", "used.map"))
    onnx.save(layer.graph.model({"out": layer.shape}), model)
    given.write_text(mapping)
    options = [f"--target={target}", f"--precision={precision}", f"--mapping={given}", f"--export-mapping={used}"]
    compiled = run_tool("dojo-compile", str(model), "-o", str(binary), *options)
    assert compiled.returncode == 0, compiled.stderr
    assert set(mapping.splitlines()) <= set(used.read_text().splitlines())
    result = check(dojo.Program.load(binary), Reference(str(model)), layer.inputs, precision, strict="race")
    assert result.passed, "\n".join(c.line() for c in result.comparisons)
    return result


def lines(**mappings):
    """Lines of a mapping file; two underscores in a name stand for the number of an op of its node."""
    text = ""
    for name, mapping in mappings.items():
        node, _, number = name.partition("__")
        text += f'step "{node}"{number and f"#{number}"} = #dojo.mapping<{mapping}>\n'
    return text


# ---- Lookup by run-time indices


def lookup(rows=30, width=40, indices=(3, 5), axis=0, weight=True):
    shape = (rows, width) if axis == 0 else (width, rows)
    inputs = {"ids": (indices, INT64)} if weight else {"ids": (indices, INT64), "table": shape}
    graph = Graph("lookup", inputs)
    table = normal(*shape)
    if weight:
        graph.weight("table", table)
    graph.node("Gather", "out", ["table", "ids"], axis=axis)
    ids = np.random.default_rng(1).integers(-rows, rows, indices)
    shape = (*indices, width) if axis == 0 else (width, *indices)
    return Layer(graph, {"ids": ids} if weight else {"ids": ids, "table": table}, shape)


LOOKUPS = [
    "",
    "y = [d3 : 4], x = [d2 : 4], inner = d2",
    "y = [d3 : 4], x = [d3 : 4], inner = d2, tile = [d2 : 16]",
    "y = [d0 : 3], x = [d3 : 4], inner = d2",
    "y = [d1 : 4], x = [d2 : 2, d3 : 2]",
    "y = [d3 : 4], inner = d0",
    "y = [d3 : 2], steps = [d3 : 8], inner = d2",
]


@pytest.mark.parametrize("mapping", LOOKUPS)
@pytest.mark.parametrize("weight", [True, False])
def test_rows_are_looked_up_where_they_are(mapping, weight, tmp_path, run_tool):
    run(lookup(weight=weight), tmp_path, run_tool, lines(out__1=mapping) if mapping else "")


def test_neither_work_nor_traffic_of_a_lookup_grows_with_its_table(tmp_path, run_tool):
    def of_a_step(rows):
        """Of the second run, since the first one's figures include init."""
        layer, reports = lookup(rows, 64, (32,)), []
        run(layer, tmp_path, run_tool, lines(out__1="y = [d2 : 4], x = [d1 : 4], inner = d1"))
        program = dojo.Program.load(str(tmp_path / "m.d1"))
        for _ in range(2):
            program.run(layer.inputs)
            reports.append(program.run_report)
        return [reports[1][key] - reports[0][key] for key in ("instructions_executed", "noc_bytes")]

    # Where buffers lie decides how many barriers and drains a node comes to.
    (small, small_traffic), (large, large_traffic) = of_a_step(500), of_a_step(5000)
    assert small_traffic == large_traffic and abs(large - small) <= 4 * 16


@pytest.mark.parametrize("mapping", ["", "y = [d0 : 3], x = [d2 : 4]", "y = [d2 : 4], x = [d1 : 3], inner = d0"])
def test_columns_are_looked_up_too(mapping, tmp_path, run_tool):
    run(lookup(indices=(7,), axis=1), tmp_path, run_tool, lines(out__1=mapping) if mapping else "")


def test_an_index_outside_the_table_gives_zeros():
    layer = lookup(indices=(4,))
    program = dojo.compile(layer.graph.model({"out": layer.shape}), "d1-mini", "fp32")
    (rows,) = program.run({"ids": np.array([2, 30, -31, 2**31 - 1])}).values()
    assert rows[0].any() and not rows[1:].any()


# ---- Normalisation, attention, caches


def softmax():
    graph = Graph("softmax", {"x": (3, 10, 48)})
    graph.node("Softmax", "out", ["x"], axis=-1)
    return Layer(graph, {"x": 4 * normal(3, 10, 48)}, (3, 10, 48))


def layer_norm():
    graph = Graph("norm", {"x": (1, 20, 64)})
    names = [graph.weight(name, normal(64)) for name in ("scale", "shift")]
    graph.node("LayerNormalization", "out", ["x", *names])
    return Layer(graph, {"x": 3 + normal(1, 20, 64)}, (1, 20, 64))


def attention():
    """4 heads of 16, 12 tokens after 8 others whose keys and values are inputs."""
    past, present = (1, 4, 8, 16), (1, 4, 20, 16)
    graph = Graph("attention", {"x": (1, 12, 192), "past.key": past, "past.value": past})
    graph.weight("heads", np.array([1, 12, 4, 16]))
    graph.weight("merged", np.array([1, 12, 64]))
    parts = []
    for name, part in zip("qkv", graph.split("parts", ["x"], 3, axis=2)):
        split = graph.node("Reshape", f"{name}.split", [part, "heads"])
        parts.append(graph.node("Transpose", name, [split], perm=[0, 2, 1, 3]))
    key = graph.node("Concat", "key", ["past.key", parts[1]], axis=2)
    value = graph.node("Concat", "value", ["past.value", parts[2]], axis=2)
    turned = graph.node("Transpose", "turned", [key], perm=[0, 1, 3, 2])
    weights = graph.node("Softmax", "softmax", [graph.node("MatMul", "scores", [parts[0], turned])], axis=-1)
    mixed = graph.node("MatMul", "mixed", [weights, value])
    graph.node("Reshape", "out", [graph.node("Transpose", "back", [mixed], perm=[0, 2, 1, 3]), "merged"])
    inputs = {"x": normal(1, 12, 192), "past.key": normal(*past), "past.value": normal(*present)[:, :, :8]}
    return Layer(graph, inputs, (1, 12, 64))


def relayouts():
    """A matrix turned, cut, joined and folded between two maps that may be spread in any way."""
    graph = Graph("relayouts", {"x": (24, 40)})
    for name, values in {"folded": [20, 2, 24], "0": [0], "8": [8], "40": [40]}.items():
        graph.weight(name, np.array(values))
    turned = graph.node("Transpose", "turned", [graph.node("Relu", "first", ["x"])], perm=[1, 0])
    head = graph.node("Slice", "head", [turned, "0", "8", "0"])
    tail = graph.node("Slice", "tail", [turned, "8", "40", "0"])
    joined = graph.node("Concat", "joined", [tail, head], axis=0)
    graph.node("Tanh", "out", [graph.node("Reshape", "fold", [joined, "folded"])])
    return Layer(graph, {"x": normal(24, 40)}, (20, 2, 24))


HAND_MAPPED = [
    (softmax, {}),
    (softmax, {"out": "y = [d1 : 4], x = [d0 : 3]", "out__1": "y = [d1 : 2], x = [d2 : 4], inner = d2"}),
    (softmax, {"out": "y = [d2 : 4], inner = d1", "out__2": "y = [d2 : 3], x = [d1 : 4]"}),
    (layer_norm, {}),
    (layer_norm, {"out": "y = [d1 : 4], x = [d2 : 4]", "out__5": "y = [d4 : 4], x = [d2 : 2], inner = d4"}),
    (layer_norm, {"out": "x = [d1 : 3]", "out__2": "y = [d2 : 4]"}),
    (attention, {}),
    (attention, {"scores": "y = [d0 : 4], x = [d1 : 3], inner = d2", "mixed": "y = [d1 : 4], x = [d2 : 4]"}),
    (attention, {"scores": "y = [d3 : 2], x = [d2 : 4]", "mixed": "y = [d3 : 4], x = [d0 : 4], inner = d2"}),
    (relayouts, {"first": "y = [d0 : 4], x = [d1 : 4]", "out": "y = [d0 : 4], x = [d2 : 3], inner = d2"}),
    (relayouts, {"first": "y = [d1 : 3], x = [d0 : 2], inner = d0", "out": "y = [d1 : 2], x = [d0 : 4]"}),
]


@pytest.mark.parametrize("layer, mapping", HAND_MAPPED)
def test_layers_equal_under_any_mapping(layer, mapping, tmp_path, run_tool):
    run(layer(), tmp_path, run_tool, lines(**mapping))
