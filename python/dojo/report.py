"""The reports of dojo-compile and dojo-verify as tables for people: python -m dojo.report REPORT.json"""

import json
import sys

from dojo import modelled

# Figures that have a bound: (part, figure, what no program can be better than).
BOUNDS = {
    ("compiler", "mac_cycles"): lambda report: report["compiler"].get("mac_cycles_bound"),
    ("compiler", "noc_bytes"): lambda report: report["compiler"].get("noc_bound_bytes"),
    ("compiler", "sram_peak_bytes"): lambda report: report["compiler"].get("sram_bound_bytes"),
    ("compiler", "dram_bytes"): lambda report: report["compiler"].get("dram_bound_bytes"),
    ("executor", "macs_busiest_node"): lambda report: mean_macs(report["executor"]),
}
HIDDEN = {"mac_cycles_bound", "noc_bound_bytes", "sram_bound_bytes", "dram_bound_bytes", "name"}
# Columns of the table of ONNX nodes: heading and key.
COLUMNS = [
    ("MACs", "macs"),
    ("cycles", "mac_cycles"),
    ("ratio", "mac_ratio"),
    ("NoC", "noc_bytes"),
    ("ratio", "noc_ratio"),
    ("DRAM", "dram_bytes"),
    ("ratio", "dram_ratio"),
    ("SRAM", "sram_peak_bytes"),
    ("ratio", "sram_ratio"),
]


# Columns of the table of loops: heading and key.
LOOP_COLUMNS = [
    ("interval", "interval"),
    ("by resources", "resource_bound"),
    ("by recurrence", "recurrence_bound"),
    ("stages", "stages"),
]


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
            if key in HIDDEN or key.endswith("_ratio") or value == "" or isinstance(value, (dict, list)):
                continue
            bound = BOUNDS.get((part, key), lambda _: None)(report)
            beside = (amount(key, round(bound)), f"{value / bound:.2f}") if bound else ("", "")
            yield part, key.replace("_", " "), amount(key, value), *beside
    yield from modelled.rows(report)


def op_rows(ops):
    """The cells of each ONNX node: entry, name, then the columns; a ratio without a bound is empty."""
    for op in ops:
        cells = [op["entry"], op["name"] or "(none)"]
        for _, key in COLUMNS:
            value = op.get(key)
            if key.endswith("_ratio"):
                cells.append("" if value is None else f"{value:.2f}")
            else:
                cells.append(amount(key, value) if value else "")
        yield tuple(cells)


def loop_rows(routines):
    """The cells of each innermost loop: its routine, its number there, the columns, and the interval over its bound."""
    for routine in routines:
        for number, loop in enumerate(routine["loops"]):
            cells = [f"{loop[key]:,}" for _, key in LOOP_COLUMNS]
            ratio = loop["interval"] / max(loop["resource_bound"], loop["recurrence_bound"])
            yield routine["name"], str(number), *cells, f"{ratio:.2f}"


def aligned(cells, left):
    """Lines of cells, the first `left` columns to the left, the first one shown where it changes."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines, previous = [], ""
    for first, *rest in cells:
        shown = ("" if first == previous else first, *rest)
        texts = [f"{text:{'<' if i < left else '>'}{width}}" for i, (text, width) in enumerate(zip(shown, widths))]
        lines.append("  ".join(texts).rstrip())
        previous = first
    return lines


def table(report):
    """The text for a report of dojo-compile, or one of dojo-verify that holds it."""
    if "compiler" not in report:
        report = {"compiler": report}
    lines = aligned([("", "", "achieved", "bound", "ratio"), *rows(report)], 2)
    if ops := report["compiler"].get("ops"):
        heading = ("", "node", *(heading for heading, _ in COLUMNS))
        lines += ["", *aligned([heading, *op_rows(ops)], 2)]
    loops = list(loop_rows(report["compiler"].get("routines", [])))
    if loops:
        heading = ("", "loop", *(heading for heading, _ in LOOP_COLUMNS), "ratio")
        lines += ["", *aligned([heading, *loops], 2)]
    return "\n".join(lines)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python -m dojo.report REPORT.json")
    with open(sys.argv[1], encoding="utf-8") as file:
        print(table(json.load(file)))


if __name__ == "__main__":
    main()
