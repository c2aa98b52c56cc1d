"""Random numbers: Philox by the place of an element, whatever the target, and of the right distribution."""

import numpy as np
import onnx
import pytest
from onnx import helper

import dojo

F, I32, BOOL = onnx.TensorProto.FLOAT, onnx.TensorProto.INT32, onnx.TensorProto.BOOL


def philox(count, seed):
    """Words 0 and 1 of Philox4x32-10 for the counters 0, 1, ... under the bits of a double as key."""
    key = [np.uint64(v) for v in np.array([seed], np.float64).view(np.uint32)]
    low = np.uint64(0xFFFFFFFF)
    c = [np.arange(count, dtype=np.uint64)] + [np.zeros(count, np.uint64)] * 3
    for _ in range(10):
        p, q = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(q >> np.uint64(32)) ^ c[1] ^ key[0], q & low, (p >> np.uint64(32)) ^ c[3] ^ key[1], p & low]
        key = [(key[0] + np.uint64(0x9E3779B9)) & low, (key[1] + np.uint64(0xBB67AE85)) & low]
    return c[0], c[1]


def fractions(words):
    return ((words >> np.uint64(8)) * 2.0**-24).astype(np.float32)


def run(nodes, inputs=(), outputs=(("y", F, None),), target="d1-mini", feeds=None, initializers=()):
    info = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "g", [info(*i) for i in inputs], [info(*o) for o in outputs], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    return dojo.compile(model, target=target, precision="fp32").run(feeds or {}, strict="memory")


@pytest.mark.parametrize("target", ["d1-node", "d1-mini"])
def test_numbers_follow_from_the_place_alone(target):
    y = run([helper.make_node("RandomUniform", [], ["y"], shape=[7, 5, 3], seed=4.0, low=-1.0, high=1.0)], target=target)["y"]
    expected = fractions(philox(105, 4.0)[0]).reshape(7, 5, 3) * np.float32(2) - np.float32(1)
    np.testing.assert_array_equal(y, expected)


def test_normal_numbers_are_those_of_box_and_muller():
    y = run([helper.make_node("RandomNormal", [], ["y"], shape=[64, 64], seed=1.5, mean=3.0, scale=2.0)])["y"]
    u, v = (fractions(w).astype(np.float64) for w in philox(64 * 64, 1.5))
    expected = 3 + 2 * np.sqrt(-2 * np.log(1 - u)) * np.cos(2 * np.pi * v)
    np.testing.assert_allclose(y, expected.reshape(64, 64), rtol=1e-5, atol=1e-5)
    assert abs(y.mean() - 3) < 0.1 and abs(y.std() - 2) < 0.1


def test_a_node_without_a_seed_has_one_of_its_own():
    nodes = [helper.make_node("RandomUniform", [], [name], name, shape=[64]) for name in ("a", "b")]
    outputs = [("a", F, None), ("b", F, None)]
    first, second = run(nodes, outputs=outputs), run(nodes, outputs=outputs)
    assert not np.array_equal(first["a"], first["b"])
    for name in "ab":
        np.testing.assert_array_equal(first[name], second[name])


def test_bernoulli_draws_ones_by_their_chance():
    chance = np.repeat(np.array([0, 0.25, 0.75, 1], np.float32), 1024).reshape(4, 1024)
    y = run([helper.make_node("Bernoulli", ["x"], ["y"], seed=0.0)], [("x", F, [4, 1024])], feeds={"x": chance})["y"]
    np.testing.assert_array_equal(y, (fractions(philox(4096, 0.0)[0]).reshape(4, 1024) < chance).astype(np.float32))
    np.testing.assert_allclose(y.mean(axis=1), [0, 0.25, 0.75, 1], atol=0.05)


def test_multinomial_draws_classes_by_their_weights():
    weights = np.array([[1, 0, 3, 4], [0, 1, 0, 0]], np.float32)
    with np.errstate(divide="ignore"):
        logs = np.log(weights)
    node = helper.make_node("Multinomial", ["x"], ["y"], seed=2.0, sample_size=2000)
    y = run([node], [("x", F, [2, 4])], [("y", I32, None)], feeds={"x": logs})["y"]
    counts = np.stack([np.bincount(row, minlength=4) for row in y]) / 2000
    np.testing.assert_allclose(counts, weights / weights.sum(axis=1, keepdims=True), atol=0.03)


def test_dropout_keeps_the_mean_and_says_what_it_dropped():
    x = np.random.default_rng(0).uniform(1, 2, (32, 64)).astype(np.float32)
    node = helper.make_node("Dropout", ["x", "ratio", "training"], ["y", "mask"], seed=3)
    constants = [onnx.numpy_helper.from_array(np.array(True), "training")]
    for ratio in (0.25, 0.5):
        results = run([node], [("x", F, [32, 64]), ("ratio", F, [])], [("y", F, None), ("mask", BOOL, None)],
                      feeds={"x": x, "ratio": np.float32(ratio).reshape(())}, initializers=constants)
        mask = fractions(philox(2048, 3.0)[0]).reshape(32, 64) >= ratio
        np.testing.assert_array_equal(results["mask"], mask)
        np.testing.assert_allclose(results["y"], np.where(mask, x / np.float32(1 - ratio), 0), rtol=1e-6)
        assert abs(results["y"].mean() - x.mean()) < 0.1
