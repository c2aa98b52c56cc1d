"""A sentence encoder with its own weights and GPT-2 with seeded ones, on a die, against ONNX Runtime."""

import numpy as np
import pytest

import dojo
import make_gpt2
from test_models import check_equal, inputs_of

MODELS = [(model, precision) for model in ("minilm", "gpt2") for precision in ("fp32", "bf16")]
DIE = "d1-die"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("model, precision", MODELS)
def test_random_inputs(compiled, model_path, model, precision, seed):
    program, path = compiled(model, DIE, precision), model_path(model)
    check_equal(program, path, inputs_of(program, path, model, seed), precision)


@pytest.mark.parametrize("model, precision", MODELS)
def test_every_access_is_inside_a_live_buffer(compiled, model_path, model, precision):
    program, path = compiled(model, DIE, precision), model_path(model)
    check_equal(program, path, inputs_of(program, path, model, 0), precision, strict="memory")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_dozen_layers_share_their_kernels(compiled, precision):
    three = dojo.compile(make_gpt2.make(make_gpt2.Size(layers=3)), DIE, precision)
    assert compiled("gpt2", DIE, precision).report["code_bytes"] <= 2 * three.report["code_bytes"]


@pytest.mark.parametrize("model, precision", [("minilm", "fp32"), ("minilm", "bf16")])
def test_what_fits_is_read_from_dram_once(compiled, model, precision):
    report = compiled(model, DIE, precision).report
    assert report["dram_bytes"] == report["dram_bound_bytes"]


# ---- Real text

SENTENCES = [
    "A man is playing a guitar in front of a large crowd.",
    "A guitarist is performing for a big audience.",
    "The recipe calls for two eggs and a cup of flour.",
]
TEXT = make_gpt2.__doc__ + make_gpt2.GPT2.mask.__doc__


def encoder_inputs(ids):
    """BERT's words between [CLS] and [SEP], padded to 128."""
    ids = [101, *ids, 102]
    padding = [0] * (128 - len(ids))
    return {"input_ids": np.array([ids + padding]), "attention_mask": np.array([[1] * len(ids) + padding])}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_sentences_that_mean_the_same_are_close(compiled, model_path, words, precision):
    program, path = compiled("minilm", DIE, precision), model_path("minilm")
    vectors = []
    for sentence in SENTENCES:
        inputs = encoder_inputs(words("bert_base_tok.bin", sentence))
        vector = check_equal(program, path, inputs, precision).outputs["461"][0].astype(np.float64)
        vectors.append(vector / np.linalg.norm(vector))
    assert vectors[0] @ vectors[1] > 0.7
    assert vectors[0] @ vectors[2] < 0.1


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_gpt2_reads_a_text_in_two_steps(compiled, model_path, words, precision):
    program, path = compiled("gpt2", DIE, precision), model_path("gpt2")
    size, ids = make_gpt2.Size(), words("gpt2.bin", TEXT)
    assert len(ids) >= 2 * size.tokens
    caches = {t.name: np.zeros(t.shape, np.float32) for t in program.inputs if t.name != "input_ids"}
    for first in (0, size.tokens):
        inputs = {"input_ids": np.array([ids[first : first + size.tokens]]), **caches}
        outputs = check_equal(program, path, inputs, precision).outputs
        caches = {name: outputs[name.replace("past", "present")][:, :, size.past :] for name in caches}
