"""Every model, machine and precision we promise, against ONNX Runtime."""

import json
import pathlib

import numpy as np
import pytest

from conftest import RANGES
from dojo.verify import Reference, check, random_inputs

DIGITS = [
    (model, target, precision, seed)
    for model in ("digits_mlp", "digits_cnn")
    for target in ("d1-node", "d1-mini")
    for precision in ("fp32", "bf16")
    for seed in range(3)
]
MAGIKA = [
    ("magika", target, precision, seed)
    for target in ("d1-mini", "d1-die")
    for precision in ("fp32", "bf16")
    for seed in range(3)
]
RESNET50 = [("resnet50", "d1-die", precision, seed) for precision in ("fp32", "bf16") for seed in range(3)]


def check_equal(program, path, inputs, precision, **options):
    result = check(program, Reference(path), inputs, precision, **options)
    assert result.passed, "\n".join(c.line() for c in result.comparisons)
    return result


def inputs_of(program, path, model, seed):
    return random_inputs(program, Reference(path), seed, RANGES.get(model))


@pytest.mark.parametrize("model, target, precision, seed", [*DIGITS, *MAGIKA, *RESNET50])
def test_random_inputs(compiled, model_path, model, target, precision, seed):
    program, path = compiled(model, target, precision), model_path(model)
    check_equal(program, path, inputs_of(program, path, model, seed), precision)


@pytest.mark.parametrize("model, target, precision", sorted({row[:3] for row in DIGITS + MAGIKA + RESNET50}))
def test_every_access_is_inside_a_live_buffer(compiled, model_path, model, target, precision):
    program, path = compiled(model, target, precision), model_path(model)
    check_equal(program, path, inputs_of(program, path, model, 0), precision, strict="memory")


def magika_input(content):
    """Magika's view of a file: its first and last 1,024 bytes without white space around, 256 for no byte."""
    first = content[:4096].lstrip()[:1024]
    last = content[-4096:].rstrip()[-1024:]
    padding = [256] * (2048 - len(first) - len(last))
    return np.array([[*first, *padding, *last]], np.int32)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("target", ["d1-mini", "d1-die"])
def test_magika_on_a_real_file(compiled, model_path, target, precision):
    program, path = compiled("magika", target, precision), model_path("magika")
    content = pathlib.Path(__file__).read_bytes()
    result = check_equal(program, path, {"bytes": magika_input(content)}, precision)
    (scores,) = result.outputs.values()
    assert scores.sum() == pytest.approx(1, rel=1e-2)
    assert label_of(path, scores) == "python"


def label_of(path, scores):
    config = json.loads(pathlib.Path(path).with_name("config.min.json").read_text(encoding="utf-8"))
    return config["target_labels_space"][int(scores.argmax())]


@pytest.mark.parametrize("target", ["d1-node", "d1-mini"])
@pytest.mark.parametrize("model", ["digits_mlp", "digits_cnn"])
def test_digits_are_classed_as_by_onnx_runtime_to_the_image(compiled, model_path, model, target):
    from digits_accuracy import d1_logits, reference_logits
    from make_digits import split

    _, (images, _) = split()
    classes = d1_logits(compiled(model, target, "fp32"), images).argmax(axis=1)
    assert np.array_equal(classes, reference_logits(model_path(model), images).argmax(axis=1))


@pytest.mark.parametrize(
    "model, target, precision",
    [
        ("digits_cnn", "d1-mini", "fp32"),
        ("magika", "d1-mini", "bf16"),
        ("magika", "d1-die", "fp32"),
        ("resnet50", "d1-die", "bf16"),
    ],
)
def test_the_highest_byte_touched_is_what_the_buffer_table_says(compiled, model_path, model, target, precision):
    program, path = compiled(model, target, precision), model_path(model)
    program.run(inputs_of(program, path, model, 0))
    assert program.run_report["sram_touched_bytes"] == program.report["sram_peak_bytes"]
