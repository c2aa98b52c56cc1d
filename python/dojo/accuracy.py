"""How far D1 results are from ONNX Runtime's, and both from double precision, in ulp of float32, over the float32
node cases of the official suite.

    python -m dojo.accuracy [REGEX]      prints the tables of docs/Accuracy.md
"""

import argparse
import re
import sys
import warnings
from dataclasses import dataclass

import numpy as np
from onnx import AttributeProto, ModelProto, TensorProto, numpy_helper

import dojo
from dojo import ledger
from dojo.backend import DojoBackend
from dojo.compare import ulp_distance
from dojo.suite import Suite
from dojo.verify import Reference

WITHIN = (0, 1, 2, 4, 8, 16, 64, 1024)


@dataclass(frozen=True)
class Distance:
    """Ulps of all elements of a case: D1 to ONNX Runtime, and where double precision is known, both to that."""

    name: str
    between: np.ndarray
    d1: np.ndarray = None
    runtime: np.ndarray = None

    @staticmethod
    def worst(ulps):
        return int(ulps.max(initial=0))

    @property
    def is_judged(self):
        return self.d1 is not None

    @property
    def is_no_farther(self):
        return self.worst(self.d1) <= self.worst(self.runtime)


def float_cases(suite, pattern=""):
    """The rows of the node cases that pass and compute float32, from nothing shorter."""
    for row in ledger.read_rows():
        if row.status == "passed" and suite.kind(row.name) == "node" and re.search(pattern, row.name):
            outputs = suite.model(row.name).graph.output
            if "bfloat16" not in row.types and all(v.type.tensor_type.elem_type == TensorProto.FLOAT for v in outputs):
                yield row


# ---- Double precision


def widened(model):
    """The model with doubles for its floats: constants keep their values, casts to float are casts to double."""
    wide = ModelProto.FromString(model.SerializeToString())
    widen_graph(wide.graph)
    for function in wide.functions:
        widen_nodes(function.node)
    return wide


def widen_graph(graph):
    for tensor in graph.initializer:
        widen_tensor(tensor)
    widen_nodes(graph.node)


def widen_nodes(nodes):
    for attribute in (attribute for node in nodes for attribute in node.attribute):
        if attribute.name in ("to", "dtype", "output_datatype") and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.DOUBLE
        elif attribute.name in ("value_float", "value_floats"):
            values = np.float64(attribute.f) if attribute.name == "value_float" else np.array(attribute.floats, np.float64)
            attribute.CopyFrom(AttributeProto(name="value", type=AttributeProto.TENSOR, t=numpy_helper.from_array(values)))
        elif attribute.type == AttributeProto.TENSOR:
            widen_tensor(attribute.t)
        elif attribute.type == AttributeProto.GRAPH:
            widen_graph(attribute.g)


def widen_tensor(tensor):
    if tensor.data_type == TensorProto.FLOAT:
        wide = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name)
        tensor.CopyFrom(wide)


class Double:
    """onnx's reference evaluator on doubles. It computes in them where its results are doubles, and agree with the
    suite's.
    """

    def __init__(self, model):
        from onnx.reference import ReferenceEvaluator

        self.names = [value.name for value in model.graph.input]
        try:
            self.evaluator = ReferenceEvaluator(widened(model))
        except Exception:  # which operators it lacks it says by errors of many types
            self.evaluator = None

    def run(self, arrays, expected):
        """The results rounded to float32, or None."""
        try:
            wide = [array.astype(np.float64) if array.dtype == np.float32 else array for array in arrays]
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                results = self.evaluator.run(None, dict(zip(self.names, wide)))
                rounded = [result.astype(np.float32) for result in results if result.dtype == np.float64]
        except Exception:
            return None
        agree = len(rounded) == len(expected) and all(
            result.shape == data.shape and np.allclose(result, data, 1e-3, 1e-5, equal_nan=True)
            for result, data in zip(rounded, expected)
        )
        return rounded if agree else None


# ---- Distances


def distance(suite, row):
    """The Distance of a case over all its data, or None if ONNX Runtime does not run it."""
    model = suite.model(row.name)
    try:
        reference = Reference(model.SerializeToString())
    except dojo.Error:
        return None
    rep, double = DojoBackend.prepare(model, threads=1), Double(model)
    between, d1, runtime = [], [], []
    for arrays, data in suite.data(row.name):
        inputs = dict(zip(reference.types, arrays))
        try:
            expected = list(reference.run(inputs).values())
        except dojo.Error:
            return None
        actual, exact = rep.run(inputs), double.run(arrays, data)
        between.append(ulps(expected, actual))
        if exact:
            d1.append(ulps(exact, actual))
            runtime.append(ulps(exact, expected))
    judged = len(d1) == len(between)
    return Distance(row.name, *(np.concatenate(u) for u in ([between, d1, runtime] if judged else [between])))


def ulps(expected, actual):
    """Of the elements that are finite in both."""
    distances = [np.zeros(0, np.int64)]
    for e, a in zip(expected, actual):
        same = np.isfinite(e) & np.isfinite(a)
        distances.append(ulp_distance(e[same], a[same]).ravel())
    return np.concatenate(distances)


# ---- Tables


def shares(label, values):
    return f"{label:<28}" + "".join(f"{np.mean(values <= n):>8.1%}" for n in WITHIN)


def rows(distances, measure):
    """One line for each pair of the three, `measure` of the ulps of each case."""
    judged = [d for d in distances if d.is_judged]
    yield f"{'within':<28}" + "".join(f"{n:>8}" for n in WITHIN)
    yield shares("D1 of ONNX Runtime", measure([d.between for d in distances]))
    if judged:
        yield shares("D1 of double", measure([d.d1 for d in judged]))
        yield shares("ONNX Runtime of double", measure([d.runtime for d in judged]))


def tables(distances):
    judged = [d for d in distances if d.is_judged]
    worst = np.array([d.worst(d.between) for d in distances])
    yield f"{len(distances)} cases, {len(judged)} of them beside double precision"
    yield f"D1 of ONNX Runtime: median {np.median(worst):g} ulp, 95 % within {np.percentile(worst, 95):g} ulp"
    if judged:
        yield f"D1 is no farther from double than ONNX Runtime in {np.mean([d.is_no_farther for d in judged]):.1%} of the cases"
    yield "\ncases by their worst element"
    yield from rows(distances, lambda ulps: np.array([Distance.worst(u) for u in ulps]))
    yield f"\nelements, {sum(d.between.size for d in distances)} in all"
    yield from rows(distances, np.concatenate)
    yield "\ncases beyond 8 ulp: worst element of D1 to ONNX Runtime, of D1 and of ONNX Runtime to double, median of the first"
    for d in sorted((d for d in distances if d.worst(d.between) > 8), key=lambda d: (-d.worst(d.between), d.name)):
        exact = [str(d.worst(u)) for u in (d.d1, d.runtime)] if d.is_judged else ["-", "-"]
        yield f"{d.worst(d.between):>12}{exact[0]:>12}{exact[1]:>12}{np.median(d.between):>9g}  {d.name}"


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m dojo.accuracy", description=" ".join(__doc__.split("\n\n")[0].split()))
    parser.add_argument("only", nargs="?", default="", metavar="REGEX")
    suite, options = Suite(), parser.parse_args(arguments)
    distances = [distance(suite, row) for row in float_cases(suite, options.only)]
    print("\n".join(tables([d for d in distances if d])))
    print(f"{distances.count(None)} more are not run by ONNX Runtime")
    return 0


if __name__ == "__main__":
    sys.exit(main())
