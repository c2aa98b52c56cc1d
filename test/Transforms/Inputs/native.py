"""Runs structured modules on the host: upstream lowerings to LLVM, a shared library, numpy arrays."""

import ctypes
import pathlib
import subprocess
import tempfile

import numpy as np

LOWERING = [
    "--one-shot-bufferize=bufferize-function-boundaries"
    " function-boundary-type-conversion=identity-layout-map",
    "--buffer-results-to-out-params=hoist-static-allocs=true modify-public-functions=true",
    "--convert-linalg-to-loops", "--expand-strided-metadata", "--lower-affine",
    "--convert-scf-to-cf", "--arith-expand=include-bf16=true", "--convert-math-to-llvm",
    "--convert-math-to-libm", "--finalize-memref-to-llvm", "--convert-arith-to-llvm",
    "--convert-cf-to-llvm", "--convert-func-to-llvm", "--reconcile-unrealized-casts",
]


def compile(module, passes=()):
    """A ctypes library of the module, its functions with the C interface (_mlir_ciface_NAME)."""
    folder = pathlib.Path(tempfile.mkdtemp())
    mlir = run(["dojo-opt", *passes, "--llvm-request-c-wrappers", *LOWERING], module)
    llvm = run(["mlir-translate", "--mlir-to-llvmir"], mlir)
    run(["llc", "-O1", "-filetype=obj", "-relocation-model=pic", "-fp-contract=off",
         "-mattr=+fma", "-o", folder / "m.o"], llvm)
    run(["ld.lld", "-shared", "-o", folder / "m.so", folder / "m.o"], "")
    return ctypes.CDLL(str(folder / "m.so"))


def run(command, text):
    done = subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr}")
    return done.stdout


def descriptor(array):
    """What a function of the C interface takes for a memref."""
    rank = array.ndim

    class MemRef(ctypes.Structure):
        _fields_ = [("allocated", ctypes.c_void_p), ("aligned", ctypes.c_void_p),
                    ("offset", ctypes.c_int64), ("sizes", ctypes.c_int64 * rank),
                    ("strides", ctypes.c_int64 * rank)]

    strides = [s // array.itemsize for s in array.strides]
    return MemRef(array.ctypes.data, array.ctypes.data, 0, (ctypes.c_int64 * rank)(*array.shape),
                  (ctypes.c_int64 * rank)(*strides))


def call(library, name, arrays):
    memrefs = [descriptor(array) for array in arrays]
    getattr(library, "_mlir_ciface_" + name)(*[ctypes.byref(m) for m in memrefs])
