"""dojo.compile and dojo.Program: numpy arrays in and out, the C++ side deals in bytes."""

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
    "i8": np.int8,
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
    run_report  the executor's, summed over the runs since `init`; None before the first run
    """

    def __init__(self, native, report):
        self._native = native
        self.inputs = [Tensor(n, t, tuple(s)) for n, t, s in native.inputs()]
        self.outputs = [Tensor(n, t, tuple(s)) for n, t, s in native.outputs()]
        self.report = report
        self.run_report = None

    @staticmethod
    def load(path):
        return Program(_dojo.load(os.fspath(path)), {})

    def save(self, path):
        self._native.save(os.fspath(path))

    def run(self, inputs, threads=None, strict=None):
        """name -> array in, name -> array out. The first run, and one with other options than
        the run before, loads the program afresh and starts with its `init`.

        threads: host threads, one for each core if None; results do not depend on it.
        strict: "memory" checks every access against the table of buffers.
        """
        if strict not in (None, "memory"):
            raise Error(f"strict is {strict!r}, expected None or 'memory'")
        if threads is not None and threads < 1:
            raise Error(f"threads is {threads}, expected at least 1")
        results, report = self._native.run(self._bytes_of(inputs), threads or 0, strict == "memory")
        self.run_report = json.loads(report)
        return {t.name: decoded(t, r) for t, r in zip(self.outputs, results)}

    def _bytes_of(self, inputs):
        known = [t.name for t in self.inputs]
        for name in inputs:
            if name not in known:
                raise Error(f"the program has no input '{name}'; its inputs are {', '.join(known) or 'none'}")
        for name in known:
            if name not in inputs:
                raise Error(f"input '{name}' is missing")
        return [encoded(t, np.asarray(inputs[t.name])) for t in self.inputs]


def compile(model, target="d1-die", precision="bf16", shapes=None, dump_after=""):
    """Compiles a path, the bytes of a model, or a ModelProto.

    shapes: input name or dimension parameter -> size or sizes.
    """
    bound = [(name, [int(d) for d in np.atleast_1d(dims)]) for name, dims in (shapes or {}).items()]
    if isinstance(model, (str, os.PathLike)):
        return _compile_file(os.fspath(model), target, precision, bound, dump_after)
    data = model if isinstance(model, (bytes, bytearray)) else model.SerializeToString()
    with tempfile.TemporaryDirectory(prefix="dojo-") as folder:
        path = pathlib.Path(folder, "model.onnx")
        path.write_bytes(data)
        return _compile_file(str(path), target, precision, bound, dump_after)


def _compile_file(path, target, precision, shapes, dump_after):
    native, report = _dojo.compile(path, target, precision, shapes, dump_after)
    return Program(native, json.loads(report))


def encoded(tensor, array):
    """The bytes of an array as the program stores the tensor."""
    if array.shape != tensor.shape:
        raise Error(f"input '{tensor.name}' has shape {array.shape}, the program expects {tensor.shape}")
    if not castable(array, tensor.dtype):
        raise Error(f"input '{tensor.name}' has element type {array.dtype}, the program expects {tensor.element_type}")
    values = np.ascontiguousarray(array, tensor.dtype)
    return (to_bf16(values) if tensor.element_type == "bf16" else values).tobytes()


def castable(array, dtype):
    """Floats may be rounded; integers must keep their values."""
    if dtype.kind in "iu" and array.dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return not array.size or (limits.min <= array.min() and array.max() <= limits.max)
    return np.can_cast(array.dtype, dtype, "same_kind") and array.dtype.kind == dtype.kind


def decoded(tensor, data):
    if tensor.element_type == "bf16":
        values = (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
    else:
        values = np.frombuffer(data, tensor.dtype)
    return values.reshape(tensor.shape).copy()


def to_bf16(values):
    """float32 -> the bits of the nearest BF16, ties to even; a NaN stays a NaN."""
    bits = values.view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(values), ((bits >> 16) | 0x40).astype(np.uint16), rounded)
