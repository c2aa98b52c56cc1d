"""Wrong models through the whole compiler: a few mutants of each case; `python -m dojo.mutants` runs all."""

import collections
import os

import numpy as np
import onnx
import pytest

from dojo import mutants
from dojo.suite import Suite

EACH = 4


@pytest.fixture(scope="module")
def outcomes(model_path):
    models = mutants.of_suite(Suite(), mutants.CASES)
    models["digits"] = (onnx.load(model_path("digits_mlp")), [np.random.default_rng(0).random((1, 64), np.float32)])
    return mutants.Mutants(models, EACH).run(os.cpu_count())


def test_a_wrong_model_is_refused_by_name_or_computed_right(outcomes):
    wrong = {name: o for name, o in outcomes.items() if o.status not in ("refused", "passed", "unjudged")}
    assert not wrong, wrong


def test_most_mutants_are_refused_and_some_are_valid(outcomes):
    counts = collections.Counter(outcome.status for outcome in outcomes.values())
    assert len(outcomes) >= EACH * len(mutants.CASES)
    assert counts["refused"] >= 0.8 * len(outcomes)
    assert counts["passed"] >= 5
    assert counts["unjudged"] <= 0.03 * len(outcomes)
