"""The ONNX Backend API over dojo, for onnx.backend.test.BackendTest and whoever else speaks it.

    rep = dojo.backend.prepare(model, "CPU", target="d1-mini")
    outputs = rep.run([array, ...])

A model is compiled at its first run: the arrays give the shapes. Inputs whose values decide shapes
(the compiler names them) become constants of the program; each distinct set of them, of shapes, and
of lengths of sequences has a program of its own. Sequences are lists, absent optionals None. The package needs onnx here
alone.
"""

import re

import numpy as np
import onnx
from onnx.backend.base import Backend, BackendRep, namedtupledict

import dojo
from dojo.program import exceeds_float32

# The compiler's words for an input whose value it has to know (NodeContext::needInts).
DEPENDS_ON = re.compile(r"depends on input '([^']*)'")


class Refused(dojo.Error):
    """The compiler does not take the model; the text lists every reason."""


class DojoRep(BackendRep):
    def __init__(self, model, target, precision, strict, threads):
        self._model = model
        self._options = {"target": target, "precision": precision}
        self._run_options = {"strict": strict, "threads": threads}
        given = {tensor.name for tensor in model.graph.initializer}
        self._inputs = {value.name: value.type for value in model.graph.input if value.name not in given}
        self._types = {value.name: value.type for value in model.graph.output}
        self._constants = set()
        self._programs = {}

    def run(self, inputs, **kwargs):
        """Arrays in the order of the model's inputs, or by name; the outputs in order, also by name."""
        values = inputs if isinstance(inputs, dict) else dict(zip(self._inputs, inputs))
        arrays, empty = {}, []
        for name, value in values.items():
            tensors = _tensors(name, value, self._inputs.get(name))
            arrays.update(tensors)
            if not tensors:
                empty.append(name)
        program, constants = self._program(arrays, empty)
        given = {name: _passed(array) for name, array in arrays.items() if name not in constants}
        results = program.run(given, **self._run_options)
        outputs = [_collected(results, name, kind) for name, kind in self._types.items()]
        return namedtupledict("Outputs", list(self._types))(*outputs)

    def _program(self, arrays, empty):
        """The program for these shapes and constants, and the names of the constants."""
        for name, array in arrays.items():
            if not isinstance(array, np.ndarray):
                raise Refused(f"input '{name}' is no tensor; only tensors are supported")
            if exceeds_float32(array):
                raise Refused(f"input '{name}' holds float64 values that float32, which computes them, does not reach")
        while True:
            constants = {name: arrays[name] for name in sorted(self._constants) if name in arrays}
            key = tuple(
                (name, a.dtype.str, a.shape, a.tobytes() if name in constants else b"") for name, a in arrays.items()
            )
            if key in self._programs:
                return self._programs[key], constants
            try:
                self._programs[key] = self._compile(arrays, empty, constants)
            except dojo.Error as error:
                wanted = set(DEPENDS_ON.findall(str(error))) & set(arrays) & set(self._inputs)
                if wanted <= self._constants:
                    raise Refused(str(error)) from error
                self._constants |= wanted

    def _compile(self, arrays, empty, constants):
        shapes = {name: array.shape for name, array in arrays.items() if name not in constants}
        shapes.update({name: () for name in empty})
        return dojo.compile(_with_constants(self._model, constants), shapes=shapes, **self._options)


def _with_constants(model, constants):
    """The model with some inputs turned into initializers."""
    if not constants:
        return model
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    kept = [value for value in model.graph.input if value.name not in constants]
    del changed.graph.input[:]
    changed.graph.input.extend(kept)
    changed.graph.initializer.extend(onnx.numpy_helper.from_array(a, name) for name, a in constants.items())
    return changed


def _tensors(name, value, kind):
    """A value as the program takes it: the elements of a sequence or an optional are tensors NAME[0], NAME[1], ..."""
    if kind is None or kind.WhichOneof("value") not in ("sequence_type", "optional_type"):
        return {name: np.asarray(value) if isinstance(value, np.generic) else value}
    if value is None:
        return {}
    items = value if isinstance(value, (list, tuple)) else [value]
    return {f"{name}[{i}]": np.asarray(item) if isinstance(item, np.generic) else item for i, item in enumerate(items)}


def _collected(results, name, kind):
    """The output of this name, put together from what _tensors would make of it."""
    if kind.WhichOneof("value") == "optional_type":
        inner = kind.optional_type.elem_type
        return _collected(results, name if inner.WhichOneof("value") == "sequence_type" else f"{name}[0]", inner)
    if kind.WhichOneof("value") != "sequence_type":
        return _declared(results[name], kind)
    items = []
    while f"{name}[{len(items)}]" in results:
        items.append(_declared(results[f"{name}[{len(items)}]"], kind.sequence_type.elem_type))
    return items


def _passed(array):
    """As a program takes what numpy's files do not know: bfloat16 as float32, integers of less than
    a byte as bytes, other floats as their bits."""
    name = array.dtype.name
    if name == "bfloat16":
        return array.astype(np.float32)
    if name.startswith(("int2", "int4", "uint2", "uint4")):
        return array.astype(np.int8 if name.startswith("int") else np.uint8)
    return array.view(np.uint8) if name.startswith(("float8", "float4")) else array


def _declared(array, kind):
    """A result in the type that the model declares: what _passed does, and float64, backwards."""
    if kind.WhichOneof("value") != "tensor_type" or not kind.tensor_type.elem_type:
        return array
    wanted = onnx.helper.tensor_dtype_to_np_dtype(kind.tensor_type.elem_type)
    if wanted.name.startswith(("float8", "float4")):
        return array.view(wanted)
    return array.astype(wanted, copy=False)


class DojoBackend(Backend):
    @classmethod
    def is_compatible(cls, model, device="CPU", **kwargs):
        """Every model is taken; what is not supported is an error that says so."""
        return True

    @classmethod
    def supports_device(cls, device):
        """CPU: the executor runs there. Other names are of other machines."""
        return device == "CPU"

    @classmethod
    def prepare(cls, model, device="CPU", target="d1-mini", precision="fp32", strict="memory", threads=None, **kwargs):
        if not cls.supports_device(device):
            raise dojo.Error(f"device is {device!r}, expected 'CPU'")
        return DojoRep(model, target, precision, strict, threads)

    @classmethod
    def run_model(cls, model, inputs, device="CPU", **kwargs):
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(cls, node, inputs, device="CPU", outputs_info=None, **kwargs):
        """One node of the newest opset; `outputs_info` gives (dtype, shape) of each output."""
        if outputs_info is None:
            raise dojo.Error("run_node needs outputs_info: a model declares the types of its outputs")
        values = [
            onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)
            for names, infos in (
                ([n for n in node.input if n], [(a.dtype, a.shape) for a in inputs]),
                ([n for n in node.output if n], outputs_info),
            )
            for name, (dtype, shape) in zip(names, infos)
        ]
        count = len([n for n in node.input if n])
        graph = onnx.helper.make_graph([node], "node", values[:count], values[count:])
        return cls.run_model(onnx.helper.make_model(graph), inputs, device, **kwargs)


is_compatible = DojoBackend.is_compatible
prepare = DojoBackend.prepare
run_model = DojoBackend.run_model
run_node = DojoBackend.run_node
supports_device = DojoBackend.supports_device
