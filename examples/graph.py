"""Writes an ONNX model node by node; what the example models are made with."""

import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8


class Graph:
    """Collects nodes and weights; every value is known by its name."""

    def __init__(self, name, inputs):
        """inputs: name -> shape, all float32."""
        self.name = name
        self.inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()]
        self.weights = []
        self.nodes = []

    def weight(self, name, array):
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op, name, inputs, **attributes):
        """Appends a node with one output, called after the node, and returns that name."""
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def model(self, outputs):
        """outputs: name -> shape, all float32."""
        results = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()]
        graph = helper.make_graph(self.nodes, self.name, self.inputs, results, self.weights)
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="dojo examples")
        onnx.checker.check_model(model)
        return model
