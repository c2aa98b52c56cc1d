"""Mutants of programs without races: each synchronisation taken away, or put a step too early or too late."""

import re

import pytest

from test_mappings import MATMUL, Case, conv_case, matmul_case, text_of, tool

GRID = "y = [d0 : 2], x = [d1 : 3], "
# The result of the first stands in DRAM, from where other nodes load it.
STORED = """linalg.matmul {{dojo.storage = "dram", dojo.mapping = #dojo.mapping<y = [d0 : 4], steps = [d1 : 8]>}}
    ins(%a, %b : {a}, {b}) outs(%f : {r}) -> {r}
  %s = linalg.matmul {{{mapping}}} ins(%r, %b : {r}, {b}) outs(%f : {r}) -> {r}
  %t = linalg.add ins(%r, %s : {r}, {r}) outs(%f : {r}) -> {r}"""
ONE_SLOT = MATMUL.replace("{mapping}", "dojo.slots = 1 : i64, {mapping}")
CASES = [
    matmul_case("matmul", GRID + "inner = d1", "", 8, 12, 48),
    matmul_case("split reduction", "y = [d2 : 4], x = [d1 : 2], inner = d1", "", 8, 16, 32),
    conv_case("halo", "y = [d2 : 4], inner = d1", "", (1, 2, 10, 10), (4, 2, 3, 3)),
    matmul_case("streamed panels", "y = [d0 : 2], steps = [d2 : 16]", "", 8, 48, 16),
    conv_case("streamed rows with halo", "y = [d2 : 4], steps = [d3 : 4], inner = d1", "", (1, 2, 10, 10), (4, 2, 3, 3)),
    Case("streamed rows in one slot", GRID + "steps = [d0 : 8], inner = d1", "", [(40, 24), (24, 48)], (40, 48), ONE_SLOT, None),
    Case("barrier", "x = [d1 : 4]", "", [(16, 16), (16, 16)], (16, 16), STORED, None),
]  # fmt: skip

TO_SYNCHRONISE = """--dojo-select-mapping --dojo-fit --dojo-partition --dojo-expand-collectives --dojo-bufferize
    --dojo-outline-kernels --dojo-schedule --convert-kernels-to-d1 --convert-moves-to-d1 --d1-generate-code
    --dojo-bound-code --dojo-place --dojo-account --dojo-synchronise""".split()
TO_CODE = ["--convert-program-to-d1", "--d1-generate-code"]
SYNCHRONISES = re.compile(r"\s*dojo\.(receive|drain|barrier)\b")
STEP = re.compile(r"\s*dojo\.(send|receive|drain|barrier|launch|move)\b")


def optimised(text, *passes):
    done = tool("dojo-opt", *passes, text=text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def binary(text, file):
    done = tool("dojo-translate", "--d1-to-binary", "-o", file, text=optimised(text, *TO_CODE))
    assert done.returncode == 0, done.stderr
    return str(file)


def misplaced(module):
    """(what, module) with two neighbours exchanged, one of them a synchronisation."""
    lines = module.split("\n")
    for i, (first, second) in enumerate(zip(lines, lines[1:])):
        names = [match and match[1] for match in (STEP.match(first), STEP.match(second))]
        if all(names) and any(SYNCHRONISES.match(line) for line in (first, second)):
            yield f"{i}-{names[1]}-before-{names[0]}", "\n".join([*lines[:i], second, first, *lines[i + 2 :]])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mutants_that_change_a_result_are_found(case, tmp_path):
    module = optimised(text_of(case), *TO_SYNCHRONISE)
    program = binary(module, tmp_path / "program.d1")
    mutants = [binary(text, tmp_path / f"{name}.d1") for name, text in misplaced(module)]
    done = tool("dojo-test-races", program, *mutants)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.split("\n")
    counts = dict(re.findall(r"^(\w+) (\d+)$", done.stdout, re.MULTILINE))
    assert int(counts["missed"]) == 0 and int(counts["race"]) >= 8 and int(counts["deadlock"]) >= 4
    # Before an entry ends, a load begins, or a barrier frees bytes that were sent to the node itself alone, nothing may be
    # left that needs the drain.
    spared = [line for line in lines if "taken away: nothing" in line]
    drains = [line for line in spared if "'drain'" in line]
    assert len(drains) <= 3 and drains == spared, spared
    assert all("0 of 20" in line for line in lines if ": nothing" in line)
