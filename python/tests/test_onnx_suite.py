"""The official ONNX backend suite against its ledger, and the Backend API itself."""

import os

import numpy as np
import onnx
import pytest
from onnx import helper

import dojo
from dojo import backend, ledger
from dojo.suite import Outcome, Suite, random_or


@pytest.fixture(scope="module")
def suite():
    return Suite()


@pytest.fixture(scope="module")
def outcomes(suite):
    return suite.run(suite.names(), os.cpu_count(), ledger.LIMIT)


def test_every_case_comes_out_as_the_ledger_says(suite, outcomes):
    recorded = {row.name: row for row in ledger.read_rows()}
    assert set(recorded) == set(suite.names())
    lost = [name for name, row in recorded.items() if row.status == "passed" and outcomes[name].status != "passed"]
    assert not lost, {name: outcomes[name] for name in lost}
    now = [ledger.row_of(suite, name, outcomes[name]) for name in suite.names()]
    stale = [row for row in now if row != recorded[row.name]]
    assert not stale, f"run `python -m dojo.ledger`; {len(stale)} cases changed: {stale[:3]}"


def test_no_case_crashes_or_hangs(outcomes):
    assert not {name: o for name, o in outcomes.items() if o.status in ("crashes", "hangs")}


def test_the_page_is_made_from_the_cases():
    assert (ledger.DOCS / "OnnxSupport.md").read_text(encoding="utf-8") == ledger.page(ledger.read_rows())


class Stub:
    """A suite whose cases end as their names say."""

    def run_one(self, name):
        if name == "dies":
            os._exit(3)
        if name == "hangs":
            while True:
                pass
        return Outcome("passed")


def test_a_case_that_dies_or_hangs_does_not_stop_the_others():
    outcomes = Suite.run(Stub(), ["a", "dies", "b", "hangs", "c"], 2, 0.5)
    assert {name: o.status for name, o in outcomes.items()} == {
        "a": "passed", "b": "passed", "c": "passed", "dies": "crashes", "hangs": "hangs"}
    assert "status 3" in outcomes["dies"].reason


def test_reasons_hold_no_numbers_of_bytes():
    reason = "the code of 458084 bytes exceeds the 327680 bytes a node keeps for code\nmore"
    assert ledger.one_line(reason) == "the code of N bytes exceeds the N bytes a node keeps for code"
    assert ledger.one_line("it has 3 operands") == "it has 3 operands"


def test_only_the_numbers_of_a_generator_are_random():
    draws = model([helper.make_node("Bernoulli", ["x"], ["y"])], [("x", F, [2])], [("y", F, [2])])
    exact = model([helper.make_node("Abs", ["x"], ["y"])], [("x", F, [2])], [("y", F, [2])])
    numbers = Outcome("failing", "\nNot equal to tolerance rtol=0.001, atol=1e-07\nMismatched elements: 1 / 2")
    shapes = Outcome("failing", "\nNot equal to tolerance rtol=0.001, atol=1e-07\n(shapes (1,), (2,) mismatch)")
    assert random_or(numbers, draws).status == "random"
    assert random_or(numbers, exact) == numbers
    for outcome in (shapes, Outcome("refused", "why"), Outcome("passed")):
        assert random_or(outcome, draws) == outcome


def test_float64_values_beyond_float32_are_refused():
    kind = onnx.TensorProto.DOUBLE
    rep = backend.prepare(model([helper.make_node("Neg", ["x"], ["y"])], [("x", kind, [2])], [("y", kind, [2])]))
    with pytest.raises(backend.Refused, match="input 'x' holds float64 values that float32"):
        rep.run([np.array([1, 1e39])])
    np.testing.assert_array_equal(rep.run([np.array([-np.inf, 2.0])]).y, [np.inf, -2])


def model(nodes, inputs, outputs, opset=21):
    info = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "g", [info(*i) for i in inputs], [info(*o) for o in outputs])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


F, I64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64


def test_values_that_decide_shapes_give_a_program_each():
    rep = backend.prepare(
        model([helper.make_node("Reshape", ["x", "to"], ["y"])], [("x", F, [6]), ("to", I64, [2])], [("y", F, None)]))
    x = np.arange(6, dtype=np.float32)
    for shape in ([2, 3], [3, 2], [2, 3]):
        (y,) = rep.run([x, np.array(shape)])
        np.testing.assert_array_equal(y, x.reshape(shape))
    assert len(rep._programs) == 2


def test_shapes_come_with_the_first_arrays():
    rep = backend.prepare(
        model([helper.make_node("Neg", ["x"], ["y"])], [("x", F, ["n", "m"])], [("y", F, ["n", "m"])]))
    for shape in ([2, 3], [5, 1]):
        x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        np.testing.assert_array_equal(rep.run([x]).y, -x)


def test_what_the_compiler_refuses_is_an_error_and_no_skip():
    rep = backend.prepare(model([helper.make_node("Frobnicate", ["x"], ["y"])], [("x", F, [2])], [("y", F, [2])]))
    with pytest.raises(backend.Refused, match=r"\(Frobnicate\): ONNX has no such operator"):
        rep.run([np.zeros(2, np.float32)])


def test_an_input_that_is_no_tensor_is_refused_by_name():
    rep = backend.prepare(model([helper.make_node("Neg", ["x"], ["y"])], [("x", F, [2])], [("y", F, [2])]))
    with pytest.raises(backend.Refused, match="input 'x' is no tensor"):
        rep.run([[np.zeros(2, np.float32)]])


def test_one_node_runs_by_itself():
    x = np.array([1, -2], np.float32)
    (y,) = backend.run_node(helper.make_node("Abs", ["x"], ["y"]), [x], outputs_info=[(np.float32, (2,))])
    np.testing.assert_array_equal(y, [1, 2])


def test_numpy_scalars_are_tensors():
    rep = backend.prepare(model([helper.make_node("Add", ["x", "s"], ["y"])], [("x", F, [2]), ("s", F, [])], [("y", F, [2])]))
    np.testing.assert_array_equal(rep.run([np.array([1, 2], np.float32), np.float32(3)]).y, [4, 5])


def test_other_devices_are_refused():
    assert backend.supports_device("CPU") and not backend.supports_device("CUDA")
    with pytest.raises(dojo.Error, match="device is 'CUDA'"):
        backend.prepare(model([], [], []), "CUDA")
