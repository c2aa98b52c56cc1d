"""The figures of the report: by hand for a matmul, sums of the rows for the totals, bounds that hold."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import dojo
from dojo.report import table

SUMMED = ["macs", "mac_cycles", "noc_bytes", "noc_bound_bytes", "dram_bytes", "dram_bound_bytes"]
LARGEST = ["sram_peak_bytes", "sram_bound_bytes"]

# On 4 x 4 nodes: C = A B with A 32 x 64, B 64 x 48 in f32, rows of C over y, columns over x.
ROWS, DEPTH, COLUMNS = 32, 64, 48
MAPPING = 'step "product" = #dojo.mapping<y = [d0 : 4], x = [d1 : 3], inner = d1, tile = [d1 : 16]>\n'


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    """The report of that matmul, its weights B in SRAM."""
    folder = tmp_path_factory.mktemp("product")
    values = np.random.default_rng(0).standard_normal((DEPTH, COLUMNS)).astype(np.float32)
    weights = numpy_helper.from_array(values, "b")
    ends = [
        helper.make_tensor_value_info("a", TensorProto.FLOAT, [ROWS, DEPTH]),
        helper.make_tensor_value_info("c", TensorProto.FLOAT, [ROWS, COLUMNS]),
    ]
    node = helper.make_node("MatMul", ["a", "b"], ["c"], name="product")
    graph = helper.make_graph([node], "product", ends[:1], ends[1:], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), folder / "product.onnx")
    (folder / "mapping.txt").write_text(MAPPING)
    return dojo.compile(folder / "product.onnx", "d1-mini", "fp32", mapping=folder / "mapping.txt").report


def row_of(report, entry, name):
    return next(row for row in report["ops"] if (row["entry"], row["name"]) == (entry, name))


def test_a_matmul_by_hand(product):
    row = row_of(product, "step", "product")
    macs = ROWS * DEPTH * COLUMNS
    assert row["macs"] == macs
    # 16 lanes a cycle on each of 16 nodes; a node that computes has 8 x 64 x 16, and 12 of 16 do.
    assert row["mac_cycles_bound"] == macs / (16 * 16)
    assert row["mac_cycles"] == 8 * 64 * 16 / 16
    assert row["mac_ratio"] == pytest.approx(16 / 12)
    assert product["nodes_used"] == 12


def test_the_operands_of_a_matmul_by_hand(product):
    # Each of the 4 row blocks goes to the 4 nodes of its row, each of the 3 column blocks to the 4 of its column;
    # before, each element of A and B lies on one node.
    wanted = 4 * (4 * ROWS * DEPTH + 4 * DEPTH * COLUMNS)
    assert product["noc_bound_bytes"] == wanted - 4 * (ROWS * DEPTH + DEPTH * COLUMNS)
    assert product["noc_bound_bytes"] <= product["noc_bytes"] <= wanted


def test_compulsory_bytes_are_each_tensor_once(product):
    bytes_of_all = 4 * (ROWS * DEPTH + DEPTH * COLUMNS + ROWS * COLUMNS)
    assert product["dram_bound_bytes"] == product["dram_bytes"] == bytes_of_all
    assert product["dram_ratio"] == 1


@pytest.mark.parametrize("model, target", [("digits_cnn", "d1-mini"), ("digits_mlp", "d1-node"), ("magika", "d1-die")])
def test_the_rows_sum_to_the_totals(compiled, model, target):
    report = compiled(model, target, "bf16").report
    assert len(report["ops"]) > 3
    for key in SUMMED:
        assert sum(row[key] for row in report["ops"]) == report[key], key
    for key in LARGEST:
        assert max(row[key] for row in report["ops"]) == report[key], key
    cycles = sum(row["mac_cycles_bound"] for row in report["ops"])
    assert cycles == pytest.approx(report["mac_cycles_bound"], rel=1e-12)


@pytest.mark.parametrize("model, target", [("digits_cnn", "d1-mini"), ("magika", "d1-die")])
def test_no_figure_is_below_its_bound(compiled, model, target):
    report = compiled(model, target, "bf16").report
    for row in (report, *report["ops"]):
        assert row["mac_cycles"] >= row["mac_cycles_bound"]
        assert row["noc_bytes"] >= row["noc_bound_bytes"]
        assert row["sram_peak_bytes"] >= row["sram_bound_bytes"]
        assert all(row[key] >= 1 for key in row if key.endswith("_ratio") and key != "dram_ratio")
    assert report["dram_bytes"] >= report["dram_bound_bytes"]


@pytest.mark.parametrize("model, target", [("resnet50", "d1-mini"), ("minilm", "d1-die"), ("digits_cnn", "d1-mini")])
def test_every_schedule_of_a_loop_is_checked_and_no_interval_below_its_bounds(compiled, model, target):
    routines = compiled(model, target, "bf16").report["routines"]
    assert {"matrix", "simd"} <= {routine.get("unit") for routine in routines}
    for routine in routines:
        overlapped = [loop for loop in routine["loops"] if loop["stages"] > 1]
        assert routine["schedules_checked"] >= len(overlapped)
        for loop in routine["loops"]:
            assert loop["interval"] >= max(loop["resource_bound"], loop["recurrence_bound"]) >= 1
    assert any(loop["stages"] > 1 for routine in routines for loop in routine["loops"])


def test_contractions_are_counted_before_padding(compiled):
    report = compiled("digits_cnn", "d1-mini", "bf16").report
    # 20 images of 8 x 8: conv1 has 3 x 3 windows of one channel into 16 channels.
    assert row_of(report, "step", "conv1")["macs"] == 20 * 8 * 8 * 16 * 9


def test_the_report_of_dojo_compile_reads_as_a_table(run_tool, model_path, tmp_path):
    file = tmp_path / "report.json"
    done = run_tool("dojo-compile", model_path("digits_mlp"), "--target=d1-mini", "-o", tmp_path / "m.d1",
                    f"--report={file}")  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(file.read_text())
    lines = table(report).splitlines()
    assert any(line.split()[:3] == ["mac", "cycles", f"{report['mac_cycles']:,}"] for line in lines)
    heading = next(i for i, line in enumerate(lines) if line.split()[:2] == ["node", "MACs"])
    loops = next(i for i, line in enumerate(lines) if line.split()[:2] == ["loop", "interval"])
    assert loops == heading + 1 + len(report["ops"]) + 1
    assert len(lines) == loops + 1 + sum(len(routine["loops"]) for routine in report["routines"])
    assert max(map(len, lines)) < 160
