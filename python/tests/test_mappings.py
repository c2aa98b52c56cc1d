"""Mappings written by hand are obeyed: seen in the IR, equal in numbers; or refused with the reason."""

import re
import shutil
import subprocess
from dataclasses import dataclass

import numpy as np
import pytest

from conftest import BUILD

FILL = {
    "f32": "arith.constant 0.0 : f32",
    "max": "arith.constant 0xFF800000 : f32",
}


@dataclass
class Case:
    name: str
    mapping: str
    seen: str  # in the layout of the result
    inputs: list  # shapes
    result: tuple
    op: str  # with {mapping}, %a, %b, %f and the types {a}, {b}, {r}
    reference: callable
    element: str = "f32"
    fill: str = "f32"


def tensor(shape, element="f32"):
    return f"tensor<{'x'.join(map(str, shape))}x{element}>"


NARROWED = """%{name}_e = tensor.empty() : {narrow}
%{name} = linalg.generic {{indexing_maps = [{same}, {same}], iterator_types = [{parallel}]}}
    ins(%{name}_wide : {wide}) outs(%{name}_e : {narrow}) {{
^bb0(%x: f32, %o: bf16):
  %t = arith.truncf %x : f32 to bf16
  linalg.yield %t : bf16
}} -> {narrow}"""


def narrowed(name, shape):
    """The BF16 tensor %name of the FP32 argument %name_wide."""
    dims = ", ".join(f"d{i}" for i in range(len(shape)))
    same = f"affine_map<({dims}) -> ({dims})>"
    parallel = ", ".join(['"parallel"'] * len(shape))
    return NARROWED.format(name=name, same=same, parallel=parallel, wide=tensor(shape), narrow=tensor(shape, "bf16"))


def text_of(case):
    suffix = "" if case.element == "f32" else "_wide"
    named = list(zip("ab", case.inputs))
    arguments = ", ".join(f'%{n}{suffix}: {tensor(s)} {{dojo.name = "{n}"}}' for n, s in named)
    result = tensor(case.result)
    fields = {n: tensor(s, case.element) for n, s in named}
    op = case.op.format(**fields, r=result, mapping=f"dojo.mapping = #dojo.mapping<{case.mapping}>")
    return "\n".join([
        'module attributes {dojo.machine = #dojo.machine<"d1-mini">} {',
        f'func.func @step({arguments}) -> ({result} {{dojo.name = "r"}}) {{',
        *[narrowed(n, s) for n, s in named if suffix],
        f"%z = {FILL[case.fill]}",
        f"%e = tensor.empty() : {result}",
        f"%f = linalg.fill ins(%z : f32) outs(%e : {result}) -> {result}",
        "%w = tensor.empty() : tensor<3x3xf32>" if "%w" in op else "",
        f"%r = {op}",
        f"return %r : {result}\n}}\n}}\n",
    ])


def tool(name, *arguments, text=None, seconds=60):
    command = [BUILD / "bin" / name, *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=seconds, check=False)


def windows(x, kernel, stride=1, dilation=1):
    """[n, c, oh, ow, kh, kw] of an NCHW array."""
    reach = [(k - 1) * dilation + 1 for k in kernel]
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return view[:, :, ::stride, ::stride, ::dilation, ::dilation]


MATMUL = "linalg.matmul {{{mapping}}} ins(%a, %b : {a}, {b}) outs(%f : {r}) -> {r}"
BATCH = "linalg.batch_matmul {{{mapping}}} ins(%a, %b : {a}, {b}) outs(%f : {r}) -> {r}"


def conv(stride=1, dilation=1):
    steps = f"dilations = dense<{dilation}> : tensor<2xi64>, strides = dense<{stride}> : tensor<2xi64>"
    return f"linalg.conv_2d_nchw_fchw {{{{{steps}, {{mapping}}}}}} ins(%a, %b : {{a}}, {{b}}) outs(%f : {{r}}) -> {{r}}"


def conv_case(name, mapping, seen, image, filters, stride=1, dilation=1, element="f32"):
    def reference(a, b):
        return np.einsum("nchwij,fcij->nfhw", windows(a, b.shape[2:], stride, dilation), b)

    result = reference(np.zeros(image), np.zeros(filters)).shape
    return Case(name, mapping, seen, [image, filters], result, conv(stride, dilation), reference, element)


def matmul_case(name, mapping, seen, m, k, n, element="f32"):
    return Case(name, mapping, seen, [(m, k), (k, n)], (m, n), MATMUL, np.matmul, element)


POOL = """linalg.pooling_nchw_max {{{mapping}, dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}}
    ins(%a, %w : {a}, tensor<3x3xf32>) outs(%f : {r}) -> {r}"""


def generic(maps, iterators, body, operands="%a : {a}"):
    maps = ", ".join(f"affine_map<{m}>" for m in maps)
    iterators = ", ".join(f'"{i}"' for i in iterators)
    return f"""linalg.generic {{{{indexing_maps = [{maps}], iterator_types = [{iterators}]}}}}
        ins({operands}) outs(%f : {{r}}) attrs = {{{{{{mapping}}}}}} {{{{
        {body}
        }}}} -> {{r}}"""


ROW_SUM = generic(
    ["(d0, d1) -> (d0, d1)", "(d0, d1) -> (d0)"],
    ["parallel", "reduction"],
    "^bb0(%x: f32, %s: f32):\n%t = arith.addf %s, %x : f32\nlinalg.yield %t : f32",
)
ADD_ROW = generic(
    ["(d0, d1) -> (d0, d1)", "(d0, d1) -> (d1)", "(d0, d1) -> (d0, d1)"],
    ["parallel", "parallel"],
    "^bb0(%x: f32, %y: f32, %o: f32):\n%t = arith.addf %x, %y : f32\nlinalg.yield %t : f32",
    "%a, %b : {a}, {b}",
)
ADD_TRANSPOSED = ADD_ROW.replace("(d0, d1) -> (d1)", "(d0, d1) -> (d1, d0)")

CASES = [
    matmul_case("rows and columns", "y = [d0 : 4], x = [d1 : 3], inner = d1", "y = [d0 : 4], x = [d1 : 3]", 32, 64, 48),
    matmul_case("uneven rows", "y = [d0 : 4], inner = d1, tile = [d1 : 16]", "[30 step 8", 30, 40, 20),
    matmul_case("more blocks than rows", "y = [d0 : 4], x = [d1 : 2]", "y = [d0 : 4], x = [d1 : 2]", 3, 8, 6),
    matmul_case("two iterators on an axis", "y = [d0 : 2, d1 : 2], x = [d1 : 3], inner = d1", "y = [d0 : 2, d1 : 2]", 12, 16, 96),
    matmul_case("one iterator on two axes", "y = [d0 : 2], x = [d0 : 3]", "y = [d0 : 2], x = [d0 : 3]", 25, 16, 8),
    matmul_case("split reduction", "y = [d2 : 4], x = [d1 : 3], inner = d1", "y = [d0 : 4], x = [d2 : 3]", 16, 64, 48),
    matmul_case("uneven split reduction", "y = [d2 : 4]", "y = [d0 : 4]", 5, 30, 7),
    matmul_case("reduction split on two axes", "y = [d2 : 2], x = [d2 : 4]", "y = [d0 : 2], x = [d0 : 4]", 8, 64, 16),
    matmul_case("panels", "y = [d0 : 2], x = [d1 : 2], steps = [d2 : 16], inner = d1", "y = [d0 : 2], x = [d1 : 2]", 16, 64, 32),
    matmul_case("panels that do not divide", "y = [d0 : 2], steps = [d2 : 24]", "y = [d0 : 2]", 16, 64, 32),
    matmul_case("matrix unit", "y = [d0 : 3], x = [d1 : 2], inner = d1, tile = [d0 : 8, d1 : 16, d2 : 4]", "y = [d0 : 3], x = [d1 : 2]", 21, 30, 40, "bf16"),
    matmul_case("matrix unit in panels", "y = [d0 : 2], steps = [d2 : 32], inner = d1, tile = [d0 : 8, d1 : 16, d2 : 4]", "y = [d0 : 2]", 16, 96, 16, "bf16"),
    Case("batches", "y = [d0 : 3], x = [d1 : 4], inner = d2", "y = [d0 : 3], x = [d1 : 4]", [(3, 10, 16), (3, 16, 32)], (3, 10, 32), BATCH, np.matmul),
    conv_case("window with halo", "y = [d2 : 4], x = [d3 : 4], inner = d1", "y = [d2 : 4], x = [d3 : 4]", (1, 3, 18, 18), (16, 3, 3, 3)),
    conv_case("window and channels", "y = [d2 : 2, d3 : 2], x = [d1 : 2, d3 : 2], inner = d1, tile = [d1 : 16]", "y = [d2 : 2, d3 : 2], x = [d1 : 2, d3 : 2]", (2, 4, 11, 13), (20, 4, 3, 3)),
    conv_case("strided window", "y = [d2 : 4], x = [d1 : 2]", "y = [d2 : 4], x = [d1 : 2]", (1, 2, 15, 15), (4, 2, 3, 3), stride=2),
    conv_case("stride beyond the kernel", "y = [d2 : 3], x = [d3 : 3]", "y = [d2 : 3], x = [d3 : 3]", (1, 4, 17, 17), (8, 4, 1, 1), stride=2),
    conv_case("dilated window", "y = [d2 : 3], x = [d3 : 2]", "y = [d2 : 3], x = [d3 : 2]", (1, 2, 14, 14), (3, 2, 3, 3), dilation=2),
    conv_case("split input channels", "y = [d4 : 2], x = [d2 : 4], inner = d1", "y = [d0 : 2], x = [d3 : 4]", (1, 8, 10, 10), (16, 8, 3, 3)),
    conv_case("matrix unit on pixels", "y = [d2 : 3], x = [d1 : 2], inner = d1, tile = [d1 : 16, d2 : 2, d3 : 4, d4 : 4]", "y = [d2 : 3], x = [d1 : 2]", (1, 6, 12, 12), (24, 6, 3, 3), element="bf16"),
    Case("row sums", "y = [d0 : 4]", "y = [d0 : 4]", [(10, 24)], (10,), ROW_SUM, lambda a: a.sum(axis=1)),
    Case("split row sums", "x = [d1 : 4], y = [d0 : 2]", "y = [d1 : 2], x = [d0 : 4]", [(10, 24)], (10,), ROW_SUM, lambda a: a.sum(axis=1)),
    Case("broadcast", "y = [d1 : 4], x = [d0 : 3], inner = d1", "y = [d1 : 4], x = [d0 : 3]", [(9, 64), (64,)], (9, 64), ADD_ROW, np.add),
    Case("transposed operand", "y = [d0 : 3], x = [d1 : 4]", "y = [d0 : 3], x = [d1 : 4]", [(9, 16), (16, 9)], (9, 16), ADD_TRANSPOSED, lambda a, b: a + b.T),
    Case("pooling", "y = [d2 : 3], x = [d1 : 4]", "y = [d2 : 3], x = [d1 : 4]", [(1, 8, 15, 15)], (1, 8, 7, 7), POOL, lambda a: windows(a, (3, 3), 2).max(axis=(4, 5)), fill="max"),
]


def arrays_of(case):
    random = np.random.default_rng(0)
    return [random.standard_normal(shape).astype(np.float32) for shape in case.inputs]


def build_program(case, folder):
    module, program = folder / "lowered.mlir", folder / "program.d1"
    lowered = tool("dojo-opt", "--dojo-select-mapping", "--dojo-lower", "-o", module, text=text_of(case))
    assert lowered.returncode == 0, lowered.stderr
    translated = tool("dojo-translate", "--d1-to-binary", module, "-o", program)
    assert translated.returncode == 0, translated.stderr
    return program


def run_program(program, arrays, *options):
    """Runs it in its folder, which then holds r.npy; 10 seconds are a failure."""
    folder, arguments = program.parent, []
    for name, array in zip("ab", arrays):
        np.save(folder / f"{name}.npy", array)
        arguments.append(f"--input={name}={folder / name}.npy")
    return tool("dojo-run", program, f"--output-dir={folder}", *arguments, *options, seconds=10)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_obeyed_and_equal(case, tmp_path):
    text = text_of(case)
    partitioned = tool("dojo-opt", "--dojo-select-mapping", "--dojo-partition", text=text)
    assert partitioned.returncode == 0, partitioned.stderr
    layouts = dict(re.findall(r"^(#layout\d*) = (.*)$", partitioned.stdout, re.MULTILINE))
    computed = re.findall(r"dojo\.compute .*outs\(.*(#layout\d*)>\)", partitioned.stdout)
    assert any(case.seen in layouts[alias] for alias in computed), layouts

    arrays = arrays_of(case)
    run = run_program(build_program(case, tmp_path), arrays, "--strict=race")
    assert run.returncode == 0, run.stderr
    wanted = case.reference(*[a.astype(np.float64) for a in arrays])
    tolerance = 1e-5 if case.element == "f32" else 1e-2
    assert np.abs(np.load(tmp_path / "r.npy") - wanted).max() <= tolerance * np.abs(wanted).max()


WITHOUT_EFFECT = (1).to_bytes(4, "little")  # add x0, x0, x0
SIGNAL = 0xA2


def text_section(path):
    """The code of a binary and where it stands in the file."""
    code = path.with_suffix(".text")
    objcopy = shutil.which("llvm-objcopy-22") or "/usr/lib/llvm-22/bin/llvm-objcopy"
    subprocess.run([objcopy, "-O", "binary", "--only-section=.text", path, code], check=True, timeout=60)
    return code.read_bytes(), path.read_bytes().find(code.read_bytes())


@pytest.mark.parametrize("name", ["window with halo", "panels", "split reduction"])
def test_without_any_one_signal_it_says_who_waits_or_is_equal(name, tmp_path):
    case = next(case for case in CASES if case.name == name)
    path, arrays = build_program(case, tmp_path), arrays_of(case)
    assert run_program(path, arrays).returncode == 0
    whole, wanted = path.read_bytes(), np.load(tmp_path / "r.npy")
    code, start = text_section(path)
    signals = [at for at in range(0, len(code), 4) if code[at] == SIGNAL]
    assert len(signals) >= 2
    deadlocks = 0
    for at in signals:
        path.write_bytes(whole[: start + at] + WITHOUT_EFFECT + whole[start + at + 4 :])
        run = run_program(path, arrays)
        if run.returncode == 0:
            assert np.array_equal(np.load(tmp_path / "r.npy"), wanted)
            continue
        assert "wait" in run.stderr
        deadlocks += 1
    print(f"{name}: {deadlocks} of {len(signals)} signals end in a deadlock report, the others change nothing")
    assert deadlocks > 0


REFUSED = [
    ("y = [d3 : 2]", "mapping names iterator d3, the op has 3"),
    ("y = [d0 : 0]", "mapping cuts iterator d0 into 0"),
    ("inner = d7", "mapping names iterator d7, the op has 3"),
    ("y = [d0 : 5]", "mapping cuts axis y into 5, the grid has 4"),
    ("y = [d0 : 2, d1 : 3]", "mapping cuts axis y into 6, the grid has 4"),
    ("steps = [d0 : 4, d2 : 4]", "mapping steps through iterators d0 and d2, and one at most is cut in time"),
]


@pytest.mark.parametrize("mapping, reason", REFUSED)
def test_refused_with_the_reason(mapping, reason):
    case = matmul_case("", mapping, "", 16, 16, 16)
    result = tool("dojo-opt", "--dojo-select-mapping", "--dojo-partition", text=text_of(case))
    assert result.returncode != 0
    assert reason in result.stderr


def test_only_contractions_and_lookups_pad_their_reduction():
    case = Case("", "x = [d1 : 4]", "", [(10, 22)], (10,), ROW_SUM, None)
    result = tool("dojo-opt", "--dojo-select-mapping", text=text_of(case))
    assert "only a contraction or a lookup can pad its reduction" in result.stderr


def test_window_iterators_are_not_spread_together():
    case = conv_case("", "y = [d2 : 2], x = [d5 : 3]", "", (1, 2, 9, 9), (4, 2, 3, 3))
    result = tool("dojo-opt", "--dojo-select-mapping", text=text_of(case))
    assert "spreads two iterators that both index dimension 2 of operand 0" in result.stderr
