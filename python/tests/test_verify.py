"""The command dojo-verify: what it prints, its exit status, its options, and that it can fail."""

import json

import numpy as np
import pytest

import dojo
from dojo import verify
from dojo.report import table
from dojo.verify import Reference, check, random_inputs


@pytest.fixture(scope="module")
def mlp(model_path):
    return model_path("digits_mlp")


@pytest.fixture
def command(run_tool, mlp):
    return lambda *options: run_tool("dojo-verify", mlp, "--target=d1-node", *options)


def test_prints_the_figures_of_each_output_and_PASS_last(command):
    done = command("--precision=fp32", "--random=3")
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    for words in ("logits: max error ", "over magnitude ", "relative RMS ", "max ulp "):
        assert words in first
    assert last == "PASS"
    assert done.stderr == ""


def test_prints_FAIL_last_when_the_reference_differs(mlp, monkeypatch, capsys):
    true_run = Reference.run
    monkeypatch.setattr(Reference, "run", lambda self, x: {k: 1.1 * v for k, v in true_run(self, x).items()})
    assert verify.main([mlp, "--target=d1-node"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "FAIL"


def test_fails_when_an_output_is_missing(compiled, mlp):
    class Forgetful(Reference):
        def run(self, inputs):
            return {**super().run(inputs), "another": np.zeros(3, np.float32)}

    program, reference = compiled("digits_mlp", "d1-node", "fp32"), Forgetful(mlp)
    assert not check(program, reference, random_inputs(program, reference, 0), "fp32").passed


@pytest.mark.parametrize("form", ["--inputs=inputs.npz", "--input=image=image.npy"])
def test_inputs_from_a_file_are_used(command, mlp, tmp_path, random, form):
    images = random.standard_normal((20, 1, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "inputs.npz", image=images)
    np.save(tmp_path / "image.npy", images)
    option, separator, file = form.rpartition("=")
    done = command("--precision=fp32", f"--output-dir={tmp_path}", f"{option}{separator}{tmp_path / file}")
    assert done.returncode == 0, done.stderr
    expected = Reference(mlp).run({"image": images})["logits"]
    assert np.allclose(np.load(tmp_path / "logits.npy"), expected, atol=1e-4 * np.abs(expected).max())


def test_random_inputs_are_those_of_the_seed_and_the_ranges(compiled, model_path):
    program, reference = compiled("magika", "d1-mini", "bf16"), Reference(model_path("magika"))
    drawn = random_inputs(program, reference, 1)["bytes"]
    assert drawn.dtype == np.int32 and set(drawn.flat) == {0, 1}
    ranged = random_inputs(program, reference, 1, {"bytes": (5, 257)})["bytes"]
    assert ranged.min() >= 5 and 250 < ranged.max() < 257
    assert np.array_equal(ranged, random_inputs(program, reference, 1, {"bytes": (5, 257)})["bytes"])
    assert not np.array_equal(ranged, random_inputs(program, reference, 2, {"bytes": (5, 257)})["bytes"])


@pytest.mark.parametrize(
    "options, words",
    [
        (["--range=image=2:1"], "empty range"),
        (["--range=image"], "not NAME=LO:HI"),
        (["--range=picture=0:1"], "'picture', which is not an input"),
        (["--inputs=none.npz"], "none.npz"),
        (["--input=picture=none.npy"], "none.npy"),
        (["--shape=image=a"], "not a shape"),
        (["--strict=all"], "strict"),
        (["--precision=fp8"], "fp8"),
        (["--target=d2-die"], "d2-die"),
        (["--inputs=a.npz", "--random=1"], "not allowed with"),
    ],
)
def test_wrong_options_are_one_error(command, options, words):
    done = command(*options)
    assert done.returncode == 2
    assert words in done.stderr and "Traceback" not in done.stderr
    assert "PASS" not in done.stdout


def test_wrong_inputs_are_one_error(command, tmp_path):
    np.savez(tmp_path / "empty.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04")
    np.savez(tmp_path / "double.npz", image=np.zeros((20, 1, 8, 8), np.complex64))
    for file, words in (("empty", "'image'"), ("broken", "broken.npz"), ("double", "c8")):
        done = command(f"--inputs={tmp_path / file}.npz")
        assert done.returncode == 2
        assert words in done.stderr and "Traceback" not in done.stderr


def test_report_has_both_parts_and_reads_as_a_table(command, tmp_path):
    done = command(f"--report={tmp_path / 'report.json'}", "-o", tmp_path / "model.d1")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["compiler"]["precision"] == "bf16"
    assert report["executor"]["instructions_executed"] > 0
    assert report["outputs"][0]["name"] == "logits"
    assert "instructions executed" in table(report)
    assert dojo.Program.load(tmp_path / "model.d1").outputs[0].name == "logits"


def test_the_table_names_units():
    report = {
        "compiler": {"compile_seconds": 1.5, "code_bytes": 4096, "dram_bytes": 3 * 2**20, "precision": "bf16"},
        "executor": {"macs": 1234567},
        "outputs": [{"name": "y", "relative_rms": 0.0123, "failure": ""}],
    }
    assert [line.split("  ")[-1].strip() for line in table(report).splitlines()[1:]] == [
        "1.50 s", "4,096 B", "3.0 MiB", "bf16", "1,234,567", "1.230e-02",
    ]  # fmt: skip


def test_the_table_sets_a_figure_beside_its_bound():
    report = {
        "compiler": {"sram_peak_bytes": 300, "sram_bound_bytes": 200, "dram_bytes": 500, "dram_bound_bytes": 400},
        "executor": {"macs": 1000, "macs_busiest_node": 150, "nodes_used": 10},
    }
    lines = [line.split() for line in table(report).splitlines()]
    assert lines[0] == ["achieved", "bound", "ratio"]
    assert lines[1][1:] == ["sram", "peak", "bytes", "300", "B", "200", "B", "1.50"]
    assert lines[2] == ["dram", "bytes", "500", "B", "400", "B", "1.25"]
    assert lines[4] == ["macs", "busiest", "node", "150", "100", "1.50"]


def test_the_table_has_no_ratio_without_a_bound():
    idle = {"macs": 0, "macs_busiest_node": 0, "nodes_used": 0}
    report = {"compiler": {"dram_bytes": 5, "dram_bound_bytes": 0}, "executor": idle}
    assert "dram bytes" in table(report)
