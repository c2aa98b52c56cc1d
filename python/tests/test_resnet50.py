"""How ResNet-50 is spread over a die, by the figures of its reports."""

import json

import numpy as np
import onnx
import pytest

from conftest import BUILD, measured

# The 8x8x4 matrix unit.
MACS_PER_MATRIX_INSTRUCTION = 8 * 8 * 4


@pytest.fixture(scope="module")
def program(compiled):
    program = compiled("resnet50", "d1-die", "bf16")
    if program.run_report is None:
        image = np.random.default_rng(0).standard_normal((1, 3, 224, 224)).astype(np.float32)
        program.run({"input": image})
    return program


def test_at_least_300_nodes_compute(program):
    assert program.report["nodes_used"] >= 300
    assert program.run_report["nodes_used"] >= 300


def test_the_busiest_node_does_at_most_twice_the_mean(program):
    mean = program.run_report["macs"] / program.run_report["nodes_used"]
    assert program.run_report["macs_busiest_node"] <= 2 * mean


def test_contractions_run_as_matrix_instructions(program):
    on_matrix_unit = program.run_report["matrix_instructions"] * MACS_PER_MATRIX_INSTRUCTION
    assert on_matrix_unit >= 0.95 * program.run_report["macs"]


def test_weights_are_read_from_dram_once(program, model_path):
    """All that is read is little more than the weights and one image."""
    model = onnx.load(model_path("resnet50"))
    weights = sum(4 * int(np.prod(w.dims)) for w in model.graph.initializer)
    image = 4 * 3 * 224 * 224
    assert program.run_report["dram_read_bytes"] <= 1.01 * (weights + image)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_tools_keep_their_limits_of_time_and_memory(model_path, tmp_path, precision):
    binary, image, report = tmp_path / "resnet50.d1", tmp_path / "input.npy", tmp_path / "report.json"
    np.save(image, np.random.default_rng(0).standard_normal((1, 3, 224, 224)).astype(np.float32))
    source = [model_path("resnet50"), "-o", binary, f"--precision={precision}", f"--report={report}"]
    seconds, memory = measured(BUILD / "bin" / "dojo-compile", *source)
    assert seconds < 20 and memory < 8
    assert 0 < json.loads(report.read_text())["compile_seconds"] <= seconds
    seconds, memory = measured(BUILD / "bin" / "dojo-run", binary, f"--input=input={image}")
    assert seconds < 60 and memory < 8
