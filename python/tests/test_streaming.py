"""What does not fit stays in DRAM and flows through: equal in numbers, with and without overlap, within its limits."""

import re
import subprocess

import make_gpt2
import numpy as np
import ocr
import onnx
import pytest

from test_mappings import (
    ADD_ROW,
    ADD_TRANSPOSED,
    BATCH,
    POOL,
    ROW_SUM,
    Case,
    arrays_of,
    conv_case,
    matmul_case,
    run_program,
    tensor,
    text_of,
    tool,
    windows,
)
from test_resnet50 import measured

import dojo
from conftest import BUILD
from dojo.verify import Reference, check, random_inputs

GRID = "y = [d0 : 2], x = [d1 : 3], "
STEPS = [
    matmul_case("rows", GRID + "steps = [d0 : 8], inner = d1", "", 40, 24, 48),
    matmul_case("rows that do not divide", GRID + "steps = [d0 : 12], inner = d1, tile = [d0 : 2, d1 : 16]", "", 41, 24, 50),
    matmul_case("columns", GRID + "steps = [d1 : 12]", "", 16, 24, 48),
    matmul_case("columns on a split reduction", "y = [d2 : 4], x = [d1 : 3], steps = [d1 : 12], inner = d1", "", 16, 64, 48),
    matmul_case("reduction", "y = [d0 : 2], steps = [d2 : 16]", "", 16, 64, 32),
    matmul_case("reduction that does not divide", "x = [d1 : 4], steps = [d2 : 24], inner = d1", "", 16, 64, 32),
    matmul_case("split reduction in steps", "y = [d2 : 2], steps = [d2 : 16]", "", 16, 64, 32),
    matmul_case("columns on the matrix unit", "x = [d1 : 4], steps = [d1 : 64], inner = d1, tile = [d0 : 8, d1 : 16, d2 : 4]", "", 16, 32, 200, "bf16"),
    Case("batches", "x = [d1 : 4], steps = [d0 : 1], inner = d2", "", [(5, 10, 16), (5, 16, 32)], (5, 10, 32), BATCH, np.matmul),
    conv_case("rows of pixels with halo", "y = [d3 : 4], steps = [d2 : 5], inner = d1", "", (1, 3, 19, 18), (16, 3, 3, 3)),
    conv_case("rows of pixels, spread too", "y = [d2 : 2], steps = [d2 : 4]", "", (1, 2, 15, 15), (4, 2, 3, 3), stride=2),
    conv_case("output channels", "y = [d2 : 4], steps = [d1 : 16], inner = d1, tile = [d1 : 16]", "", (1, 3, 10, 10), (48, 3, 3, 3)),
    conv_case("input channels", "y = [d2 : 4], steps = [d4 : 2], inner = d1", "", (1, 6, 10, 10), (16, 6, 3, 3)),
    Case("row sums", "y = [d0 : 2], steps = [d0 : 4]", "", [(12, 24)], (12,), ROW_SUM, lambda a: a.sum(axis=1)),
    Case("row sums by columns", "y = [d0 : 2], steps = [d1 : 8]", "", [(12, 24)], (12,), ROW_SUM, lambda a: a.sum(axis=1)),
    Case("broadcast", "y = [d1 : 4], steps = [d0 : 3], inner = d1", "", [(9, 64), (64,)], (9, 64), ADD_ROW, np.add),
    Case("transposed", "x = [d1 : 4], steps = [d0 : 2]", "", [(9, 16), (16, 9)], (9, 16), ADD_TRANSPOSED, lambda a, b: a + b.T),
    Case("pooling", "x = [d1 : 4], steps = [d2 : 2]", "", [(1, 8, 15, 15)], (1, 8, 7, 7), POOL, lambda a: windows(a, (3, 3), 2).max(axis=(4, 5)), fill="max"),
]  # fmt: skip


def lowered(text, folder):
    module, program = folder / "lowered.mlir", folder / "program.d1"
    result = tool("dojo-opt", "--dojo-select-mapping", "--dojo-lower", "-o", module, text=text)
    assert result.returncode == 0, result.stderr
    result = tool("dojo-translate", "--d1-to-binary", module, "-o", program)
    assert result.returncode == 0, result.stderr
    return program, module.read_text()


def outcome(text, arrays, folder, *options):
    program, module = lowered(text, folder)
    run = run_program(program, arrays, "--strict=race", *options)
    assert run.returncode == 0, run.stderr
    return np.load(folder / "r.npy"), module


@pytest.mark.parametrize("storage", ["", 'dojo.storage = "dram", '], ids=["sram", "dram"])
@pytest.mark.parametrize("case", STEPS, ids=lambda case: case.name)
def test_steps_by_hand_give_the_same_bits_in_order_and_overlapped(case, storage, tmp_path):
    def with_attributes(text):
        return text_of(case).replace("dojo.mapping = ", text + "dojo.mapping = ")

    arrays = arrays_of(case)
    overlapped, _ = outcome(with_attributes(storage), arrays, tmp_path)
    in_order, _ = outcome(with_attributes(storage + "dojo.slots = 1 : i64, "), arrays, tmp_path)
    assert np.array_equal(overlapped, in_order)
    wanted = case.reference(*[a.astype(np.float64) for a in arrays])
    tolerance = 1e-5 if case.element == "f32" else 1e-2
    assert np.abs(overlapped - wanted).max() <= tolerance * np.abs(wanted).max()


def with_repeated(text, name, shape, padded):
    """The text with an input that is a constant of one value, or such a constant with padding at its sides."""
    kept = (*shape[:-1], shape[-1] - 2) if padded else shape
    side = ", ".join(["0"] * (len(shape) - 1) + ["1"])
    indices = ", ".join(f"%i{d}: index" for d in range(len(shape)))
    pad = f"""%p = arith.constant 0.25 : f32
      %{name} = tensor.pad %c low[{side}] high[{side}] {{
      ^bb0({indices}):
        tensor.yield %p : f32
      }} : {tensor(kept)} to {tensor(shape)}"""
    constant = f"%{'c' if padded else name} = arith.constant dense<0.5> : {tensor(kept)}"
    text = re.sub(rf'%{name}: [^{{]*{{dojo.name = "{name}"}}(, )?', "", text).replace(", )", ")")
    text = text.replace('dojo.name = "b"', 'dojo.name = "a"')
    return text.replace("%z = ", f"{constant}\n{pad if padded else ''}\n%z = ")


@pytest.mark.parametrize("padded", [False, True], ids=["whole", "padded"])
@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("case", [c for c in STEPS if c.element == "f32" and len(c.inputs) == 2], ids=lambda c: c.name)
def test_a_repeated_constant_is_filled_where_it_is_needed(case, name, padded, tmp_path):
    arrays = arrays_of(case)
    at = "ab".index(name)
    shape = case.inputs[at]
    program, _ = lowered(with_repeated(text_of(case), name, shape, padded), tmp_path)
    run = run_program(program, [arrays[1 - at]], "--strict=race")
    assert run.returncode == 0, run.stderr
    found = np.load(tmp_path / "r.npy")
    arrays[at] = np.full(shape, 0.5)
    if padded:
        arrays[at][..., [0, -1]] = 0.25
    wanted = case.reference(*[a.astype(np.float64) for a in arrays])
    assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


# The first result is stored by rows and loaded by columns, through a transpose, a slice and
# a reshape, and once more whole: other nodes load than those that stored.
STORED = """
#t = affine_map<(d0, d1) -> (d0, d1)>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<32x48xf32> {dojo.name = "a"}, %b: tensor<32x16xf32> {dojo.name = "b"})
    -> (tensor<24x16xf32> {dojo.name = "r"}) {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32x48xf32>
  %x = linalg.add {dojo.mapping = #dojo.mapping<y = [d0 : 4], x = [d1 : 3]{rows}>{storage}}
      ins(%a, %a : tensor<32x48xf32>, tensor<32x48xf32>) outs(%e : tensor<32x48xf32>) -> tensor<32x48xf32>
  %s = tensor.extract_slice %x[0, 8] [32, 24] [1, 1] : tensor<32x48xf32> to tensor<32x24xf32>
  %te = tensor.empty() : tensor<24x32xf32>
  %t = linalg.transpose ins(%s : tensor<32x24xf32>) outs(%te : tensor<24x32xf32>) permutation = [1, 0]
  %ge = tensor.empty() : tensor<24x16xf32>
  %g = linalg.fill ins(%z : f32) outs(%ge : tensor<24x16xf32>) -> tensor<24x16xf32>
  %m = linalg.matmul {dojo.mapping = #dojo.mapping<x = [d0 : 4]{columns}>{storage}}
      ins(%t, %b : tensor<24x32xf32>, tensor<32x16xf32>) outs(%g : tensor<24x16xf32>) -> tensor<24x16xf32>
  %f = tensor.collapse_shape %x [[0, 1]] : tensor<32x48xf32> into tensor<1536xf32>
  %p = tensor.extract_slice %f[0] [384] [1] : tensor<1536xf32> to tensor<384xf32>
  %q = tensor.expand_shape %p [[0, 1]] output_shape [24, 16] : tensor<384xf32> into tensor<24x16xf32>
  %r = linalg.add {dojo.mapping = #dojo.mapping<y = [d1 : 4]>}
      ins(%m, %q : tensor<24x16xf32>, tensor<24x16xf32>) outs(%ge : tensor<24x16xf32>) -> tensor<24x16xf32>
  return %r : tensor<24x16xf32>
}
}
"""


@pytest.mark.parametrize("rows", ["", ", steps = [d0 : 8]"], ids=["at once", "stored in steps"])
@pytest.mark.parametrize("columns", ["", ", steps = [d0 : 8]", ", steps = [d2 : 8]"], ids=["whole", "rows", "reduction"])
def test_results_in_dram_are_loaded_by_other_nodes(rows, columns, tmp_path):
    random = np.random.default_rng(0)
    arrays = [random.standard_normal(shape).astype(np.float32) for shape in ((32, 48), (32, 16))]

    def text(storage):
        return STORED.replace("{storage}", storage).replace("{rows}", rows).replace("{columns}", columns)

    in_sram, _ = outcome(text(""), arrays, tmp_path)
    in_dram, module = outcome(text(', dojo.storage = "dram"'), arrays, tmp_path, "--threads=2")
    assert re.search(r"_store\((?:(?!_pull).)*d1\.drain(?:(?!_pull).)*d1\.barrier", module, re.DOTALL)
    assert np.array_equal(in_dram, in_sram)
    x = 2 * arrays[0].astype(np.float64)
    wanted = x[:, 8:32].T @ arrays[1] + x.ravel()[:384].reshape(24, 16)
    assert np.abs(in_dram - wanted).max() <= 1e-5 * np.abs(wanted).max()


def test_a_stored_result_that_is_returned_is_stored_once(tmp_path):
    case = next(case for case in STEPS if case.name == "rows")
    text = text_of(case).replace("dojo.mapping = ", 'dojo.storage = "dram", dojo.mapping = ')
    _, module = lowered(text, tmp_path)
    assert '"scratch"' not in module
    assert "dram_bytes = 16128 : i64" in module and "dram_bound_bytes = 16128 : i64" in module


ROWS = [("gpt2_xl_blocks", "bf16"), ("resnet50", "bf16"), ("resnet50", "fp32")]


@pytest.mark.parametrize("model, precision", ROWS)
def test_equal_on_a_machine_that_is_too_small(compiled, model_path, model, precision):
    program, path = compiled(model, "d1-mini", precision), model_path(model)
    reference = Reference(path)
    for seed in range(3):
        strict = "memory" if seed == 0 else None
        result = check(program, reference, random_inputs(program, reference, seed, None), precision, strict=strict)
        assert result.passed, "\n".join(c.line() for c in result.comparisons)
    assert program.report["compile_seconds"] < 20


def test_each_weight_of_gpt2_xl_is_read_once_in_a_step(compiled):
    """A layer's weights are twice the SRAM of all nodes together."""
    program = compiled("gpt2_xl_blocks", "d1-mini", "bf16")
    assert program.report["dram_bytes"] <= 1.01 * program.report["dram_bound_bytes"]


def test_a_rendered_page_flows_through_resnet50(compiled, model_path):
    program, path = compiled("resnet50", "d1-mini", "bf16"), model_path("resnet50")
    page = ocr.normalised(ocr.resized(ocr.draw_page(0)[0], 224, 224))[None]
    result = check(program, Reference(path), {"input": page}, "bf16")
    assert result.passed, "\n".join(c.line() for c in result.comparisons)


def test_a_text_flows_through_gpt2_xl_blocks_in_two_steps(compiled, model_path, words):
    """The words' vectors are drawn, like the weights; the second step has the caches of the first."""
    program, reference = compiled("gpt2_xl_blocks", "d1-mini", "bf16"), Reference(model_path("gpt2_xl_blocks"))
    size, ids = make_gpt2.XL_BLOCKS, words("gpt2.bin", make_gpt2.__doc__ + make_gpt2.GPT2.mask.__doc__)
    vectors = np.random.default_rng(0).standard_normal((max(ids) + 1, size.width)).astype(np.float32)
    caches = {t.name: np.zeros(t.shape, np.float32) for t in program.inputs if t.name != "hidden_states"}
    for first in (0, size.tokens):
        hidden = vectors[ids[first : first + size.tokens]][None]
        result = check(program, reference, {"hidden_states": hidden, **caches}, "bf16")
        assert result.passed, "\n".join(c.line() for c in result.comparisons)
        caches = {name: result.outputs[name.replace("past", "present")][:, :, size.past :] for name in caches}


@pytest.mark.parametrize("model, precision", ROWS)
def test_the_exported_mapping_holds_what_makes_it_fit(model_path, tmp_path, model, precision):
    def binary(name, *options):
        path = tmp_path / name
        command = [BUILD / "bin" / "dojo-compile", model_path(model), "-o", path, "--target=d1-mini", f"--precision={precision}"]
        subprocess.run([*command, *options], check=True, capture_output=True)
        return path.read_bytes()

    file = tmp_path / "mappings"
    chosen = binary("chosen.d1", f"--export-mapping={file}")
    text = file.read_text()
    assert ("steps = [" in text) == (precision == "bf16")  # in fp32 it is enough that weights are in DRAM
    assert binary("obeyed.d1", f"--mapping={file}", f"--export-mapping={file}.again") == chosen
    assert (tmp_path / "mappings.again").read_text() == text


def test_the_tools_keep_their_limits_on_gpt2_xl(compiled, model_path, tmp_path):
    binary = tmp_path / "xl.d1"
    seconds, memory = measured(BUILD / "bin" / "dojo-compile", model_path("gpt2_xl_blocks"), "-o", binary, "--target=d1-mini")
    assert seconds < 20 and memory < 8
    inputs = []
    for tensor in compiled("gpt2_xl_blocks", "d1-mini", "bf16").inputs:
        np.save(tmp_path / f"{tensor.name}.npy", np.zeros(tensor.shape, np.float32))
        inputs.append(f"--input={tensor.name}={tmp_path / tensor.name}.npy")
    seconds, memory = measured(BUILD / "bin" / "dojo-run", binary, *inputs)
    assert seconds < 60 and memory < 8


def test_a_weight_of_one_value_needs_no_room_for_all_of_it():
    """23 MiB on nodes of 20 MiB together; neither dimension divides into blocks and steps."""
    shape = onnx.numpy_helper.from_array(np.array([2501, 2403]), "shape")
    value = onnx.helper.make_tensor("value", onnx.TensorProto.FLOAT, [1], [0.02])
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [3, 2501])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [3, 2403])
    nodes = [
        onnx.helper.make_node("ConstantOfShape", ["shape"], ["w"], value=value),
        onnx.helper.make_node("MatMul", ["x", "w"], ["y"], "product"),
    ]
    graph = onnx.helper.make_graph(nodes, "g", [x], [y], [shape])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
    program, reference = dojo.compile(model, "d1-mini", "fp32"), Reference(model.SerializeToString())
    result = check(program, reference, random_inputs(program, reference, seed=0), "fp32", strict="memory")
    assert result.passed, "\n".join(c.line() for c in result.comparisons)


def test_what_cannot_be_cut_is_an_error_with_all_that_was_tried():
    size = 3000
    index = "\n".join([
        f"%r = linalg.generic {{indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = [\"parallel\"]}} outs(%e : tensor<{size}000xi32>) {{",
        "^bb0(%o: i32):\n%i = linalg.index 0 : index\n%c = arith.index_cast %i : index to i32\nlinalg.yield %c : i32",
        f"}} -> tensor<{size}000xi32>",
    ])
    text = f"""module attributes {{dojo.machine = #dojo.machine<"d1-mini">}} {{
func.func @step() -> tensor<{size}000xi32> {{
%e = tensor.empty() : tensor<{size}000xi32>
{index}
return %r : tensor<{size}000xi32>
}}
}}"""
    result = tool("dojo-opt", "--dojo-select-mapping", "--dojo-fit", text=text)
    assert result.returncode != 0
    for part in ["no room in SRAM", "12000000 bytes finds no room", "more than the capacity of 1310720", "live sizes alone take",
                 "the largest alive with it are", "tried already: 0 of 0 weights and 0 results in DRAM, 0 ops in steps"]:  # fmt: skip
        assert part in result.stderr
