"""The ledger of the official ONNX backend suite: what passes, what is refused and why, what fails.

    python -m dojo.ledger            runs every case; writes docs/onnx-cases.tsv and docs/OnnxSupport.md
    python -m dojo.ledger REGEX      runs the cases with matching names and prints them; writes nothing
"""

import argparse
import collections
import os
import pathlib
import re
import sys
from dataclasses import astuple, dataclass

import onnx

from dojo.suite import Suite

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
STATUSES = ("passed", "refused", "random", "failing", "crashes", "hangs")
LIMIT = 120


@dataclass(frozen=True)
class Row:
    name: str
    operator: str
    opset: str
    types: str
    status: str
    reason: str


def type_names(model):
    """The element types of the model's inputs and outputs."""
    names = set()
    for value in list(model.graph.input) + list(model.graph.output):
        kind = value.type.WhichOneof("value")
        if kind == "tensor_type":
            names.add(onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower())
        elif kind:
            names.add(kind.removesuffix("_type"))
    return " ".join(sorted(names))


def operator_of(suite, name):
    """The operator that the case tests, or the folder that it comes from."""
    base = re.sub(r"_expanded(_ver\d+)?$", "", name)
    if base != name and base in suite.names():
        return operator_of(suite, base) + " (as its function)"
    nodes = suite.model(name).graph.node
    if suite.kind(name) != "node":
        return f"({suite.kind(name)})"
    operators = {node.op_type for node in nodes} - {"Constant"}
    return operators.pop() if len(operators) == 1 else "(several)"


def opset_of(model):
    domains = {node.domain for node in model.graph.node}
    versions = {entry.domain: entry.version for entry in model.opset_import}
    foreign = sorted(domains - {"", "ai.onnx"})
    return f"{foreign[0]} {versions.get(foreign[0])}" if foreign else str(versions.get("", ""))


def one_line(reason):
    """The first problem, without numbers of bytes: they change with the code that is made of a model."""
    lines = [line for line in reason.splitlines() if line.strip()]
    text = re.sub(r"\s+", " ", lines[0]) if lines else ""
    if " bytes" in text:
        text = re.sub(r"(?<!')\b\d+\b", "N", text)
    return text[:240]


def row_of(suite, name, outcome):
    model = suite.model(name)
    operator, reason = operator_of(suite, name), one_line(outcome.reason)
    return Row(name, operator, opset_of(model), type_names(model), outcome.status, reason)


def read_rows(path=DOCS / "onnx-cases.tsv"):
    return [Row(*line.split("\t")) for line in path.read_text(encoding="utf-8").splitlines()]


def write_rows(rows):
    text = "".join("\t".join(astuple(row)) + "\n" for row in rows)
    (DOCS / "onnx-cases.tsv").write_text(text, encoding="utf-8")
    (DOCS / "OnnxSupport.md").write_text(page(rows), encoding="utf-8")


def reasons(rows):
    """Refusals by their text without names and numbers, most frequent first."""
    counted = collections.Counter()
    for row in rows:
        if row.status != "passed":
            text = re.sub(r"^node '[^']*' ", "", row.reason)
            text = re.sub(r"'[^']*'", "'...'", re.sub(r"\b\d+(x\d+)*\b", "N", text))
            counted[row.status, text.replace("|", "/")] += 1
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def page(rows):
    """docs/OnnxSupport.md."""
    totals = collections.Counter(row.status for row in rows)
    groups = collections.defaultdict(collections.Counter)
    for row in rows:
        groups[row.operator, row.opset, row.types][row.status] += 1
    lines = [
        "# The official ONNX backend suite",
        "",
        f"Written by `python -m dojo.ledger` from a run of all {len(rows)} cases of the onnx package",
        f"{onnx.__version__}: compiled for d1-mini in fp32, run from the binary with `--strict=memory`, compared by the",
        "suite's own runner with its own tolerances. `docs/onnx-cases.tsv` has a line for each case. A test runs the",
        "suite and fails when this page is stale.",
        "",
        "| " + " | ".join(STATUSES) + " |",
        "| ---: " * len(STATUSES) + "|",
        "| " + " | ".join(str(totals[status]) for status in STATUSES) + " |",
        "",
        "Refused: the compiler says why it does not take the model. Random: types and shapes are right, and the numbers",
        "are drawn by a generator that ONNX leaves open. Failing: a wrong result, or an error while running.",
        "",
        "## Why cases do not pass",
        "",
        "The first problem of each case, names and numbers left out.",
        "",
        "| cases | | reason |",
        "| ---: | --- | --- |",
        *(f"| {count} | {status} | {text} |" for (status, text), count in reasons(rows)),
        "",
        "## By operator, opset and types",
        "",
        "| operator | opset | types | passed | refused | random | failing |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for (operator, opset, types), counts in sorted(groups.items()):
        failing = counts["failing"] + counts["crashes"] + counts["hangs"]
        numbers = (str(n or "") for n in (counts["passed"], counts["refused"], counts["random"], failing))
        lines.append(f"| {operator} | {opset} | {types} | {' | '.join(numbers)} |")
    return "\n".join(lines) + "\n"


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m dojo.ledger", description=__doc__.split("\n")[0])
    parser.add_argument("only", nargs="?", metavar="REGEX")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    options = parser.parse_args(arguments)
    suite = Suite()
    names = [name for name in suite.names() if re.search(options.only or "", name)]

    def show(name, outcome):
        if options.only:
            print(outcome.status, name, " ".join(outcome.reason.split())[:400], flush=True)

    outcomes = suite.run(names, options.jobs, LIMIT, show)
    totals = collections.Counter(outcome.status for outcome in outcomes.values())
    print(", ".join(f"{totals[status]} {status}" for status in STATUSES))
    if not options.only:
        write_rows([row_of(suite, name, outcomes[name]) for name in names])
    return 0


if __name__ == "__main__":
    sys.exit(main())
