"""dojo-verify: compiles an ONNX model, runs it, and compares with ONNX Runtime on the same inputs.

The package needs ONNX Runtime here alone.
"""

import argparse
import contextlib
import json
import math
import pathlib
import re
import signal
import sys
import zipfile
from dataclasses import dataclass

import numpy as np

import dojo
from dojo.compare import LIMITS, compare_all
from dojo.progress import Progress

ORT_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}
LIST = re.compile(r"^(seq|optional)\((.*)\)$")
ELEMENT = re.compile(r"\[\d+\]$")


@dataclass
class Verification:
    """What one comparison of a program with its reference came to."""

    comparisons: list
    outputs: dict
    report: dict
    bisection: object = None

    @property
    def passed(self):
        found = self.bisection and self.bisection.first
        return bool(self.comparisons) and all(c.passed for c in self.comparisons) and not found


class Reference:
    """ONNX Runtime on the model; its inputs' names, element types and order.

    As in a program, the elements of list NAME are the tensors NAME[0], NAME[1], ...
    """

    def __init__(self, model):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        with onnxruntime_errors():
            self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._kinds = {i.name: i.type for i in self.session.get_inputs()}
        self.lists = {name for name, kind in self._kinds.items() if LIST.match(kind)}
        self.types = {name: ORT_TYPES.get(innermost(kind)) for name, kind in self._kinds.items()}
        self._outputs = {o.name: o.type for o in self.session.get_outputs()}
        self.comparable = {name for name, kind in self._outputs.items() if kind in ORT_TYPES}

    def type_of(self, tensor):
        """The element type of an input, or of an element of one; None if numpy has none."""
        return self.types.get(tensor, self.types.get(ELEMENT.sub("", tensor)))

    def run(self, inputs):
        arrays = {name: np.asarray(x, self.type_of(name)) for name, x in inputs.items()}
        given = {name: x for name, x in arrays.items() if ELEMENT.sub("", name) not in self.lists}
        given.update({name: collected(arrays, name, self._kinds[name]) for name in self.lists})
        with onnxruntime_errors():
            results = zip(self._outputs.items(), self.session.run(None, given))
        return {name: x for (output, kind), value in results for name, x in tensors_of(output, value, kind).items()}


def innermost(kind):
    """The type of the tensors of a list, of ONNX Runtime's words for a type."""
    while inner := LIST.match(kind):
        kind = inner[2]
    return kind


def collected(arrays, name, kind):
    """The list of this name, as ONNX Runtime takes it."""
    items = []
    while f"{name}[{len(items)}]" in arrays:
        items.append(arrays[f"{name}[{len(items)}]"])
    if kind.startswith("seq"):
        return items
    is_sequence = LIST.match(kind)[2].startswith("seq")
    return (items if is_sequence else items[0]) if items else None


def tensors_of(name, value, kind):
    """The tensors of an output by the names that a program gives them."""
    if not LIST.match(kind):
        return {name: value}
    items = value if isinstance(value, list) else [value]
    return {f"{name}[{i}]": item for i, item in enumerate(items) if item is not None}


@contextlib.contextmanager
def onnxruntime_errors():
    """ONNX Runtime's exceptions have no base of their own."""
    try:
        yield
    except Exception as error:
        raise dojo.Error(f"ONNX Runtime: {error}") from error


def random_inputs(program, reference, seed, ranges=None):
    """Floats normal(0, 1), integers uniform in [0, 2), or uniform in [LO, HI) where `ranges` has the name."""
    ranges = ranges or {}
    unknown = set(ranges) - {t.name for t in program.inputs}
    if unknown:
        raise dojo.Error(f"--range names '{min(unknown)}', which is not an input of the model")
    random = np.random.default_rng(seed)
    inputs = {}
    for tensor in program.inputs:
        dtype = np.dtype(reference.type_of(tensor.name) or tensor.dtype)
        inputs[tensor.name] = draw(random, tensor.shape, dtype, ranges.get(tensor.name))
    return inputs


def draw(random, shape, dtype, ends=None):
    if dtype.kind != "f":
        low, high = ends or (0, 2)
        return random.integers(math.ceil(low), math.ceil(high), shape).astype(dtype)
    values = random.uniform(*ends, shape) if ends else random.standard_normal(shape)
    return values.astype(dtype)


def check(program, reference, inputs, precision, threads=None, strict=None, timing=False):
    """Runs both on the inputs (a dict of arrays) and compares."""
    with Progress("running"):
        outputs = program.run(inputs, threads, strict, timing)
    with Progress("running ONNX Runtime"):
        expected = reference.run(inputs)
    comparisons = compare_all(expected, outputs, precision)
    report = {
        "compiler": program.report,
        "executor": program.run_report,
        "outputs": [c.to_json() for c in comparisons],
    }
    return Verification(comparisons, outputs, report)


def verify(model, target="d1-die", precision="bf16", shapes=None, seed=0, ranges=None, threads=None, strict=None):
    """The whole of dojo-verify for a path or the bytes of a model, on random inputs."""
    with Progress("compiling"):
        program = dojo.compile(model, target, precision, shapes)
    reference = Reference(model)
    inputs = random_inputs(program, reference, seed, ranges)
    return check(program, reference, inputs, precision, threads, strict)


def named(text, what):
    name, separator, value = text.rpartition("=")
    if not separator or not name or not value:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME={what}")
    return name, value


def shape_option(text):
    name, dims = (text[:-1], "") if text.endswith("=") and len(text) > 1 else named(text, "DIMS")
    if not dims:
        return name, []
    try:
        return name, [int(d) for d in dims.replace(",", "x").split("x")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{dims}' is not a shape as in 1x3x224x224") from None


def range_option(text):
    name, ends = named(text, "LO:HI")
    try:
        low, high = (float(end) for end in ends.split(":"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{ends}' is not LO:HI") from None
    if not low < high:
        raise argparse.ArgumentTypeError(f"'{ends}' is an empty range")
    return name, (low, high)


def input_option(text):
    return named(text, "FILE.npy")


def parser():
    p = argparse.ArgumentParser("dojo-verify", description=__doc__.split("\n")[0], allow_abbrev=False)
    p.add_argument("model", metavar="MODEL.onnx")
    p.add_argument("-o", dest="binary", metavar="OUT.d1", help="keep the binary")
    p.add_argument("--target", default="d1-die", help="d1-node, d1-mini, d1-die or a file")
    p.add_argument("--precision", default="bf16", choices=sorted(LIMITS))
    p.add_argument("--shape", type=shape_option, action="append", default=[], metavar="NAME=DIMS")
    p.add_argument("--dump-after", default="", metavar="PASS")
    p.add_argument("--mapping", metavar="FILE", help="mappings to obey, one line an op")
    p.add_argument("--input", type=input_option, action="append", default=[], metavar="NAME=FILE.npy")
    p.add_argument("--output-dir", metavar="DIR", help="write each output as NAME.npy")
    p.add_argument("--threads", type=int)
    p.add_argument("--strict", choices=["memory", "race"])
    p.add_argument("--timing", action="store_true", help="model the time of the run (in the report)")
    p.add_argument("--report", metavar="FILE.json", help="figures of the compiler, the run and the comparison")
    p.add_argument("--reference", metavar="FILE.onnx", help="compare with this model, of the same inputs, instead")
    p.add_argument("--bisect", action="store_true", help="name the first node that goes wrong, save it (--output-dir)")
    source = p.add_mutually_exclusive_group()
    source.add_argument("--inputs", metavar="FILE.npz")
    source.add_argument("--random", type=int, default=0, metavar="SEED")
    p.add_argument("--range", type=range_option, action="append", default=[], metavar="NAME=LO:HI")
    return p


def given_inputs(options):
    """Arrays from --inputs and --input."""
    arrays = dict(load_arrays(options.inputs)) if options.inputs else {}
    arrays.update({name: load_arrays(path) for name, path in options.input})
    return arrays


def load_arrays(path):
    """The array of an .npy file, or the arrays of an .npz file by name."""
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise dojo.Error(f"{path} is no file of numpy arrays: {error}") from error


def run(options):
    given = given_inputs(options)
    with Progress("compiling"):
        program = dojo.compile(
            options.model, options.target, options.precision, dict(options.shape), options.dump_after, options.mapping
        )
    for message in program.messages:
        print(f"dojo-verify: {message}", file=sys.stderr)
    if options.binary:
        program.save(options.binary)
    reference = Reference(options.reference or options.model)
    drawn = {} if options.inputs else random_inputs(program, reference, options.random, dict(options.range))
    how = (options.precision, options.threads, options.strict, options.timing)
    inputs = {**drawn, **given}
    result = check(program, reference, inputs, *how)
    if options.bisect:
        result.bisection = bisect(options, inputs, how, result)
    if options.output_dir:
        save_outputs(options.output_dir, result.outputs)
    if options.report:
        with open(options.report, "w", encoding="utf-8") as file:
            json.dump(result.report, file, indent=2)
            file.write("\n")
    return result


def bisect(options, inputs, how, result):
    from dojo.bisect import Bisection

    with Progress("comparing every value"):
        return Bisection(options, inputs, how).run(result)


def save_outputs(folder, outputs):
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    for name, array in outputs.items():
        np.save(pathlib.Path(folder, name.replace("/", "_") + ".npy"), array)


def main(arguments=None):
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    options = parser().parse_args(arguments)
    try:
        result = run(options)
    except (dojo.Error, OSError) as error:
        print(f"dojo-verify: error: {error}", file=sys.stderr)
        return 2
    for comparison in result.comparisons:
        print(comparison.line())
    if result.bisection:
        print("\n".join(result.bisection.lines()))
    print("PASS" if result.passed else "FAIL")
    return 0 if result.passed else 1
