"""Small ONNX models for tests: models.py NAME OUT.onnx."""
import sys

import numpy as np
import onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh

F = T.FLOAT
MODELS = {}


def model(function):
    MODELS[function.__name__.replace("_", "-")] = function
    return function


def make(nodes, inputs, outputs, weights=(), opset=21, **options):
    graph = h.make_graph(nodes, "g", inputs, outputs, initializer=list(weights))
    return h.make_model(graph, opset_imports=[h.make_opsetid("", opset)], ir_version=10, **options)


def info(name, shape, kind=F):
    return h.make_tensor_value_info(name, kind, shape)


def weights(name, *shape, seed=0):
    return nh.from_array(np.random.default_rng(seed).standard_normal(shape).astype(np.float32), name)


@model
def mlp():
    return make(
        [h.make_node("MatMul", ["x", "w1"], ["a"], "fc1"), h.make_node("Add", ["a", "b1"], ["b"], "bias1"),
         h.make_node("Relu", ["b"], ["c"], "relu"), h.make_node("Gemm", ["c", "w2", "b2"], ["y"], "fc2", transB=1)],
        [info("x", ["batch", 32])], [info("y", ["batch", 10])],
        [weights("w1", 32, 64), weights("b1", 64), weights("w2", 10, 64), weights("b2", 10)])


def main():
    name, path = sys.argv[1:]
    onnx.save(MODELS[name](), path)


if __name__ == "__main__":
    main()
