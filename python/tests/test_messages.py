"""What the compiler has to say besides errors reaches those who call it."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import dojo

REMARK = "remark: SRAM does not hold everything at once: 2 of 2 weights and 0 results in DRAM, 0 ops in steps"


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Two matmuls whose weights do not fit one node together."""
    random = np.random.default_rng(0)
    shapes = {"first": (512, 400), "second": (400, 512)}
    weights = [numpy_helper.from_array(random.standard_normal(s).astype(np.float32), n) for n, s in shapes.items()]
    nodes = [helper.make_node("MatMul", ["x", "first"], ["h"]), helper.make_node("MatMul", ["h", "second"], ["y"])]
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 512])] for name in "xy"]
    model = helper.make_model(
        helper.make_graph(nodes, "wide", *ends, weights), opset_imports=[helper.make_opsetid("", 17)]
    )
    path = tmp_path_factory.mktemp("wide") / "wide.onnx"
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("command", ["dojo-compile", "dojo-verify"])
def test_on_the_command_line(run_tool, wide, tmp_path, command):
    done = run_tool(command, wide, "--target=d1-node", "--precision=fp32", "-o", tmp_path / "wide.d1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"{command}: {REMARK}\n"


def test_in_python(wide):
    assert dojo.compile(wide, "d1-node", "fp32").messages == [REMARK]
