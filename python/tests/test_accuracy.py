"""Functions of one variable beside double precision, and how the distances of the suite are told."""

import numpy as np
import pytest
from onnx import helper

from dojo import backend
from dojo.accuracy import Distance, table
from dojo.compare import ulp_distance


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


FUNCTIONS = {
    "Softplus": (softplus, 4),
    "Mish": (lambda x: x * np.tanh(softplus(x)), 8),
    "Elu": (lambda x: np.where(x > 0, x, np.expm1(x)), 4),
}


@pytest.mark.parametrize("operator", FUNCTIONS)
def test_small_results_are_as_near_as_large_ones(operator):
    function, limit = FUNCTIONS[operator]
    x = np.concatenate([np.linspace(-60, 20, 4001), np.geomspace(1e-30, 1, 200), -np.geomspace(1e-30, 1, 200)])
    x = x.astype(np.float32)
    (y,) = backend.run_node(helper.make_node(operator, ["x"], ["y"]), [x], outputs_info=[(x.dtype, x.shape)])
    assert ulp_distance(function(x.astype(np.float64)).astype(np.float32), y).max() <= limit


def test_the_table_has_shares_and_the_cases_beyond():
    lines = list(table([Distance("a", 0, 0.0), Distance("b", 3, 1.0), Distance("c", 900, 2.0), Distance("d", 0, 0.0)]))
    assert lines[0].startswith("4 cases, median 1.5 ulp")
    assert lines[2].split()[1:] == ["50.0%", "50.0%", "50.0%", "75.0%", "75.0%", "75.0%", "75.0%", "100.0%"]
    assert [line.split()[-1] for line in lines[4:]] == ["c"]
