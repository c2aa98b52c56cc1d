"""Programs with more moves than a node has semaphores for: barriers let them be used again."""

import json

import pytest

import dojo
from conftest import RANGES, SHAPES
from dojo.verify import Reference, check, random_inputs


@pytest.mark.parametrize("dead", [[], [[0, 0, 1, 2]]], ids=["whole", "one dead node"])
@pytest.mark.parametrize("model, semaphores", [("digits_cnn", 12), ("magika", 14)])
def test_few_semaphores_suffice(model_path, tmp_path, model, semaphores, dead):
    machine = tmp_path / "machine.json"
    machine.write_text(json.dumps({"base": "d1-mini", "dead_nodes": dead, "semaphores": semaphores}))
    path = model_path(model)
    program = dojo.compile(path, str(machine), "fp32", SHAPES.get(model))
    reference = Reference(path)
    inputs = random_inputs(program, reference, 0, RANGES.get(model))
    result = check(program, reference, inputs, "fp32", strict="race")
    assert result.passed, "\n".join(c.line() for c in result.comparisons)
