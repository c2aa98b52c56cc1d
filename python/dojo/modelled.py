"""The modelled figures of a timed run as rows of the report's table; docs/Reports.md explains them."""

CAUSES = ("compute", "sram_port", "network", "dram", "waiting")
# Rows shown of each kind, the dearest first.
SHOWN = 12


def rows(report):
    """(part, figure, achieved, bound, ratio) of every timed entry."""
    for entry, figures in report.get("executor", {}).get("modelled", {}).items():
        part = f"modelled {entry}"
        yield row(part, "cycles", figures["modelled_cycles"], figures["modelled_bound_cycles"])
        yield part, "seconds", f"{figures['modelled_seconds']:.3e} s", "", ""
        for key, value in figures.items():
            if key.endswith("_utilisation"):
                yield part, key.replace("_", " "), f"{value:.2%}", "", ""
        total = figures["modelled_cycles"] * figures["nodes"]
        for cause in CAUSES:
            yield part, f"cycles: {cause.replace('_', ' ')}", f"{figures['by_cause'][cause] / total:.2%}", "", ""
        yield from dearest(f"{part}, ONNX nodes", figures["by_onnx_node"], figures["nodes"])
        yield from dearest(f"{part}, routines", figures["by_routine"], figures["nodes"])


def dearest(part, found, nodes):
    """Cycles of the mean node: of all causes, and the least that its instructions take."""
    ordered = sorted(found, key=lambda r: (-r["cycles"], r["name"]))
    for r in ordered[:SHOWN]:
        yield row(part, r["name"] or "(no name)", r["cycles"] / nodes, r["bound"] / nodes)


def row(part, figure, value, bound):
    ratio = f"{value / bound:.2f}" if bound else ""
    return part, figure, f"{value:,.0f}", f"{bound:,.0f}", ratio
