"""The example models, run by ONNX Runtime, are what their docstrings say."""

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest

import make_gpt2
from make_digits import Cnn, accuracy, make, patches, patches_gradient, split


def session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def digits():
    return make()


@pytest.mark.parametrize("name", ["digits_mlp", "digits_cnn"])
def test_digits_model_has_the_accuracy_it_was_trained_to(digits, name):
    model, trained = digits[name]
    _, (images, labels) = split()
    run = session(model.SerializeToString()).run
    logits = np.concatenate([run(None, {"image": images[i : i + 20]})[0] for i in range(0, len(images), 20)])
    assert accuracy(logits, labels) == trained
    assert trained > 0.95


def test_digits_models_are_the_same_for_the_same_seed(digits):
    again = make()
    assert all(again[name][0].SerializeToString() == model.SerializeToString() for name, (model, _) in digits.items())


def test_patches_gradient_is_the_adjoint_of_patches(random):
    x = random.standard_normal((2, 3, 4, 4))
    g = random.standard_normal((2, 4, 4, 27))
    assert np.sum(patches(x) * g) == pytest.approx(np.sum(x * patches_gradient(g, 3)))


def test_cnn_gradients_are_those_of_finite_differences(random):
    cnn = Cnn(random, channels=(2, 3))
    for group in (cnn.weights, cnn.biases):
        group[:] = [p.astype(np.float64) for p in group]
    x, labels = random.standard_normal((4, 1, 8, 8)), np.array([1, 7, 0, 3])

    def loss():
        logits = cnn.forward(x)[0]
        return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(4), labels])

    for p, g in zip(cnn.parameters(), cnn.step_gradients(x, labels)):
        index = tuple(random.integers(0, n) for n in p.shape)
        kept, step = p[index], 1e-5
        p[index] = kept + step
        above = loss()
        p[index] = kept - step
        below = loss()
        p[index] = kept
        assert g[index] == pytest.approx((above - below) / (2 * step), rel=1e-3, abs=1e-6)


@pytest.fixture(scope="module")
def resnet50(model_path):
    return model_path("resnet50")


def test_resnet50_has_the_architecture_of_the_paper(resnet50):
    model = onnx.load(resnet50)
    operators = [n.op_type for n in model.graph.node]
    assert operators.count("Conv") == operators.count("BatchNormalization") == 53
    weights = sum(int(np.prod(w.dims)) for w in model.graph.initializer)
    running_statistics = sum(int(np.prod(w.dims)) for w in model.graph.initializer if ".running_" in w.name)
    assert weights - running_statistics == 25_557_032


def test_resnet50_logits_spread_and_depend_on_the_image(resnet50):
    run = session(resnet50).run
    images = [np.random.default_rng(100 + i).standard_normal((1, 3, 224, 224)).astype(np.float32) for i in range(3)]
    logits = [run(None, {"input": x})[0] for x in images]
    for y in logits:
        assert y.shape == (1, 1000)
        assert 0.1 < y.std() < 10
        assert len(np.unique(y)) > 990
    for y in logits[1:]:
        assert 0.2 < (y - logits[0]).std() / logits[0].std() < 2


@pytest.fixture(scope="module")
def small_gpt2():
    return make_gpt2.Size(layers=2, width=32, heads=4, vocabulary=100, context=32, tokens=8, past=4)


def gpt2_inputs(size, random):
    caches = {f"past.{i}.{p}": random.standard_normal(size.cache).astype(np.float32)
              for i in range(size.layers) for p in ("key", "value")}
    return {"input_ids": random.integers(0, size.vocabulary, (1, size.tokens)), **caches}


def test_a_token_of_gpt2_sees_the_past_and_nothing_later(small_gpt2, random):
    run = session(make_gpt2.make(small_gpt2).SerializeToString()).run
    inputs = gpt2_inputs(small_gpt2, random)
    logits = run(["logits"], inputs)[0][0]
    inputs["input_ids"][0, 5] ^= 1
    changed = np.abs(run(["logits"], inputs)[0][0] - logits).max(axis=1)
    assert not changed[:5].any() and changed[5:].all()
    inputs["past.0.key"][0, 0, 0, 0] += 1
    assert np.abs(run(["logits"], inputs)[0][0] - logits).max(axis=1).all()


def test_gpt2_of_all_tokens_at_once_is_that_of_token_by_token(small_gpt2, random):
    inputs = gpt2_inputs(small_gpt2, random)
    outputs = session(make_gpt2.make(small_gpt2).SerializeToString()).run(None, inputs)
    tokens = inputs.pop("input_ids")
    for i in range(small_gpt2.tokens):
        one = replace(small_gpt2, tokens=1, past=small_gpt2.past + i)
        logits, *caches = session(make_gpt2.make(one).SerializeToString()).run(
            None, {"input_ids": tokens[:, i : i + 1], **inputs}
        )
        inputs = dict(zip(inputs, caches))
        assert logits[0, 0] == pytest.approx(outputs[0][0, i], abs=1e-5)
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(caches, outputs[1:]))


def test_gpt2_blocks_alone_map_hidden_states(small_gpt2, random):
    size = replace(small_gpt2, vocabulary=0)
    inputs = gpt2_inputs(small_gpt2, random)
    inputs["hidden_states"] = random.standard_normal((1, size.tokens, size.width)).astype(np.float32)
    del inputs["input_ids"]
    hidden = session(make_gpt2.make(size).SerializeToString()).run(None, inputs)[0]
    assert hidden.shape == (1, size.tokens, size.width)
    assert hidden.std() == pytest.approx(1, abs=0.2)  # of the last norm
