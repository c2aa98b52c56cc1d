"""dojo-verify --bisect: the first node that goes wrong, and its model of one node."""

import shlex

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import dojo
from dojo import graphs
from dojo.bisect import search, search_singly
from dojo.compare import Comparison
from dojo.verify import Reference

F, I64 = TensorProto.FLOAT, TensorProto.INT64


def model_of(nodes, inputs, outputs, weights=()):
    def infos(values):
        return [helper.make_tensor_value_info(name, *kind) for name, kind in values.items()]

    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in weights]
    graph = helper.make_graph(nodes, "g", infos(inputs), infos(outputs), tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def changed_cnn(model_path, tmp_path):
    """The CNN with another value in one weight of its second convolution."""
    model = onnx.load(model_path("digits_cnn"))
    tensor = next(t for t in model.graph.initializer if t.name == "conv2.weight")
    array = numpy_helper.to_array(tensor).copy()
    array.flat[0] += 1
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    onnx.save(model, tmp_path / "changed.onnx")
    return tmp_path / "changed.onnx"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_names_the_first_node_that_differs_and_saves_it(run_tool, model_path, changed_cnn, tmp_path, precision):
    options = (f"--precision={precision}", "--target=d1-mini", "--bisect", f"--output-dir={tmp_path / 'found'}")
    done = run_tool("dojo-verify", model_path("digits_cnn"), f"--reference={changed_cnn}", *options)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "FAIL" and lines[-2] == "by itself it differs too"
    assert "first to differ: node 'conv2' (Conv), its output 'conv2'" in lines
    (command,) = [shlex.split(line.removeprefix("saved: ")) for line in lines if line.startswith("saved: ")]
    again = run_tool(*command)
    assert again.returncode == 1 and "conv2: max error" in again.stdout, again.stderr
    right = run_tool(*(word for word in command if not word.startswith("--reference")))
    assert right.returncode == 0, right.stderr
    assert [n.op_type for n in onnx.load(command[1]).graph.node] == ["Conv"]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_right_program_passes_with_all_its_values(run_tool, model_path, precision):
    done = run_tool("dojo-verify", model_path("digits_cnn"), f"--precision={precision}", "--target=d1-mini", "--bisect")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["7 intermediate values compared, none differs", "PASS"]


def test_an_error_that_comes_with_the_operands_is_told_from_one_of_the_node(run_tool, tmp_path, random):
    """In bf16 the difference of nearly equal products has few right digits; the subtraction is exact."""
    weight = random.standard_normal((32, 32)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "v"], ["a"], "first"), helper.make_node("MatMul", ["x", "w"], ["b"], "second"),
             helper.make_node("Sub", ["a", "b"], ["y"], "difference")]  # fmt: skip
    weights = [("v", weight), ("w", weight * np.float32(1.01))]
    onnx.save(model_of(nodes, {"x": (F, [4, 32])}, {"y": (F, [4, 32])}, weights), tmp_path / "m.onnx")
    done = run_tool("dojo-verify", tmp_path / "m.onnx", "--target=d1-node", "--bisect", f"--output-dir={tmp_path}")
    assert done.returncode == 1, done.stderr
    assert "first to differ: node 'difference' (Sub), its output 'y'" in done.stdout
    assert "by itself it passes: the error comes with its operands" in done.stdout


def test_the_reference_must_have_values_in_common(run_tool, model_path, tmp_path):
    node = helper.make_node("Flatten", ["image"], ["other"], "n")
    onnx.save(model_of([node], {"image": (F, [20, 1, 8, 8])}, {"other": (F, [20, 64])}), tmp_path / "r.onnx")
    done = run_tool("dojo-verify", model_path("digits_mlp"), f"--reference={tmp_path / 'r.onnx'}", "--bisect",
                    "--target=d1-node")  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "dojo-verify: error: the model and its reference have no value in common\n"


def test_a_node_whose_operands_the_reference_has_not_is_named_only(run_tool, tmp_path):
    values = {"x": (F, [4])}, {"y": (F, [4])}
    onnx.save(model_of([helper.make_node("Neg", ["x"], ["h"], "n"), helper.make_node("Exp", ["h"], ["y"], "e")], *values),
              tmp_path / "m.onnx")  # fmt: skip
    onnx.save(model_of([helper.make_node("Exp", ["x"], ["y"], "e")], *values), tmp_path / "r.onnx")
    done = run_tool("dojo-verify", tmp_path / "m.onnx", f"--reference={tmp_path / 'r.onnx'}", "--target=d1-node",
                    "--bisect", f"--output-dir={tmp_path}")  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "node 'e' reads 'h', which the reference has not: it is not saved" in done.stdout
    assert not (tmp_path / "e.onnx").exists()


# ---- Models of one node


def test_what_does_not_vary_with_the_inputs_becomes_a_weight(random):
    nodes = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Gather", ["s", "order"], ["to"]),
             helper.make_node("Exp", ["x"], ["e"]), helper.make_node("Reshape", ["e", "to"], ["y"])]  # fmt: skip
    model = model_of(nodes, {"x": (F, [2, 3])}, {"y": (F, [3, 2])}, [("order", np.array([1, 0]))])
    x = random.standard_normal((2, 3)).astype(np.float32)
    values = {"x": x, **Reference(graphs.exposed(model, ["s", "to", "e"]).SerializeToString()).run({"x": x})}
    alone, inputs = graphs.one_node(model, nodes[-1], values)
    onnx.checker.check_model(alone)
    assert list(inputs) == ["e"] and [t.name for t in alone.graph.initializer] == ["to"]
    np.testing.assert_array_equal(Reference(alone.SerializeToString()).run(inputs)["y"], values["y"])


def test_a_node_with_bodies_takes_what_they_read(random):
    def body(op, name):
        return helper.make_graph([helper.make_node(op, ["a", "w"], [name])], name, [], [helper.make_tensor_value_info(name, F, [2])])

    nodes = [helper.make_node("Exp", ["x"], ["a"]),
             helper.make_node("If", ["c"], ["y"], then_branch=body("Add", "t"), else_branch=body("Sub", "e"))]  # fmt: skip
    inputs = {"x": (F, [2]), "c": (TensorProto.BOOL, [])}
    model = model_of(nodes, inputs, {"y": (F, [2])}, [("w", np.ones(2, np.float32))])
    given = {"x": random.standard_normal(2).astype(np.float32), "c": np.array(False)}
    values = {**given, **Reference(graphs.exposed(model, ["a"]).SerializeToString()).run(given)}
    alone, inputs = graphs.one_node(model, nodes[-1], values)
    onnx.checker.check_model(alone)
    assert set(inputs) == {"c", "a"}
    np.testing.assert_array_equal(Reference(alone.SerializeToString()).run(inputs)["y"], values["y"])


# ---- The search


def looking(wrong, refuses=lambda names: ""):
    """A look() for search: the values in `wrong` differ; refuses(names) is the text of an error."""

    def look(names):
        look.seen.append(names)
        if refuses(names):
            raise dojo.Error(refuses(names))
        return [Comparison(name, failure="differs" if name in wrong else "") for name in names]

    look.seen = []
    return look


def test_what_is_too_large_is_looked_at_in_halves():
    look = looking("fg", lambda names: "it does not fit" if len(names) > 2 else "")
    outcome = search("abcdefgh", look)
    assert outcome.first.name == "f" and not outcome.refused
    assert ["a", "b"] in look.seen and ["g", "h"] not in look.seen


def test_values_that_the_error_names_are_left_out():
    look = looking("g", lambda names: "\n".join(f"output '{n}' is int64" for n in names if n in "bd"))
    outcome = search("abcdefgh", look)
    assert outcome.first.name == "g" and len(look.seen) == 2
    assert outcome.refused == {"b": "output 'b' is int64", "d": "output 'd' is int64"}
    assert next(outcome.lines()).startswith("2 intermediate values cannot be outputs and are not compared, as in: output 'b'")


def test_a_value_that_is_refused_alone_is_left_out():
    outcome = search("abcd", looking("d", lambda names: "no" if "b" in names else ""))
    assert outcome.first.name == "d" and outcome.refused == {"b": "no"}


def test_nothing_differs():
    outcome = search("abc", looking(""))
    assert outcome.first is None and outcome.compared == 3


def test_a_fault_that_hides_is_sought_with_one_output_at_a_time():
    failing = Comparison("y", failure="differs")
    assert search_singly(list("abcdef"), looking("def"), failing).name == "d"
    assert search_singly(list("abcdef"), looking(""), failing) is failing
    refusing = looking("def", lambda names: "no" if names == ["d"] else "")
    assert search_singly(list("abcdef"), refusing, failing).name == "e"
