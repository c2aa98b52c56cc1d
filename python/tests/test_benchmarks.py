"""benchmarks/run on its quick rows: the table and the JSON that issue C reads too."""

import json
import subprocess
import sys

import pytest

from conftest import ROOT

KEYS = {"name", "value", "bound", "ratio", "goal", "unit"}


def run(*options):
    command = [sys.executable, ROOT / "benchmarks" / "run", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    file = tmp_path_factory.mktemp("bench") / "rows.json"
    done = run("--quick", f"--json={file}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(file.read_text())


def test_each_figure_stands_beside_its_bound_and_goal(quick):
    _, records = quick
    assert all(set(record) == KEYS for record in records)
    named = {record["name"]: record for record in records}
    assert len(named) == len(records) == 2 * 9
    dram = named["digits_cnn-d1-mini-bf16 dram"]
    assert dram["value"] >= dram["bound"] > 0 and dram["ratio"] == dram["value"] / dram["bound"]
    for record in records:
        if record["goal"] is not None:
            assert 0 <= record["value"] <= record["goal"], record


def test_the_table_has_a_line_for_each_row(quick):
    table, _ = quick
    lines = [line for line in table.splitlines() if line.startswith("| digits_")]
    assert len(lines) == 2 and all(line.count("|") == 11 for line in lines)


def test_an_unknown_row_is_refused_with_the_known_ones():
    done = run("resnet51")
    assert done.returncode == 1
    assert "no row begins with 'resnet51'" in done.stderr and "magika-d1-die-bf16" in done.stderr


def test_the_executor_stands_beside_the_peak_of_its_host(tmp_path):
    done = run("executor-gemm", f"--json={tmp_path / 'rows.json'}")
    assert done.returncode == 0, done.stdout + done.stderr
    records = json.loads((tmp_path / "rows.json").read_text())
    assert [record["name"] for record in records] == ["executor-gemm", "executor-gemm-interpreted"]
    for record in records:
        assert set(record) == KEYS and record["ratio"] == record["value"] / record["bound"]
        assert 0 < record["ratio"] < 1, "nothing is faster than the host"
