"""The report of dojo-verify as a table for people: python -m dojo.report REPORT.json"""

import json
import sys

from dojo import modelled

# Figures that have a bound: (part, figure, what no program can be better than).
BOUNDS = {
    ("compiler", "sram_peak_bytes"): lambda report: report["compiler"].get("sram_bound_bytes"),
    ("compiler", "dram_bytes"): lambda report: report["compiler"].get("dram_bound_bytes"),
    ("executor", "macs_busiest_node"): lambda report: mean_macs(report["executor"]),
}
HIDDEN = {"sram_bound_bytes", "dram_bound_bytes", "name"}


def mean_macs(executor):
    """Multiply-accumulates of a node that computes, were all such nodes equally busy."""
    nodes = executor.get("nodes_used")
    return executor["macs"] / nodes if nodes and "macs" in executor else None


def amount(key, value):
    """A figure in the unit that its key names."""
    if key.endswith("_bytes"):
        return f"{value:,} B" if value < 2**20 else f"{value / 2**20:,.1f} MiB"
    if key.endswith("seconds"):
        return f"{value:.2f} s"
    if isinstance(value, float):
        return f"{value:.3e}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def rows(report):
    """(part, figure, achieved, bound, ratio) of every figure in the report, in its order."""
    parts = [(part, report.get(part, {})) for part in ("compiler", "executor")]
    parts += [(output["name"], output) for output in report.get("outputs", [])]
    for part, figures in parts:
        for key, value in figures.items():
            if key in HIDDEN or value == "" or isinstance(value, (dict, list)):
                continue
            bound = BOUNDS.get((part, key), lambda _: None)(report)
            beside = (amount(key, round(bound)), f"{value / bound:.2f}") if bound else ("", "")
            yield part, key.replace("_", " "), amount(key, value), *beside
    yield from modelled.rows(report)


def table(report):
    cells = [("", "", "achieved", "bound", "ratio"), *rows(report)]
    widths = [max(len(row[i]) for row in cells) for i in range(5)]
    lines, previous = [], ""
    for part, figure, *amounts in cells:
        shown = "" if part == previous else part
        texts = [f"{shown:<{widths[0]}}", f"{figure:<{widths[1]}}"]
        texts += [f"{text:>{width}}" for text, width in zip(amounts, widths[2:])]
        lines.append("  ".join(texts).rstrip())
        previous = part
    return "\n".join(lines)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python -m dojo.report REPORT.json")
    with open(sys.argv[1], encoding="utf-8") as file:
        print(table(json.load(file)))


if __name__ == "__main__":
    main()
