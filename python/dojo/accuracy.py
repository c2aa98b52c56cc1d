"""How far D1 results are from ONNX Runtime's, in ulp, over the float32 node cases of the official suite.

    python -m dojo.accuracy [REGEX]      prints a table; a case counts with its worst element
"""

import argparse
import re
import sys
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

import dojo
from dojo import ledger
from dojo.backend import DojoBackend
from dojo.compare import ulp_distance
from dojo.suite import Suite
from dojo.verify import Reference

WITHIN = (0, 1, 2, 4, 8, 16, 64, 1024)


@dataclass(frozen=True)
class Distance:
    name: str
    worst: int
    median: float


def float_cases(suite, pattern=""):
    """The rows of the node cases that pass and compute float32, from nothing shorter."""
    for row in ledger.read_rows():
        if row.status == "passed" and suite.kind(row.name) == "node" and re.search(pattern, row.name):
            outputs = suite.model(row.name).graph.output
            if "bfloat16" not in row.types and all(v.type.tensor_type.elem_type == TensorProto.FLOAT for v in outputs):
                yield row


def distance(suite, row):
    """The Distance of a case over all its data, or None if ONNX Runtime does not run it."""
    model = suite.model(row.name)
    try:
        reference = Reference(model.SerializeToString())
    except dojo.Error:
        return None
    rep, ulps = DojoBackend.prepare(model, threads=1), []
    for arrays, _ in suite.data(row.name):
        inputs = dict(zip(reference.types, arrays))
        try:
            expected = reference.run(inputs)
        except dojo.Error:
            return None
        actual = rep.run(inputs)
        for name, array in zip(expected, actual):
            same = np.isfinite(expected[name]) & np.isfinite(array)
            ulps.append(ulp_distance(expected[name][same], array[same]).ravel())
    ulps = np.concatenate(ulps)
    return Distance(row.name, int(ulps.max(initial=0)), float(np.median(ulps)) if ulps.size else 0.0)


def table(distances):
    worst = np.array([d.worst for d in distances])
    yield f"{len(distances)} cases, median {np.median(worst):g} ulp, 95 % within {np.percentile(worst, 95):g} ulp"
    yield "within  " + "".join(f"{n:>8}" for n in WITHIN)
    yield "share   " + "".join(f"{np.mean(worst <= n):>8.1%}" for n in WITHIN)
    yield f"{'worst':>8}{'median':>8}  of the elements of the cases beyond"
    for d in sorted((d for d in distances if d.worst > 8), key=lambda d: (-d.worst, d.name)):
        yield f"{d.worst:>8}{d.median:>8g}  {d.name}"


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m dojo.accuracy", description=__doc__.split("\n")[0])
    parser.add_argument("only", nargs="?", default="", metavar="REGEX")
    suite, options = Suite(), parser.parse_args(arguments)
    distances = [distance(suite, row) for row in float_cases(suite, options.only)]
    print("\n".join(table([d for d in distances if d])))
    print(f"{distances.count(None)} more are not run by ONNX Runtime")
    return 0


if __name__ == "__main__":
    sys.exit(main())
