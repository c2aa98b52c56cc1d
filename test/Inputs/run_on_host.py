"""Lowers ONNX models to the host with MLIR's own passes, runs them, and compares
with ONNX Runtime (or with the expected outputs of ONNX's own test cases).

  run_on_host.py model FILE.onnx [--shape NAME=DIMS]... [--low N --high N]
  run_on_host.py backend [OPERATOR...]     the node cases of the onnx package
"""
import argparse
import collections
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper

LOWERING = [
    "--lower-onnx", "--llvm-request-c-wrappers", "--canonicalize",
    "--one-shot-bufferize=bufferize-function-boundaries "
    "function-boundary-type-conversion=identity-layout-map",
    "--convert-linalg-to-loops", "--expand-strided-metadata", "--lower-affine", "--convert-scf-to-cf",
    "--convert-math-to-libm", "--convert-math-to-llvm", "--arith-expand",
    "--finalize-memref-to-llvm", "--convert-func-to-llvm", "--convert-arith-to-llvm", "--convert-cf-to-llvm",
    "--convert-index-to-llvm", "--reconcile-unrealized-casts"]


class Refused(Exception):
    """dojo says that it cannot compile the model."""


class Wrong(Exception):
    """Something after --lower-onnx failed."""


def build(model_path, shapes, folder):
    translate = ["dojo-translate", "--import-onnx", model_path] + [f"--shape={s}" for s in shapes]
    module = subprocess.run(translate, capture_output=True)
    if module.returncode:
        raise Refused(module.stderr.decode().strip())
    check = subprocess.run(["dojo-opt", "--lower-onnx", "--emit-bytecode"], input=module.stdout, capture_output=True)
    if check.returncode:
        raise Refused(check.stderr.decode().strip())
    lowered = subprocess.run(["dojo-opt"] + LOWERING, input=module.stdout, capture_output=True)
    if lowered.returncode:
        raise Wrong(lowered.stderr.decode().strip())
    ir = subprocess.run(["mlir-translate", "--mlir-to-llvmir"], input=lowered.stdout, capture_output=True)
    if ir.returncode:
        raise Wrong(ir.stderr.decode().strip())
    library = os.path.join(folder, "model.so")
    prefix = os.path.dirname(os.path.dirname(os.path.realpath(shutil.which("mlir-translate"))))
    runtime = os.path.join(prefix, "lib", "libmlir_c_runner_utils.so")
    clang = subprocess.run(["clang", "-O1", "-w", "-shared", "-fPIC", "-x", "ir", "-", "-x", "none", runtime,
                            "-o", library, "-lm", "-Wl,-rpath," + os.path.dirname(runtime)],
                           input=ir.stdout, capture_output=True)
    if clang.returncode:
        raise Wrong(clang.stderr.decode().strip())
    try:
        return ctypes.CDLL(library)
    except OSError as error:
        raise Wrong(str(error)) from error


def descriptor(array):
    """A memref descriptor: two pointers, offset, sizes, strides."""
    strides = [stride // array.itemsize for stride in array.strides]
    return (ctypes.c_int64 * (3 + 2 * array.ndim))(array.ctypes.data, array.ctypes.data, 0, *array.shape, *strides)


def run(library, inputs, outputs):
    """Calls `main`; `outputs` lists (dtype, rank)."""
    words = [3 + 2 * rank for _, rank in outputs]
    results = (ctypes.c_int64 * max(1, sum(words)))()
    arrays = [np.ascontiguousarray(a) for a in inputs]
    descriptors = [descriptor(a) for a in arrays]
    library._mlir_ciface_main(results, *descriptors)
    values, at = [], 0
    for (dtype, rank), count in zip(outputs, words):
        word = results[at:at + count]
        at += count
        shape, strides = word[3:3 + rank], word[3 + rank:]
        size = np.prod(shape, dtype=np.int64)
        if not size:
            values.append(np.zeros(shape, dtype))
            continue
        itemsize = np.dtype(dtype).itemsize
        span = 1 + sum((n - 1) * s for n, s in zip(shape, strides))
        memory = ctypes.string_at(word[1] + word[2] * itemsize, span * itemsize)
        values.append(np.lib.stride_tricks.as_strided(np.frombuffer(memory, dtype), shape,
                                                      [s * itemsize for s in strides]).copy())
    return values


def run_model(args):
    import onnxruntime
    session = onnxruntime.InferenceSession(args.file)
    bound = dict(s.rsplit("=", 1) for s in args.shape)
    rng = np.random.default_rng(args.seed)
    feeds = {}
    for value in session.get_inputs():
        dims = [int(d) for d in bound[value.name].replace(",", "x").split("x")] if value.name in bound else [
            d if isinstance(d, int) else int(bound[d]) for d in value.shape]
        integer = "int" in value.type
        wide = value.type == "tensor(int64)"
        feeds[value.name] = (rng.integers(args.low, args.high, dims).astype(np.int64 if wide else np.int32) if integer
                             else rng.standard_normal(dims).astype(np.float32))
    expected = session.run(None, feeds)
    with tempfile.TemporaryDirectory() as folder:
        library = build(args.file, args.shape, folder)
        actual = run(library, list(feeds.values()), [(e.dtype, e.ndim) for e in expected])
    for value, a, e in zip(session.get_outputs(), actual, expected):
        largest = float(np.max(np.abs(e), initial=0))
        error = float(np.max(np.abs(a - e), initial=0))
        print(f"{value.name}: largest error {error:.3g} of magnitude {largest:.3g}")
        if a.shape != e.shape or not error <= 1e-4 * largest:
            sys.exit("FAIL")
    print("PASS")


def with_constants(model, names, arrays):
    """Inputs that only say shapes or axes become initializers, as exporters write them."""
    kept = []
    for value, array in zip(model.graph.input, arrays):
        if (array.dtype == np.int64 and array.size <= 64) or value.name == "scales":
            model.graph.initializer.append(numpy_helper.from_array(array, value.name))
        else:
            kept.append((value, array))
    del model.graph.input[:]
    model.graph.input.extend(value for value, _ in kept)
    return [array for _, array in kept]


def run_case(case):
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    arrays, expected = case.data_sets[0]
    if any(not isinstance(a, np.ndarray) for a in list(arrays) + list(expected)):
        raise Refused("values that are no tensors")
    inputs = with_constants(model, case.name, arrays)
    for value, array in zip(model.graph.input, inputs):
        value.CopyFrom(helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, array.shape))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "case.onnx")
        onnx.save(model, path)
        library = build(path, [], folder)
        actual = run(library, inputs, [(e.dtype, e.ndim) for e in expected])
    for a, e in zip(actual, expected):
        if a.shape != e.shape:
            raise Wrong(f"shape {a.shape}, expected {e.shape}")
    narrow = any(e.dtype.name == "bfloat16" for e in expected)
    for a, e in zip(actual, expected):
        np.testing.assert_allclose(a.astype(np.float64), e.astype(np.float64), rtol=1e-2 if narrow else 1e-3, atol=1e-5)


def run_backend(args):
    from onnx.backend.test.loader import load_model_tests  # noqa: F401  (fails early without onnx's tests)
    from onnx.backend.test.case.node import collect_testcases
    wanted = set(args.operators)
    counts, wrong, refused = collections.Counter(), [], collections.defaultdict(list)
    for case in collect_testcases(None):
        # A case "..._expanded" restates another operator by simpler ones.
        if "_expanded" in case.name and not args.expanded:
            continue
        operators = {node.op_type for node in case.model.graph.node}
        if wanted and not operators & wanted:
            continue
        try:
            run_case(case)
            counts["passed"] += 1
            if args.verbose:
                print("passed", case.name)
        except Refused as reason:
            counts["refused"] += 1
            refused[str(reason).splitlines()[0]].append(case.name)
        except (Wrong, AssertionError) as reason:
            counts["wrong"] += 1
            wrong.append((case.name, " ".join(str(reason).split())[:300]))
    if args.verbose:
        for reason, names in refused.items():
            print("refused", ",".join(names), "|", reason)
    for name, reason in wrong:
        print("wrong", name, "|", reason)
    print(f"{counts['passed']} cases pass, {counts['refused']} are refused, {counts['wrong']} are wrong")
    sys.exit(1 if wrong or not counts["passed"] else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    model = commands.add_parser("model")
    model.add_argument("file")
    model.add_argument("--shape", action="append", default=[])
    model.add_argument("--seed", type=int, default=0)
    model.add_argument("--low", type=int, default=0)
    model.add_argument("--high", type=int, default=2)
    model.set_defaults(run=run_model)
    backend = commands.add_parser("backend")
    backend.add_argument("operators", nargs="*")
    backend.add_argument("--expanded", action="store_true", help="also the cases that restate others by functions")
    backend.add_argument("--verbose", action="store_true")
    backend.set_defaults(run=run_backend)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
