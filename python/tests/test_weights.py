"""A weight changed at random changes the output as it changes ONNX Runtime's: no weight is ignored."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import dojo
from conftest import RANGES, SHAPES
from dojo.compare import compare_all
from dojo.verify import Reference, random_inputs

CHANGES = 10


def changed(model, random, deviations):
    """A copy of the model with one weight moved by some deviations of its tensor; any weight is as likely."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    floats = [w for w in copy.graph.initializer if w.data_type == onnx.TensorProto.FLOAT]
    sizes = np.array([np.prod(w.dims) for w in floats])
    chosen = floats[random.choice(len(floats), p=sizes / sizes.sum())]
    array = numpy_helper.to_array(chosen).copy()
    array.flat[random.integers(array.size)] += deviations * max(array.std(), 1e-2)
    chosen.CopyFrom(numpy_helper.from_array(array, chosen.name))
    return copy


def outputs_of(model, target, shapes, ranges):
    """(D1's, ONNX Runtime's) outputs in fp32, as flat vectors by name."""
    data = model.SerializeToString()
    program, reference = dojo.compile(data, target, "fp32", shapes), Reference(data)
    inputs = random_inputs(program, reference, seed=0, ranges=ranges)
    return program.run(inputs), reference.run(inputs)


@pytest.mark.parametrize(
    "name, target, deviations",
    [
        ("digits_mlp", "d1-node", 10),
        ("digits_cnn", "d1-mini", 10),
        ("magika", "d1-mini", 1000),
        ("resnet50", "d1-die", 100),
    ],
)
def test_ten_weights_changed_at_random(model_path, random, name, target, deviations):
    model = onnx.load(model_path(name))
    options = target, SHAPES.get(name), RANGES.get(name)
    before, expected_before = outputs_of(model, *options)
    visible = 0
    for _ in range(CHANGES):
        after, expected_after = outputs_of(changed(model, random, deviations), *options)
        for comparison in compare_all(expected_after, after, "fp32"):
            assert comparison.passed, comparison.line()
        for output, reference in expected_after.items():
            change = reference - expected_before[output]
            if np.abs(change).max() > 1e-2 * np.abs(reference).max():
                visible += 1
                assert np.linalg.norm(after[output] - before[output] - change) <= 0.05 * np.linalg.norm(change)
    assert visible, "no change was large enough to see"
