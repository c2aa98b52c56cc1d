"""What is measured: one line for each model on a machine in a precision, and how to come by the models."""

import pathlib
import sys
from dataclasses import dataclass, field

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "examples"))


@dataclass(frozen=True)
class Model:
    """make(folder) returns the path of its file; shapes and ranges are what dojo-verify's options say."""

    make: callable
    shapes: dict = field(default_factory=dict)
    ranges: dict = field(default_factory=dict)


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


def resnet50(folder):
    import make_resnet50
    import onnx

    path = pathlib.Path(folder, "resnet50.onnx")
    onnx.save(make_resnet50.make(), path)
    return path


MODELS = {
    "digits_mlp": Model(digits("digits_mlp")),
    "digits_cnn": Model(digits("digits_cnn")),
    "magika": Model(magika, {"bytes": (1, 2048)}, {"bytes": (0, 257)}),
    "resnet50": Model(resnet50),
}

ROWS = [
    Row("digits_mlp", "d1-node", "fp32", quick=True),
    Row("digits_cnn", "d1-mini", "bf16", quick=True),
    Row("magika", "d1-mini", "bf16"),
    Row("magika", "d1-die", "fp32"),
    Row("magika", "d1-die", "bf16"),
    Row("resnet50", "d1-mini", "bf16"),
    Row("resnet50", "d1-die", "fp32"),
    Row("resnet50", "d1-die", "bf16"),
]
