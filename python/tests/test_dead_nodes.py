"""Which nodes of a die are dead is decided when a binary is loaded: it runs wherever the logical grid is its own."""

import collections
import json
import re
import subprocess

import numpy as np
import pytest

import dojo
from conftest import RANGES, SHAPES
from dojo.verify import Reference, check, random_inputs

SEEDS = range(20)
ROWS, COLUMNS = 18, 20


def with_dead_nodes(seed):
    """A die with six dead nodes drawn at random."""
    places = np.random.default_rng(seed).choice(ROWS * COLUMNS, 6, replace=False)
    dead = [[0, 0, int(p) // COLUMNS, int(p) % COLUMNS] for p in sorted(places)]
    return {"base": "d1-die", "name": f"six dead nodes, seed {seed}", "dead_nodes": dead}


def grid_of(seed):
    """The larger of the grids that row walks and column walks give (docs/Machine.md)."""
    dead = [collections.Counter(place[axis] for place in with_dead_nodes(seed)["dead_nodes"]) for axis in (2, 3)]
    by_rows, by_columns = (ROWS, COLUMNS - max(dead[0].values())), (ROWS - max(dead[1].values()), COLUMNS)
    return max(by_rows, by_columns, key=np.prod)


@pytest.fixture(scope="module")
def machine_file(tmp_path_factory):
    """machine_file(seed) -> the path of that die's description."""
    folder = tmp_path_factory.mktemp("machines")

    def path(seed):
        file = folder / f"{seed}.json"
        file.write_text(json.dumps(with_dead_nodes(seed)))
        return file

    return path


def without_machine(path):
    """The bytes of a binary but for the description of its machine."""
    rest = path.with_suffix(".rest")
    command = ["/usr/lib/llvm-22/bin/llvm-objcopy", "--remove-section=.dojo.machine", path, rest]
    subprocess.run(command, check=True, timeout=60)
    return rest.read_bytes()


def test_magika_is_equal_on_every_die_with_one_binary_for_each_grid(model_path, machine_file, tmp_path):
    path = model_path("magika")
    reference, inputs, binaries, results = Reference(path), None, {}, collections.defaultdict(list)
    for seed in SEEDS:
        grid = grid_of(seed)
        if grid not in binaries:
            binaries[grid] = tmp_path / f"{grid}.d1"
            dojo.compile(path, str(machine_file(seed)), "bf16", SHAPES["magika"]).save(binaries[grid])
        program = dojo.Program.load(binaries[grid], machine=machine_file(seed))
        inputs = inputs or random_inputs(program, reference, 0, RANGES["magika"])
        result = check(program, reference, inputs, "bf16")
        assert result.passed, result.comparisons[0].line()
        results[grid] += result.outputs.values()
    assert 1 < len(binaries) < len(SEEDS)
    for first, *others in results.values():
        assert all(np.array_equal(first, scores) for scores in others)


def test_dies_of_one_grid_are_compiled_to_the_same_bytes(model_path, machine_file, tmp_path):
    by_grid = collections.defaultdict(list)
    for seed in SEEDS:
        by_grid[grid_of(seed)].append(seed)
    seeds = max(by_grid.values(), key=len)[:3]
    assert len(seeds) == 3
    for seed in seeds:
        dojo.compile(model_path("digits_cnn"), str(machine_file(seed))).save(tmp_path / f"{seed}.d1")
    assert len({without_machine(tmp_path / f"{seed}.d1") for seed in seeds}) == 1


ONLY_DEAD_NODES = "and only the dead nodes may differ"


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"dead_nodes": [[0, 0, 3, 1], [0, 0, 3, 2]]}, "it was compiled for a logical grid of 18 x 19 nodes, this one has 17 x 20 nodes"),
        ({"hop_cycles": 2}, f"it was compiled for another 'hop_cycles', {ONLY_DEAD_NODES}"),
        ({"tile_rows": 2}, f"it was compiled for another 'tile_rows', {ONLY_DEAD_NODES}"),
    ],
)
def test_another_machine_is_refused_with_the_reason(compiled, run_tool, tmp_path, change, reason):
    binary, machine = tmp_path / "model.d1", tmp_path / "machine.json"
    compiled("digits_mlp", "d1-die", "fp32").save(binary)
    machine.write_text(json.dumps({"base": "d1-die", "name": "other", **change}))
    wanted = f"the program cannot run on machine 'other': {reason}; compile it for that machine"
    with pytest.raises(dojo.Error, match=re.escape(wanted)):
        dojo.Program.load(binary, machine=machine)
    ran = run_tool("dojo-run", binary, f"--machine={machine}")
    assert ran.returncode == 1
    assert f"error: {wanted}" in ran.stderr


def test_the_tool_runs_on_another_die(compiled, run_tool, machine_file, random, tmp_path):
    seed = next(s for s in SEEDS if grid_of(s) == (18, 19))
    program = compiled("digits_mlp", "d1-die", "fp32")
    images = random.standard_normal((20, 1, 8, 8)).astype(np.float32)
    program.save(tmp_path / "model.d1")
    np.save(tmp_path / "image.npy", images)
    ran = run_tool(
        "dojo-run", tmp_path / "model.d1", f"--machine={machine_file(seed)}",
        f"--input=image={tmp_path / 'image.npy'}", f"--output-dir={tmp_path}",
    )
    assert ran.returncode == 0, ran.stderr
    assert np.array_equal(np.load(tmp_path / "logits.npy"), program.run({"image": images})["logits"])
