"""RNN, GRU and LSTM with all that ONNX lets them have, against ONNX Runtime, strict about memory."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import dojo
from dojo.verify import Reference, check

STEPS, BATCH, INPUTS, HIDDEN = 5, 3, 10, 24
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
FUNCTIONS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}


def model_of(op, bias=False, states=False, peepholes=False, lengths=None, constant=True, **attributes):
    """The model and its inputs; weights are constants or inputs."""
    random = np.random.default_rng(0)
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    rows = GATES[op] * HIDDEN

    def draw(*shape):
        return random.uniform(-0.5, 0.5, shape).astype(np.float32)

    operands = {"x": 4 * draw(STEPS, BATCH, INPUTS)}
    weights = {"w": draw(directions, rows, INPUTS), "r": draw(directions, rows, HIDDEN)}
    weights["b"] = draw(directions, 2 * rows) if bias else None
    operands["n"] = None if lengths is None else np.array(lengths, np.int32)
    operands["h"] = draw(directions, BATCH, HIDDEN) if states else None
    if op == "LSTM":
        operands["c"] = draw(directions, BATCH, HIDDEN) if states else None
        weights["p"] = draw(directions, 3 * HIDDEN) if peepholes else None
    order = "x w r b n h c p".split() if op == "LSTM" else "x w r b n h".split()
    given = {name: array for name, array in {**operands, **weights}.items() if array is not None}
    inputs = {name: array for name, array in given.items() if name in operands or not constant}
    outputs = ["y", "y_h"] + (["y_c"] if op == "LSTM" else [])
    node = helper.make_node(
        op, [name if name in given else "" for name in order], outputs, "cell", hidden_size=HIDDEN, **attributes
    )
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in inputs.items()
    ]
    results = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs]
    tensors = [numpy_helper.from_array(a, n) for n, a in given.items() if n not in inputs]
    graph = helper.make_graph([node], "recurrent", infos, results, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), inputs


def verify(model, inputs, target="d1-mini", precision="fp32"):
    program = dojo.compile(model, target=target, precision=precision)
    result = check(program, Reference(model.SerializeToString()), inputs, precision, strict="memory")
    assert result.passed, "\n".join(c.line() for c in result.comparisons)


OPTIONS = {
    "plain": {},
    "reverse": {"direction": "reverse", "bias": True},
    "bidirectional": {"direction": "bidirectional", "bias": True, "states": True},
    "lengths": {"lengths": [5, 2, 3], "direction": "bidirectional", "states": True},
    "clip": {"clip": 0.4, "bias": True},
    "weights as inputs": {"constant": False, "bias": True},
}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("op", GATES)
def test_equals_onnx_runtime(op, option):
    verify(*model_of(op, **OPTIONS[option]))


@pytest.mark.parametrize("bias", [False, True])
def test_a_gru_that_resets_behind_the_product(bias):
    verify(*model_of("GRU", bias=bias, linear_before_reset=1))


@pytest.mark.parametrize("option", [{"peepholes": True, "bias": True, "states": True}, {"input_forget": 1}])
def test_an_lstm_with(option):
    verify(*model_of("LSTM", **option))


ACTIVATIONS = {
    "Affine": ([0.7], [0.1]),
    "LeakyRelu": ([0.2], []),
    "ThresholdedRelu": ([0.3], []),
    "ScaledTanh": ([1.5], [0.6]),
    "HardSigmoid": ([0.3], [0.4]),
    "Elu": ([0.8], []),
    "Relu": ([], []),
    "Softsign": ([], []),
    "Softplus": ([], []),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    alpha, beta = ACTIVATIONS[name]
    options = {"activations": [name], "clip": 3.0}
    options |= {"activation_alpha": alpha} if alpha else {}
    options |= {"activation_beta": beta} if beta else {}
    verify(*model_of("RNN", **options))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("op", GATES)
def test_on_a_die(op, precision):
    verify(*model_of(op, bias=True, direction="bidirectional"), "d1-die", precision)


REFUSALS = [
    ({"direction": "sideways"}, "its direction 'sideways' is not one of forward, reverse, bidirectional"),
    ({"activations": ["Sine", "Tanh", "Tanh"]}, "its activation 'Sine' is not supported"),
    ({"activations": ["Tanh"]}, "it needs 3 activations"),
    ({"hidden": 7}, "its hidden_size is not that of its weights, 24"),
    ({"bias": 7}, "its biases are 1x7, expected 1x192"),
]


@pytest.mark.parametrize("change, cause", REFUSALS)
def test_is_refused(change, cause):
    changes = dict(change)
    size, biases = changes.pop("hidden", HIDDEN), changes.pop("bias", 0)
    model, _ = model_of("LSTM", bias=bool(biases), **changes)
    next(a for a in model.graph.node[0].attribute if a.name == "hidden_size").i = size
    for tensor in model.graph.initializer:
        if tensor.name == "b":
            tensor.CopyFrom(numpy_helper.from_array(np.zeros((1, biases), np.float32), "b"))
    with pytest.raises(dojo.Error) as caught:
        dojo.compile(model, target="d1-mini")
    assert cause in str(caught.value)
