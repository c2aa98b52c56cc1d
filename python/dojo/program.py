"""dojo.compile and dojo.Program: numpy arrays in and out; the native side does the work."""

import io
import json
import os
import pathlib
import tempfile
from dataclasses import dataclass

import numpy as np

import _dojo

Error = _dojo.Error

# Element types as the binary names them. A bf16 tensor is seen as float32 from here.
NUMPY_TYPES = {
    "f32": np.float32,
    "bf16": np.float32,
    "f16": np.float16,
    "i64": np.int64,
    "i32": np.int32,
    "i16": np.int16,
    "i8": np.int8,
    "u64": np.uint64,
    "u32": np.uint32,
    "u16": np.uint16,
    "u8": np.uint8,
    "bool": np.bool_,
}


@dataclass(frozen=True)
class Tensor:
    """An input or output of a program."""

    name: str
    element_type: str
    shape: tuple

    @property
    def dtype(self):
        return np.dtype(NUMPY_TYPES[self.element_type])


class Program:
    """A compiled model and its state.

    report      the compiler's figures; empty for a loaded program
    messages    warnings and remarks of the compiler, as in "remark: node 'x': f64 is computed as f32"
    run_report  the executor's, summed over the runs since `init`; None before the first run
    """

    def __init__(self, native, report, messages=()):
        self._native = native
        self.inputs = [Tensor(n, t, tuple(s)) for n, t, s in native.inputs()]
        self.outputs = [Tensor(n, t, tuple(s)) for n, t, s in native.outputs()]
        self.report = report
        self.messages = list(messages)
        self.run_report = None

    @staticmethod
    def load(path, machine=None):
        """machine: a preset or the path of a machine file that differs from the one compiled for in its
        dead nodes, but not in the logical grid around them."""
        return Program(_dojo.load(os.fspath(path), os.fspath(machine or "")), {})

    def save(self, path):
        self._native.save(os.fspath(path))

    def run(self, inputs, threads=None, strict=None, timing=False):
        """name -> array in, name -> array out. The first run, and one with other options than
        the run before, loads the program afresh and starts with its `init`.

        threads: host threads, one for each core if None; results do not depend on it.
        strict: "memory" checks every access against the table of buffers, "race" also that accesses to the
            same bytes are ordered (docs/Races.md).
        timing: model the time of each entry; run_report["modelled"] has the figures.
        """
        if strict not in (None, "memory", "race"):
            raise Error(f"strict is {strict!r}, expected None, 'memory' or 'race'")
        if threads is not None and threads < 1:
            raise Error(f"threads is {threads}, expected at least 1")
        given = [(name, npy_bytes(array)) for name, array in inputs.items()]
        results, report = self._native.run(given, threads or 0, strict or "", timing)
        self.run_report = json.loads(report)
        return {name: np.load(io.BytesIO(npy)) for name, npy in results}


def compile(model, target="d1-die", precision="bf16", shapes=None, dump_after="", mapping=None):
    """Compiles a path, the bytes of a model, or a ModelProto.

    shapes: input name or dimension parameter -> size or sizes.
    mapping: a file of mappings to obey (docs/Mapping.md).
    """
    bound = [(name, [int(d) for d in np.atleast_1d(dims)]) for name, dims in (shapes or {}).items()]
    options = (target, precision, bound, dump_after, os.fspath(mapping or ""))
    if isinstance(model, (str, os.PathLike)):
        return _compile_file(os.fspath(model), *options)
    data = model if isinstance(model, (bytes, bytearray)) else model.SerializeToString()
    with tempfile.TemporaryDirectory(prefix="dojo-") as folder:
        path = pathlib.Path(folder, "model.onnx")
        path.write_bytes(data)
        return _compile_file(str(path), *options)


def _compile_file(path, *options):
    native, report, messages = _dojo.compile(path, *options)
    return Program(native, json.loads(report), messages)


def exceeds_float32(array):
    """Whether an array holds finite float64 values that are infinite as float32."""
    if array.dtype != np.float64:
        return False
    return bool(np.any(np.isfinite(array) & (np.abs(array) > np.finfo(np.float32).max)))


def npy_bytes(array):
    """The .npy file of an array; float64, which numpy makes of plain Python numbers, as float32."""
    array = np.asarray(array, order="C")
    if array.dtype == np.float64:
        if exceeds_float32(array):
            raise Error("the array holds float64 values that float32, which computes them, does not reach")
        array = array.astype(np.float32)
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=False)
    return file.getvalue()
