"""Runs structured modules on the host: upstream lowerings to LLVM, a shared library, numpy arrays."""

import ctypes
import pathlib
import re
import shutil
import subprocess
import tempfile

import numpy as np

TYPES = {"f32": np.float32, "f64": np.float64, "bf16": np.uint16, "i32": np.int32, "i8": np.int8}
TENSOR = re.compile(r"tensor<((?:\d+x)*)(\w+)>")
STORE = re.compile(r"ml_program.global_store @([\w$.]+) = (%\w+) : (tensor<[^>]*>)")
LOAD = re.compile(r"(%\w+) = ml_program.global_load @([\w$.]+) : (tensor<[^>]*>)")
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
    text = run(["dojo-opt", *passes], module)
    mlir = run(["dojo-opt", "--llvm-request-c-wrappers", *LOWERING], without_globals(text))
    llvm = run(["mlir-translate", "--mlir-to-llvmir"], mlir)
    run(["llc", "-O1", "-filetype=obj", "-relocation-model=pic", "-fp-contract=off",
         "-mattr=+fma", "-o", folder / "m.o"], llvm)
    run(["ld.lld", "-shared", "-Bsymbolic", "-o", folder / "m.so", folder / "m.o"], "")
    ctypes.CDLL(str(llvm_folder() / "lib" / "libmlir_c_runner_utils.so"), mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(str(folder / "m.so"))
    library.globals = [array(tensor) for _, _, tensor in STORE.findall(text)]
    return library


def array(tensor):
    match = TENSOR.match(tensor)
    return np.empty(tuple(int(d) for d in match[1].split("x") if d), TYPES[match[2]])


def without_globals(text):
    """Upstream cannot bufferize stores to globals: @init returns the values, @step takes them first."""
    stores, loads = STORE.findall(text), {name: value for value, name, _ in LOAD.findall(text)}
    if not stores:
        return text
    types = [tensor for _, _, tensor in stores]
    values = ", ".join(value for _, value, _ in stores)
    parameters = ", ".join(f"{loads[name]}: {tensor}" for name, _, tensor in stores)
    text = text.replace("@init() {", f"@init() -> ({', '.join(types)}) {{")
    text = text.replace("    return\n", f"    return {values} : {', '.join(types)}\n", 1)
    text = text.replace("@step(", f"@step({parameters}, ")
    return "\n".join(line for line in text.split("\n") if "ml_program.global" not in line)


def llvm_folder():
    return pathlib.Path(shutil.which("llc")).resolve().parent.parent


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
