"""Collectives written by hand in the dojo dialect, run on the executor, equal to numpy."""

import numpy as np
import pytest

from test_mappings import run_program, tool

SPREAD = "#dojo.layout<[4 step 1, 64], x = [d0 : 4], y = 0>"
CASES = {
    "broadcast": (
        "#dojo.layout<[4, 64], y = 0, x = 0>",
        "#dojo.layout<[4, 64], y = 0>",
        (4, 64),
        'dojo.broadcast %s along "x" : {source} -> {result}',
        lambda a: a,
    ),
    "all_gather": (SPREAD, "#dojo.layout<[4, 64], y = 0>", (4, 64), 'dojo.all_gather %s along "x" : {source} -> {result}', lambda a: a),
}
for name, layout in {
    "all_reduce": "#dojo.layout<[64], y = 0>",
    "reduce_scatter": "#dojo.layout<[64 step 16], x = [d0 : 4], y = 0>",
    "reduce on one node": "#dojo.layout<[64], y = 0, x = 0>",
}.items():
    for op, reference in {"addf": np.sum, "maximumf": np.max, "minimumf": np.min, "mulf": np.prod}.items():
        body = f"%c = arith.{op} %a, %b : f32"
        text = f"dojo.reduce %s : {{source}} -> {{result}} {{{{\n^bb0(%a: f32, %b: f32):\n{body}\ndojo.yield %c : f32\n}}}}"
        CASES[f"{name} {op}"] = (SPREAD, layout, (64,), text, lambda a, r=reference: r(a, axis=0))


def move(result, source, dest, type_from, type_to, rank):
    dims = ", ".join(f"d{i}" for i in range(rank))
    return f"{result} = dojo.move ins({source} : {type_from}) outs({dest} : {type_to}) by affine_map<({dims}) -> ({dims})> -> {type_to}"


def text_of(source_layout, result_layout, shape, op):
    dense = "x".join(map(str, shape)) + "xf32"
    source, result = f"tensor<4x64xf32, {source_layout}>", f"tensor<{dense}, {result_layout}>"
    given, wanted = "tensor<4x64xf32, #dojo.dram>", f"tensor<{dense}, #dojo.dram>"
    return "\n".join([
        'module attributes {dojo.machine = #dojo.machine<"d1-mini">} {',
        'dojo.dram @a "input"("a") : tensor<4x64xf32>',
        f'dojo.dram @r "output"("r") : tensor<{dense}>',
        "func.func @step() {",
        f"%i = dojo.get_dram @a : {given}",
        f"%e = dojo.empty : {source}",
        move("%s", "%i", "%e", given, source, 2),
        f"%r = {op.format(source=source, result=result)}",
        f"%o = dojo.get_dram @r : {wanted}",
        move("%m", "%r", "%o", result, wanted, len(shape)),
        "return\n}\n}\n",
    ])


PASSES = """--dojo-expand-collectives --dojo-bufferize --dojo-outline-kernels --convert-kernels-to-d1 --convert-moves-to-d1
    --d1-generate-code --dojo-bound-code --dojo-place --dojo-synchronise --convert-program-to-d1 --d1-generate-code""".split()


@pytest.mark.parametrize("name", CASES)
def test_equal_to_numpy(name, tmp_path):
    *parts, reference = CASES[name]
    module, program = tmp_path / "lowered.mlir", tmp_path / "program.d1"
    lowered = tool("dojo-opt", *PASSES, "-o", module, text=text_of(*parts))
    assert lowered.returncode == 0, lowered.stderr
    translated = tool("dojo-translate", "--d1-to-binary", module, "-o", program)
    assert translated.returncode == 0, translated.stderr
    array = np.random.default_rng(0).standard_normal((4, 64)).astype(np.float32)
    run = run_program(program, [array], "--strict=race")
    assert run.returncode == 0, run.stderr
    assert np.allclose(np.load(tmp_path / "r.npy"), reference(array), rtol=1e-5, atol=1e-6)
