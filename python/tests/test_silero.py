"""Silero's detector of voices (real weights) on a die: a synthetic signal, the state carried from chunk to chunk."""

import numpy as np
import pytest

import silero
from dojo.compare import compare_all
from dojo.verify import Reference
from test_models import check_equal


def follow(run):
    """The likelihoods of all chunks, each run with the state of the one before, and the last state."""
    state, likely = np.zeros(silero.SHAPES["state"], np.float32), []
    for chunk in silero.chunks(silero.signal()):
        results = run({"input": chunk, "state": state})
        state = results["stateN"]
        likely.append(results["output"].item())
    return {"likely": np.array(likely, np.float32), "state": state}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_signal_equals_onnx_runtime_chunk_by_chunk(compiled, model_path, precision):
    program = compiled("silero", "d1-die", precision)
    found = follow(lambda inputs: program.run(inputs, strict="memory"))
    comparisons = compare_all(follow(Reference(model_path("silero")).run), found, precision)
    assert all(c.passed for c in comparisons), "\n".join(c.line() for c in comparisons)
    assert found["likely"][:8].max() < 0.2 and found["likely"][8:14].min() > 0.5


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_random_inputs_with_every_access_in_a_live_buffer(compiled, model_path, precision):
    random = np.random.default_rng(0)
    inputs = {name: random.standard_normal(shape).astype(np.float32) for name, shape in silero.SHAPES.items()}
    check_equal(compiled("silero", "d1-die", precision), model_path("silero"), inputs, precision, strict="memory")
