"""Bad input through the real command lines: one clear error, no crash, nothing written."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from graph import IR_VERSION, OPSET


def model_of(nodes, inputs, outputs, weights=()):
    graph = helper.make_graph(
        nodes,
        "bad",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
        list(weights),
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("acme", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def relu_model(shape=(4, 8)):
    node = helper.make_node("Relu", ["x"], ["y"], name="the_relu")
    return model_of([node], {"x": shape}, {"y": shape})


def gemm_model(size, weights=None, rows=4):
    weights = weights or numpy_helper.from_array(np.ones((size, size), np.float32), "w")
    node = helper.make_node("MatMul", ["x", "w"], ["y"], name="the_matmul")
    return model_of([node], {"x": (rows, size)}, {"y": (rows, size)}, [weights])


def external_weight(size, location):
    tensor = numpy_helper.from_array(np.ones((size, size), np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(4 * size * size))):
        tensor.external_data.add(key=key, value=value)
    return tensor


def unknown_operators():
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="known"),
        helper.make_node("Frobnicate", ["a"], ["b"], name="the_first"),
        helper.make_node("Twiddle", ["b"], ["y"], name="the_second", domain="acme"),
    ]
    return model_of(nodes, {"x": (4, 8)}, {"y": (4, 8)})


@pytest.fixture
def refused(run_tool, tmp_path):
    """refused(file bytes or model, words..., options) -> checks that dojo-compile refuses it saying all the words."""

    def check(content, *words, options=()):
        source, binary = tmp_path / "model.onnx", tmp_path / "model.d1"
        source.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
        done = run_tool("dojo-compile", source, "-o", binary, *options)
        check_error(done, words)
        assert not binary.exists()

    return check


def check_error(done, words):
    assert 0 < done.returncode < 128, f"status {done.returncode}: {done.stderr}"
    assert done.stdout == ""
    assert "error:" in done.stderr
    assert "Stack dump" not in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 12, done.stderr
    for word in words:
        assert word in done.stderr


def test_truncated_file(refused, model_path):
    with open(model_path("digits_mlp"), "rb") as file:
        content = file.read()
    for kept in (1, len(content) // 2, len(content) - 1):
        refused(content[:kept], "model.onnx")


@pytest.mark.parametrize("content", [b"", b"\x7fELF" + bytes(60), b"This is no model.\n" * 20, bytes(range(256)) * 4])
def test_not_onnx(refused, content):
    refused(content, "model.onnx")


def test_missing_model(run_tool, tmp_path):
    check_error(run_tool("dojo-compile", tmp_path / "none.onnx", "-o", tmp_path / "out.d1"), ["none.onnx"])


def test_all_unknown_operators_are_reported_together(refused):
    refused(unknown_operators(), "Frobnicate", "the_first", "Twiddle", "the_second")


@pytest.mark.parametrize(
    "attributes, sizes, words",
    [
        ({"num_outputs": 2**62}, None, f"its attribute 'num_outputs' is {2**62}, and it has 2 outputs"),
        ({}, [-4, 12], "its parts -4x12 do not make up a dimension of 8"),
    ],
)
def test_parts_that_no_split_can_have(refused, attributes, sizes, words):
    weights = [numpy_helper.from_array(np.array(sizes), "sizes")] if sizes else []
    node = helper.make_node("Split", ["x", "sizes"] if sizes else ["x"], ["a", "b"], "the_split", axis=1, **attributes)
    model = model_of([node], {"x": (4, 8)}, {"a": None, "b": None}, weights)
    model.opset_import[0].version = 18
    refused(model, "the_split", words)


def changed(change):
    model = relu_model()
    change(model)
    return model


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda m: m.graph.output.pop(), "the graph 'bad' has no outputs"),
        (lambda m: m.graph.output.append(m.graph.output[0]), "the graph has the output 'y' twice"),
        (lambda m: m.graph.input.append(m.graph.input[0]), "the graph defines 'x' twice"),
        (lambda m: m.graph.node.append(m.graph.node[0]), "the graph defines 'y' twice"),
        (lambda m: m.ClearField("opset_import"), "node 'the_relu' (Relu): the model imports no operator set of its domain ''"),
        (lambda m: m.graph.node[0].input.__setitem__(0, "y"), "node 'the_relu' (Relu): it reads 'y', which no input"),
    ],
)
def test_graphs_that_are_none(refused, change, words):
    refused(changed(change), words)


def test_a_body_given_twice(refused):
    value = helper.make_tensor_value_info("b", TensorProto.FLOAT, (4, 8))
    body = helper.make_graph([helper.make_node("Relu", ["x"], ["b"])], "body", [], [value])
    node = helper.make_node("If", ["c"], ["y"], "the_if", then_branch=body, else_branch=body)
    node.attribute.append(node.attribute[0])
    condition = numpy_helper.from_array(np.array(True), "c")
    name = node.attribute[0].name
    refused(model_of([node], {"x": (4, 8)}, {"y": (4, 8)}, [condition]), f"node 'the_if' (If): it has the attribute '{name}' twice")


def test_missing_external_data(refused):
    refused(gemm_model(8, external_weight(8, "weights.bin")), "weights.bin")


@pytest.mark.parametrize("location", ["../weights.bin", "sub/../../weights.bin", "/etc/hostname"])
def test_external_data_outside_the_folder(refused, tmp_path, location):
    (tmp_path.parent / "weights.bin").write_bytes(bytes(256))
    refused(gemm_model(8, external_weight(8, location)), location)


def test_external_data_behind_a_link_outside_the_folder(refused, tmp_path):
    outside = tmp_path.parent / "outside.bin"
    outside.write_bytes(bytes(256))
    (tmp_path / "link.bin").symlink_to(outside)
    refused(gemm_model(8, external_weight(8, "link.bin")), "link.bin")


def test_external_data_too_short(refused, tmp_path):
    (tmp_path / "weights.bin").write_bytes(bytes(100))
    refused(gemm_model(8, external_weight(8, "weights.bin")), "weights.bin")


def test_unbound_dynamic_dimension(refused):
    refused(relu_model(("batch", 8)), "batch", "x", "--shape")


@pytest.mark.parametrize(
    "shape, words",
    [
        ("nothing=4x8", ["nothing"]),
        ("x=4", ["x"]),
        ("x=5x8", ["x"]),
        ("x=0x8", ["x"]),
        ("x=-1x8", ["x"]),
        ("x=four", ["four"]),
        ("x", ["x"]),
    ],
)
def test_wrong_shape(refused, shape, words):
    refused(relu_model(), *words, options=[f"--shape={shape}"])


def test_unknown_target(refused):
    refused(relu_model(), "d2-die", "d1-node", "d1-mini", "d1-die", options=["--target=d2-die"])


def test_unknown_precision(refused):
    refused(relu_model(), "fp8", options=["--precision=fp8"])


def test_no_room_in_sram(refused):
    # One iterator is cut in time, so one of the three matrices is whole in the node's SRAM.
    model = gemm_model(2048, rows=2048)
    refused(model, "the_matmul", "bytes", "tried already", options=["--target=d1-node", "--precision=fp32"])


@pytest.fixture(scope="module")
def relu_binary(run_tool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("relu")
    onnx.save(relu_model(), folder / "relu.onnx")
    done = run_tool("dojo-compile", folder / "relu.onnx", "-o", folder / "relu.d1", "--target=d1-node")
    assert done.returncode == 0, done.stderr
    return folder / "relu.d1"


def test_good_input_runs(run_tool, relu_binary, tmp_path):
    values = np.linspace(-1, 1, 32, dtype=np.float32).reshape(4, 8)
    np.save(tmp_path / "x.npy", values)
    done = run_tool("dojo-run", relu_binary, f"--input=x={tmp_path / 'x.npy'}", f"--output-dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(tmp_path / "y.npy"), np.maximum(values, 0))


def test_damaged_binary(run_tool, relu_binary, tmp_path):
    content = relu_binary.read_bytes()
    damaged = [
        b"",
        b"not a binary",
        content[:40],
        content[: len(content) // 2],
        content[:-1],
        content[:16] + b"\xff" * 32 + content[48:],
    ]
    for i, data in enumerate(damaged):
        (tmp_path / f"damaged{i}.d1").write_bytes(data)
        check_error(run_tool("dojo-run", tmp_path / f"damaged{i}.d1"), [f"damaged{i}.d1"])


def test_any_flipped_byte_is_refused_or_harmless(run_tool, relu_binary, tmp_path, random):
    """Damage may go unseen where it changes data alone; it never crashes the tool."""
    content = relu_binary.read_bytes()
    np.save(tmp_path / "x.npy", np.ones((4, 8), np.float32))
    for position in random.integers(0, len(content), 40):
        data = bytearray(content)
        data[position] ^= 1 << int(random.integers(8))
        (tmp_path / "flipped.d1").write_bytes(data)
        done = run_tool("dojo-run", tmp_path / "flipped.d1", f"--input=x={tmp_path / 'x.npy'}")
        assert done.returncode >= 0, f"byte {position}: signal {-done.returncode}"


@pytest.mark.parametrize(
    "name, array, words",
    [
        ("picture", np.zeros((4, 8), np.float32), ["picture"]),
        ("x", np.zeros((8, 4), np.float32), ["x", "4", "8"]),
        ("x", np.zeros((4, 8), np.int32), ["x"]),
    ],
)
def test_wrong_input(run_tool, relu_binary, tmp_path, name, array, words):
    np.save(tmp_path / "given.npy", array)
    check_error(run_tool("dojo-run", relu_binary, f"--input={name}={tmp_path / 'given.npy'}"), words)


def test_missing_input(run_tool, relu_binary):
    check_error(run_tool("dojo-run", relu_binary), ["x"])


def test_input_that_is_no_npy_file(run_tool, relu_binary, tmp_path):
    (tmp_path / "given.npy").write_bytes(b"\x93NUMPY\x01")
    check_error(run_tool("dojo-run", relu_binary, f"--input=x={tmp_path / 'given.npy'}"), ["given.npy"])
