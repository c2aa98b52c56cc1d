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
    result = check(dojo.Program.load(binary), Reference(str(model)), layer.inputs, precision, strict="memory")
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

    assert of_a_step(500) == of_a_step(5000)


@pytest.mark.parametrize("mapping", ["", "y = [d0 : 3], x = [d2 : 4]", "y = [d2 : 4], x = [d1 : 3], inner = d0"])
def test_columns_are_looked_up_too(mapping, tmp_path, run_tool):
    run(lookup(indices=(7,), axis=1), tmp_path, run_tool, lines(out__1=mapping) if mapping else "")


def test_an_index_outside_the_table_gives_zeros():
    layer = lookup(indices=(4,))
    program = dojo.compile(layer.graph.model({"out": layer.shape}), "d1-mini", "fp32")
    (rows,) = program.run({"ids": np.array([2, 30, -31, 2**31 - 1])}).values()
    assert rows[0].any() and not rows[1:].any()
