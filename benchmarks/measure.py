"""Measures one row in a process of its own, so that its peak of memory is its own: measure.py ROW FOLDER

Prints a JSON list with name, value, bound, ratio, goal and unit of each figure. What has no bound, or no goal, has null.
"""

import json
import re
import sys
import time

import dojo
from dojo.compare import LIMITS, compare_all
from dojo.verify import Reference, random_inputs
from rows import MODELS, ROWS

# What issue A2 asks of every row.
COMPILE_SECONDS, RUN_SECONDS, MEMORY_BYTES = 20, 60, 8 * 2**30


def figure(name, value, unit, bound=None, goal=None):
    ratio = value / bound if bound else None
    return {"name": name, "value": value, "bound": bound, "ratio": ratio, "goal": goal, "unit": unit}


def peak_memory():
    """The most this process has held, from its own start; the resource module counts its parent's too."""
    with open("/proc/self/status", encoding="utf-8") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) * 1024


def error_of(comparisons, precision):
    """The worst output's, in the figure by which the precision is judged; an output that fails ends the row."""
    for comparison in comparisons:
        if not comparison.passed:
            raise dojo.Error(f"output '{comparison.name}': {comparison.failure}")
    key, limit = LIMITS[precision]
    return figure(key, max(getattr(c, key) for c in comparisons), "", goal=limit)


def measure(row, folder):
    model = MODELS[row.model]
    path = str(model.make(folder))
    program = dojo.compile(path, row.target, row.precision, model.shapes)
    reference = Reference(path)
    inputs = model.inputs() if model.inputs else random_inputs(program, reference, 0, model.ranges)
    start = time.monotonic()
    outputs = program.run(inputs)
    seconds = time.monotonic() - start
    memory = peak_memory()
    report = program.report
    return [
        figure("compile", report["compile_seconds"], "s", goal=COMPILE_SECONDS),
        figure("run", seconds, "s", goal=RUN_SECONDS),
        figure("peak_memory", memory, "bytes", goal=MEMORY_BYTES),
        error_of(compare_all(reference.run(inputs), outputs, row.precision), row.precision),
        figure("code", report["code_bytes"], "bytes"),
        figure("mac_cycles", report["mac_cycles"], "cycles", report["mac_cycles_bound"]),
        figure("sram_peak", report["sram_peak_bytes"], "bytes", report["sram_bound_bytes"]),
        figure("dram", report["dram_bytes"], "bytes", report["dram_bound_bytes"]),
        figure("noc", report["noc_bytes"], "bytes", report["noc_bound_bytes"]),
    ]


def main(name, folder):
    row = next(row for row in ROWS if row.name == name)
    print(json.dumps(measure(row, folder)))


if __name__ == "__main__":
    main(*sys.argv[1:])
