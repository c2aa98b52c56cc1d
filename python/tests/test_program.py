"""What dojo.compile and Program promise, beyond the numbers."""

import json
import subprocess
import sys
import time

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import dojo


@pytest.fixture(scope="module")
def program(compiled):
    return compiled("digits_mlp", "d1-node", "fp32")


@pytest.fixture
def images(random):
    return {"image": random.standard_normal((20, 1, 8, 8)).astype(np.float32)}


def test_a_path_its_bytes_and_a_model_compile_to_the_same_binary(model_path, tmp_path):
    path = model_path("digits_mlp")
    model = onnx.load(path)
    for i, form in enumerate((path, model.SerializeToString(), model)):
        dojo.compile(form, target="d1-node").save(tmp_path / f"{i}.d1")
    binaries = {(tmp_path / f"{i}.d1").read_bytes() for i in range(3)}
    assert len(binaries) == 1


def test_a_saved_program_runs_as_the_compiled_one(program, images, tmp_path):
    program.save(tmp_path / "model.d1")
    loaded = dojo.Program.load(tmp_path / "model.d1")
    assert (loaded.inputs, loaded.outputs, loaded.report) == (program.inputs, program.outputs, {})
    assert np.array_equal(loaded.run(images)["logits"], program.run(images)["logits"])


@pytest.mark.parametrize("options", [{"threads": 1}, {"threads": 2}, {"threads": 7}, {"strict": "memory"}, {"strict": "race"}])
def test_no_option_of_a_run_changes_its_result(program, images, options):
    assert np.array_equal(program.run(images, **options)["logits"], program.run(images)["logits"])


def test_the_strides_of_an_input_do_not_matter(program, images):
    turned = np.asfortranarray(images["image"][::-1])
    assert not turned.flags.c_contiguous
    expected = program.run({"image": turned.copy(order="C")})["logits"]
    assert np.array_equal(program.run({"image": turned})["logits"], expected)


@pytest.mark.parametrize("name", ["digits_mlp", "digits_cnn"])
def test_loops_that_multiply_do_what_single_steps_do(compiled, random, run_tool, tmp_path, name):
    compiled(name, "d1-mini", "bf16").save(tmp_path / "model.d1")
    np.save(tmp_path / "image.npy", random.standard_normal((20, 1, 8, 8)).astype(np.float32))
    reports = {}
    for way in ("whole", "interpret"):
        done = run_tool(
            "dojo-run", tmp_path / "model.d1", f"--input=image={tmp_path / 'image.npy'}",
            f"--output-dir={tmp_path / way}", f"--report={tmp_path / way}.json",
            *(["--interpret"] if way == "interpret" else []),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        reports[way] = json.loads((tmp_path / f"{way}.json").read_text())
    assert reports["whole"].pop("matrix_instructions_batched") > 0
    assert reports["interpret"].pop("matrix_instructions_batched") == 0
    for report in reports.values():
        del report["seconds"], report["init"]
    assert reports["whole"] == reports["interpret"]
    for output in (tmp_path / "whole").iterdir():
        assert output.read_bytes() == (tmp_path / "interpret" / output.name).read_bytes()


@pytest.mark.parametrize(
    "operator, target, x, w, out, attributes",
    [
        ("MatMul", "d1-node", (256, 512), (512, 256), (256, 256), {}),
        ("Conv", "d1-node", (1, 64, 28, 28), (64, 64, 3, 3), (1, 64, 28, 28), {"pads": [1, 1, 1, 1]}),
        ("MatMul", "d1-mini", (1, 128, 768), (768, 768), (1, 128, 768), {}),
    ],
    ids=["gemm", "convolution", "bert"],
)
def test_nearly_all_multiplies_run_in_whole_loops(random, run_tool, tmp_path, operator, target, x, w, out, attributes):
    def value(name, shape):
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    node = helper.make_node(operator, ["x", "w"], ["out"], **attributes)
    weights = numpy_helper.from_array(random.standard_normal(w).astype(np.float32), "w")
    graph = helper.make_graph([node], "one", [value("x", x)], [value("out", out)], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    dojo.compile(model, target, "bf16").save(tmp_path / "one.d1")
    np.save(tmp_path / "x.npy", random.standard_normal(x).astype(np.float32))
    report = tmp_path / "report.json"
    done = run_tool("dojo-run", tmp_path / "one.d1", f"--input=x={tmp_path / 'x.npy'}", f"--report={report}")
    assert done.returncode == 0, done.stderr
    counts = json.loads(report.read_text())
    assert counts["matrix_instructions_batched"] >= 0.9 * counts["matrix_instructions"] > 0


def test_a_run_does_not_depend_on_the_one_before(program, images):
    first = program.run(images)["logits"]
    program.run({"image": -images["image"]})
    assert np.array_equal(program.run(images)["logits"], first)


def test_reports_have_the_figures_that_are_promised(program, images):
    program.run(images)
    assert {
        "compile_seconds", "precision", "nodes_used", "sram_peak_bytes", "sram_bound_bytes", "code_bytes",
        "noc_bytes", "dram_bytes", "dram_bound_bytes",
    } <= set(program.report)  # fmt: skip
    assert {
        "instructions_executed", "matrix_instructions", "macs", "macs_busiest_node", "sram_touched_bytes",
        "noc_bytes", "dram_bytes", "seconds",
    } <= set(program.run_report)  # fmt: skip


@pytest.mark.parametrize(
    "inputs, words",
    [
        ({}, "'image'"),
        ({"picture": 0}, "'picture' is no input; the program takes 'image' 20x1x8x8xf32"),
        ({"image": np.zeros((1, 1, 8, 8), np.float32)}, "'image' is a numpy array 1x1x8x8xf4, the program takes"),
        ({"image": np.zeros((20, 1, 8, 8), np.int32)}, "'image' is a numpy array 20x1x8x8xi4, the program takes"),
        ({"image": np.zeros((20, 1, 8, 8), np.complex64)}, "c8"),
    ],
)
def test_wrong_inputs_are_refused(program, inputs, words):
    with pytest.raises(dojo.Error, match=words):
        program.run(inputs)


@pytest.mark.parametrize("options, words", [({"threads": 0}, "threads is 0"), ({"strict": "all"}, "strict is 'all'")])
def test_wrong_options_are_refused(program, images, options, words):
    with pytest.raises(dojo.Error, match=words):
        program.run(images, **options)


def test_one_node_takes_less_than_a_third_of_a_second_once_warm():
    from onnx import helper

    from dojo import backend

    def seconds():
        start = time.perf_counter()
        (y,) = backend.run_node(helper.make_node("Softmax", ["x"], ["y"]), [x], outputs_info=[(x.dtype, x.shape)])
        assert np.allclose(y.sum(axis=-1), 1)
        return time.perf_counter() - start

    x = np.linspace(-2, 2, 60, dtype=np.float32).reshape(3, 4, 5)
    assert min(seconds() for _ in range(5)) < 0.3


def test_compiling_and_running_work_without_onnx_and_onnxruntime(model_path, tmp_path):
    script = """if True:
        import sys
        sys.modules["onnx"] = sys.modules["onnxruntime"] = None
        import numpy as np
        import dojo
        program = dojo.compile(sys.argv[1], target="d1-node")
        result = program.run({"image": np.ones((20, 1, 8, 8), np.float32)})
        assert result["logits"].shape == (20, 10)
        """
    done = subprocess.run([sys.executable, "-c", script, model_path("digits_mlp")], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
