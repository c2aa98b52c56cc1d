"""The modelled time of compiled models, and the trace, read by Perfetto's own schema.

Perfetto's trace processor is a program that its package downloads; its schema is in the package, so
this is what a trace is held to: every field known, slices that nest, names and cycles of the report.
"""

import collections
import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from google.protobuf import unknown_fields
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as perfetto

import dojo
from conftest import ROOT
from dojo.report import table

CAUSES = ("compute", "sram_port", "network", "dram", "waiting")
STALLS = ("network", "dram", "waiting")


@pytest.fixture(scope="module")
def program(model_path):
    return dojo.compile(model_path("digits_cnn"), "d1-mini", "bf16")


@pytest.fixture(scope="module")
def images():
    return {"image": np.random.default_rng(0).standard_normal((20, 1, 8, 8)).astype(np.float32)}


@pytest.fixture(scope="module")
def modelled(program, images):
    program.run(images, threads=1, timing=True)
    return program.run_report["modelled"]


def test_dojo_verify_reports_modelled_figures(model_path, run_tool, tmp_path):
    run = run_tool("dojo-verify", model_path("digits_mlp"), "--target=d1-node", "--timing", f"--report={tmp_path / 'r'}")
    assert run.returncode == 0, run.stderr
    assert json.loads((tmp_path / "r").read_text())["executor"]["modelled"].keys() == {"init", "step"}


def test_timing_changes_no_output_and_threads_no_figure(program, images, modelled):
    plain = program.run(images)
    assert "modelled" not in program.run_report
    timed = program.run(images, threads=3, timing=True)
    assert np.array_equal(plain["logits"], timed["logits"])
    assert program.run_report["modelled"] == modelled


@pytest.mark.parametrize("entry", ["init", "step"])
def test_every_cycle_of_every_node_has_one_cause(modelled, entry):
    figures = modelled[entry]
    assert sum(figures["by_cause"][cause] for cause in CAUSES) == figures["modelled_cycles"] * figures["nodes"]
    for rows in (figures["by_onnx_node"], figures["by_routine"]):
        for row in rows:
            assert row["cycles"] == sum(row[cause] for cause in CAUSES)
            assert row["bound"] <= row["compute"] + row["sram_port"]
        for cause in CAUSES[:-1]:
            assert sum(row[cause] for row in rows) == figures["by_cause"][cause]


def test_packets_hold_the_bytes_that_transfers_move(program, modelled):
    rows = [row for figures in modelled.values() for row in figures["by_routine"]]
    moved = sum(row["packet_bytes"] for row in rows)
    # Pushes of a node to itself are packets too.
    assert moved >= program.run_report["noc_bytes"] + program.run_report["dram_bytes"]
    for row in rows:
        assert row["packets"] <= row["packet_bytes"] <= 64 * row["packets"]


def test_nothing_is_faster_than_its_bound(program, modelled):
    for figures in modelled.values():
        assert 0 < figures["modelled_bound_cycles"] <= figures["modelled_cycles"]
        shares = [figures[key] for key in figures if key.endswith("utilisation")]
        assert len(shares) == 4 and all(0 <= share <= 1 for share in shares)
    assert modelled["step"]["mac_utilisation"] > 0
    assert modelled["step"]["modelled_seconds"] == modelled["step"]["modelled_cycles"] / 2e9


def test_rows_are_named_after_the_nodes_of_the_model(model_path, modelled):
    names = {node.name for node in onnx.load(model_path("digits_cnn")).graph.node}
    rows = {row["name"]: row for row in modelled["step"]["by_onnx_node"]}
    assert {name for name, row in rows.items() if row["matrix_instructions"]} <= names
    assert {"conv1", "conv2", "logits"} <= rows.keys()


def test_the_table_shows_cycles_beside_their_bounds(program, modelled):
    text = table({"compiler": {}, "executor": {"modelled": modelled}, "outputs": []})
    step = modelled["step"]
    first = next(line for line in text.splitlines() if line.startswith("modelled step "))
    assert first.split()[2:5] == ["cycles", f"{step['modelled_cycles']:,}", f"{step['modelled_bound_cycles']:,}"]
    assert "conv2" in text


@pytest.fixture(scope="module")
def traced(program, images, run_tool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trace")
    program.save(folder / "model.d1")
    np.save(folder / "image.npy", images["image"])
    run = run_tool("dojo-run", folder / "model.d1", f"--input=image={folder / 'image.npy'}",
                   f"--trace={folder / 'trace'}", "--trace-nodes=0,6")  # fmt: skip
    assert run.returncode == 0, run.stderr
    trace = perfetto.Trace()
    trace.ParseFromString((folder / "trace").read_bytes())
    return trace


def tracks(trace):
    return {p.track_descriptor.uuid: p.track_descriptor for p in trace.packet if p.HasField("track_descriptor")}


def slices(trace):
    """track name -> (depth, category, name, begin, end) of its slices, in order of their ends."""
    names, stacks, done = tracks(trace), collections.defaultdict(list), collections.defaultdict(list)
    for packet in trace.packet:
        event, track = packet.track_event, names.get(packet.track_event.track_uuid)
        if event.type == event.TYPE_SLICE_BEGIN:
            stacks[track.name].append((event.categories[0], event.name, packet.timestamp))
        elif event.type == event.TYPE_SLICE_END:
            category, name, begin = stacks[track.name].pop()
            done[track.name].append((len(stacks[track.name]), category, name, begin, packet.timestamp))
    assert not any(stacks.values())
    return done


def test_the_trace_has_no_field_that_perfetto_does_not_know(traced):
    assert len(traced.packet) > 100
    for packet in traced.packet:
        for message in (packet, packet.track_event, packet.track_descriptor):
            assert not list(unknown_fields.UnknownFieldSet(message))


def test_the_trace_shows_the_chosen_nodes_and_the_counters(traced):
    names = [track.name for track in tracks(traced).values()]
    assert names == ["links", "DRAM", "node (0,0,0,0)", "node (0,0,1,2)"]
    assert slices(traced).keys() == {"node (0,0,0,0)", "node (0,0,1,2)"}


def test_slices_nest_onnx_node_routine_stall(traced, model_path, modelled):
    names = {row["name"] for entry in modelled.values() for row in entry["by_onnx_node"]}
    routines = {row["name"] for entry in modelled.values() for row in entry["by_routine"]}
    end = sum(entry["modelled_cycles"] for entry in modelled.values())
    for track in slices(traced).values():
        ends = [event[4] for event in track]
        assert ends == sorted(ends) and ends[-1] <= end
        for depth, category, name, begin, until in track:
            assert begin <= until
            assert (depth, category) in {(0, "onnx"), (1, "routine"), (1, "stall"), (2, "stall")}
            assert name in {"onnx": names, "routine": routines, "stall": STALLS}[category]


def test_counters_add_up_to_the_bytes_of_dram(program, images, modelled, traced):
    dram = next(uuid for uuid, track in tracks(traced).items() if track.name == "DRAM")
    values = [p.track_event.counter_value for p in traced.packet if p.track_event.track_uuid == dram]
    program.run(images)
    # Packets are whole, and each window's mean is rounded down.
    assert sum(values) * 1024 >= program.run_report["dram_bytes"] - 1024 * len(values)


@pytest.mark.parametrize(
    "options, words",
    [(["--trace-nodes=0"], "--trace-nodes without --trace=FILE"),
     (["--trace-nodes=16", "--trace=none"], "node 16 is to be traced, but 'd1-mini' has 16 nodes")],
)  # fmt: skip
def test_a_trace_of_nothing_is_refused(program, images, run_tool, tmp_path, options, words):
    program.save(tmp_path / "model.d1")
    np.save(tmp_path / "image.npy", images["image"])
    run = run_tool("dojo-run", tmp_path / "model.d1", f"--input=image={tmp_path / 'image.npy'}", *options)
    assert run.returncode == 1 and words in run.stderr


def kernel_table(*arguments):
    command = [sys.executable, ROOT / "benchmarks" / "kernels.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_kernel_table_stands_beside_bounds_and_goals(tmp_path):
    run = kernel_table("add-128x256", "softmax-128x256", f"--json={tmp_path / 'rows'}")
    assert run.returncode == 0, run.stderr
    rows = json.loads((tmp_path / "rows").read_text())
    assert [row["name"] for row in rows] == ["add-128x256", "softmax-128x256"]
    for row in rows:
        assert row.keys() == {"name", "value", "bound", "ratio", "goal", "unit"}
        assert 0 < row["ratio"] == row["bound"] / row["value"] <= 1


def test_an_unknown_kernel_is_refused():
    run = kernel_table("sub")
    assert run.returncode == 2 and "no row is named sub" in run.stderr
