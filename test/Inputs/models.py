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


@model
def placeholders():
    return make([h.make_node("Relu", ["x"], ["y"], "relu")], [info("x", [-1, 3, "?", "?"])], [info("y", None)])


@model
def integer_lookup():
    return make(
        [h.make_node("Gather", ["table", "ids"], ["row"], "look up"), h.make_node("Cast", ["ids"], ["text"], "to a text", to=T.STRING),
         h.make_node("Add", ["ids", "ids"], ["sum"], "sum"), h.make_node("Reshape", ["table", "sum"], ["shaped"], "back")],
        [info("ids", [4], T.INT64)], [info("shaped", None, T.BOOL)],
        [nh.from_array(np.arange(4) > 1, "table")])


@model
def wrong_types():
    return make([h.make_node("Relu", ["x"], ["y"], "relu")], [info("x", [2]), info("words", [2], T.STRING)], [info("y", [2], T.INT32)])


@model
def lookup():
    """Rows and columns by indices and a mask that come in as int64."""
    return make(
        [h.make_node("Gather", ["rows", "ids"], ["a"], "by row"), h.make_node("Gather", ["columns", "ids"], ["b"], "by column", axis=1),
         h.make_node("Equal", ["ids", "one"], ["m"], "is one"), h.make_node("Where", ["m", "ids", "one"], ["w"], "chosen"),
         h.make_node("Cast", ["w"], ["c"], "as float", to=F)],
        [info("ids", [2, 3], T.INT64)], [info("a", [2, 3, 5]), info("b", [4, 2, 3]), info("c", [2, 3])],
        [weights("rows", 7, 5), weights("columns", 4, 7), nh.from_array(np.array([1]), "one")])


@model
def residual():
    """The operators of ResNet-50, on few channels."""
    nodes, tensors = [], []

    def weight(*shape, positive=False):
        values = np.random.default_rng(len(tensors)).standard_normal(shape).astype(np.float32) * 0.5
        tensors.append(nh.from_array(np.abs(values) + 0.5 if positive else values, f"w{len(tensors)}"))
        return tensors[-1].name

    def node(op, *inputs, **attributes):
        nodes.append(h.make_node(op, inputs, [f"t{len(nodes)}"], f"{op}_{len(nodes)}", **attributes))
        return nodes[-1].output[0]

    def conv(x, inputs, outputs, size, stride=1):
        y = node("Conv", x, weight(outputs, inputs, size, size), kernel_shape=[size, size],
                 strides=[stride, stride], pads=[size // 2] * 4)
        return node("BatchNormalization", y, weight(outputs, positive=True), weight(outputs), weight(outputs),
                    weight(outputs, positive=True))

    x = node("Relu", conv("image", 3, 8, 7, 2))
    x = node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    y = node("Relu", conv(x, 8, 4, 1))
    y = node("Relu", conv(y, 4, 4, 3, 2))
    y = node("Relu", node("Add", conv(y, 4, 16, 1), conv(x, 8, 16, 1, 2)))
    y = node("Flatten", node("GlobalAveragePool", y))
    nodes.append(h.make_node("Gemm", [y, weight(10, 16), weight(10)], ["logits"], "classifier", transB=1))
    return make(nodes, [info("image", [1, 3, 33, 33])], [info("logits", [1, 10])], tensors)


@model
def shape_arithmetic():
    """Reshape to a shape computed by nodes: nothing but the reshape remains."""
    ints = lambda name, *values: nh.from_array(np.array(values, np.int64), name)
    nodes = [h.make_node("Shape", ["x"], ["s"]), h.make_node("Gather", ["s", "i0"], ["n"]),
             h.make_node("Gather", ["s", "i1"], ["m"]), h.make_node("Mul", ["n", "two"], ["n2"]),
             h.make_node("Div", ["m", "two"], ["m2"]), h.make_node("Concat", ["n2", "m2"], ["to"], axis=0),
             h.make_node("Cast", ["to"], ["to32"], to=T.INT32), h.make_node("Cast", ["to32"], ["to64"], to=T.INT64),
             h.make_node("Reshape", ["x", "to64"], ["y"], "the reshape")]
    return make(nodes, [info("x", ["a", "b"])], [info("y", None)],
                [ints("i0", 0), ints("i1", 1), ints("two", 2)])


@model
def optional_and_branches():
    """An absent operand, an operator nobody knows, and bodies."""
    then = h.make_graph([h.make_node("Neg", ["x"], ["t"], "negate")], "then", [], [info("t", [2])])
    otherwise = h.make_graph([h.make_node("Identity", ["x"], ["e"])], "else", [], [info("e", [2])])
    nodes = [h.make_node("Clip", ["x", "", "most"], ["a"], "clip"),
             h.make_node("Frobnicate", ["a"], ["b", "c"], "frob", domain="org.example", depth=3, mode="fast"),
             h.make_node("If", ["p"], ["y"], "choose", then_branch=then, else_branch=otherwise)]
    built = make(nodes, [info("x", [2]), info("p", [], T.BOOL)], [info("y", [2]), info("c", ["n", 3])],
                 [nh.from_array(np.float32(6), "most")])
    built.opset_import.append(h.make_opsetid("org.example", 2))
    return built


@model
def several_problems():
    nodes = [h.make_node("RegexFullMatch", ["x"], ["a"], "match", pattern="a"),
             h.make_node("Relu", ["a"], ["b"], "after"),
             h.make_node("Conv", ["image", "k"], ["c"], "convolve", group=2),
             h.make_node("Flatten", ["image"], ["d"], "flat", axis=7),
             h.make_node("Pad", ["image", "amounts"], ["e"], "mirror", mode="mirror"),
             h.make_node("Relu", ["image"], ["f"], "rectify", slope=0.5),
             h.make_node("Fancy", ["image"], ["g"], "fancy", domain="org.example")]
    built = make(nodes, [info("x", [1, 1, 4]), info("image", [1, 3, 8, 8])],
                 [info(n, None) for n in "bcdefg"],
                 [weights("k", 4, 3, 3, 3), nh.from_array(np.ones(8, np.int64), "amounts")])
    built.opset_import.append(h.make_opsetid("org.example", 1))
    return built


@model
def missing_operands():
    """Every operator here has fewer operands than it needs."""
    unary = ["Relu", "Softmax", "Flatten", "Shape", "Transpose", "GlobalMaxPool", "MaxPool", "ReduceSum", "Cast", "Clip",
             "Identity", "Concat", "Max", "Squeeze", "Split"]
    binary = ["Add", "Pow", "Mod", "MatMul", "Gemm", "Conv", "Reshape", "Gather", "Expand", "Pad", "Unsqueeze", "Slice",
              "BatchNormalization", "LayerNormalization", "Where", "Range"]
    nodes = [h.make_node(op, [], [op], op) for op in unary]
    nodes += [h.make_node(op, [x], [op + x], op + x) for op in binary for x in ("x", "i")]
    nodes.append(h.make_node("Relu", ["x"], [], "no result"))
    return make(nodes, [info("x", [2, 2])], [info(node.output[0], None) for node in nodes if node.output],
                [nh.from_array(np.array([1, 1], np.int64), "i")])


@model
def against_the_schemas():
    """Each node breaks one rule of its operator."""
    nodes = [h.make_node("Add", ["x", "x", "x"], ["a"], "surplus operand"),
             h.make_node("Relu", ["x"], ["b", "c"], "surplus result"),
             h.make_node("Add", ["", "x"], ["d"], "absent operand"),
             h.make_node("Concat", ["x", "x"], ["e"], "missing attribute"),
             h.make_node("Softmax", ["x"], ["f"], "wrong kind", axis=1.0),
             h.make_node("Flatten", ["x"], ["g"], "wrong list", axis=[1]),
             h.make_node("Rlu", ["x"], ["h"], "misspelt"),
             h.make_node("Scatter", ["x", "i", "x"], ["j"], "removed"),
             h.make_node("Erf", ["p"], ["k"], "forbidden type"),
             h.make_node("Mul", ["x", "i"], ["l"], "two types"),
             h.make_node("Neg", ["x"], ["m"], "declared type"),
             h.make_node("Neg", ["x"], ["n"], "declared shape"),
             h.make_node("If", ["p"], ["o"], "choice",
                         **{f"{branch}_branch": h.make_graph([h.make_node("Sub", ["x"], [branch], f"{branch} in a body")],
                                                             branch, [], [info(branch, [2, 2])]) for branch in ("then", "else")})]
    outputs = [info(node.output[0], None) for node in nodes if node.name[:8] != "declared"]
    return make(nodes, [info("x", [2, 2]), info("p", [], T.BOOL), info("i", [2, 2], T.INT64)],
                outputs + [info("m", [2, 2], T.INT32), info("n", [2, 3])])


@model
def wrong_weights():
    """A declared input whose initializer has another shape."""
    return make([h.make_node("Add", ["x", "w"], ["y"], "a")], [info("x", [4]), info("w", [5])], [info("y", [4])], [weights("w", 4)])


@model
def old_opset():
    return make([h.make_node("Mish", ["x"], ["y"], "r")], [info("x", [2])], [info("y", [2])], opset=6)


@model
def unranked_input():
    return make([h.make_node("Relu", ["x"], ["y"], "r")], [info("x", None)], [info("y", None)])


@model
def unknown_domain():
    return make([h.make_node("Op", ["x"], ["y"], "odd", domain="org.example")], [info("x", [2])], [info("y", [2])])


@model
def undefined_value():
    return make([h.make_node("Relu", ["nowhere"], ["y"], "r")], [info("x", [2])], [info("y", [2])])


@model
def short_weights():
    tensor = weights("w", 4)
    tensor.raw_data = tensor.raw_data[:10]
    return make([h.make_node("Add", ["x", "w"], ["y"], "a")], [info("x", [4])], [info("y", [4])], [tensor])


def external(location, offset=0, length=None):
    tensor = weights("w", 4, 32)
    onnx.external_data_helper.set_external_data(tensor, location, offset, length)
    tensor.ClearField("raw_data")
    tensor.data_location = T.EXTERNAL
    return make([h.make_node("MatMul", ["x", "w"], ["y"], "m")], [info("x", [1, 4])], [info("y", [1, 32])], [tensor])


MODELS["external"] = lambda: external("weights.bin")
MODELS["external-climbs"] = lambda: external("../weights.bin")
MODELS["external-absolute"] = lambda: external("/dev/zero")
MODELS["external-link"] = lambda: external("link.bin")
MODELS["external-short"] = lambda: external("weights.bin", 64)


def main():
    name, path = sys.argv[1:]
    with open(path, "wb") as file:
        file.write(MODELS[name]().SerializeToString())


if __name__ == "__main__":
    main()
