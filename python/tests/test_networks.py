"""Published networks with seeded weights on a die, against ONNX Runtime: convolutional ones, short transformer
encoders of full width, and a recurrent language model, its logits by a table of their own or by that of the words."""

import numpy as np
import onnx
import pytest

from graph import parameters
from test_models import check_equal, inputs_of

# What the architectures have; a layer of both transformers has 7,087,872.
PARAMETERS = {
    "mobilenetv2": 3_504_872,
    "efficientnet_b0": 5_288_548,
    "unet": 7_763_041,
    "lstm_lm": 2 * 10_000 * 650 + 10_000 + 2 * 4 * 650 * (2 * 650 + 2),
    "lstm_lm_tied": 2_000 * 650 + 2_000 + 2 * 4 * 650 * (2 * 650 + 2),
    "bert_2_layers": 109_482_240 - 10 * 7_087_872,
    "vit_2_layers": 86_567_656 - 10 * 7_087_872,
}
ROWS = [(model, precision) for model in PARAMETERS for precision in ("fp32", "bf16")]


@pytest.mark.parametrize("model, precision", ROWS)
def test_equals_onnx_runtime_with_every_access_in_a_live_buffer(compiled, model_path, model, precision):
    program, path = compiled(model, "d1-die", precision), model_path(model)
    check_equal(program, path, inputs_of(program, path, model, 0), precision, strict="memory")


def test_a_unet_takes_images_of_its_full_size(compiled, model_path):
    program, path = compiled("unet_256", "d1-die", "bf16"), model_path("unet_256")
    assert program.inputs[0].shape == (1, 3, 256, 256)
    check_equal(program, path, inputs_of(program, path, "unet_256", 0), "bf16")


@pytest.mark.parametrize("model", PARAMETERS)
def test_has_the_parameters_of_the_architecture(model_path, model):
    assert parameters(onnx.load(model_path(model))) == PARAMETERS[model]


@pytest.mark.parametrize("model", PARAMETERS)
def test_outputs_depend_on_the_inputs(compiled, model_path, model):
    from dojo.verify import Reference

    program, path = compiled(model, "d1-die", "bf16"), model_path(model)
    first, second = (Reference(path).run(inputs_of(program, path, model, seed)) for seed in (0, 1))
    for name, values in first.items():
        assert 0.1 < values.std() < 10
        assert 0.1 < np.std(second[name] - values) / values.std() < 2


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_network_in_8_bits_classes_digits_as_onnx_runtime_does(compiled, model_path, precision):
    from digits_accuracy import d1_logits, reference_logits
    from make_digits import split

    program, path = compiled("qdq_cnn", "d1-die", precision), model_path("qdq_cnn")
    assert {node.op_type for node in onnx.load(path).graph.node} >= {"QuantizeLinear", "DequantizeLinear", "Conv"}
    _, (images, labels) = split()
    check_equal(program, path, {"image": images[:20]}, precision, strict="memory")
    found, expected = d1_logits(program, images), reference_logits(path, images)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert (found.argmax(axis=1) == labels).mean() > 0.96
