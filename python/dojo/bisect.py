"""dojo-verify --bisect: the first node of a model whose result is not ONNX Runtime's.

Every intermediate value becomes an output, of the model that is compiled and of the reference
alike, and is held to the rule of dojo-verify. The package needs onnx here.
"""

import collections
import pathlib
from dataclasses import dataclass, field

import numpy as np
import onnx

import dojo
from dojo import graphs
from dojo.compare import Comparison, compare_all
from dojo.verify import Reference, check


@dataclass
class Outcome:
    """What a search came to. `first` is the first value that differs, if one does; `saved` says of what
    node, and what becomes of it by itself."""

    first: Comparison | None = None
    compared: int = 0
    refused: dict = field(default_factory=dict)
    saved: list = field(default_factory=list)

    def lines(self):
        if self.refused:
            reason = next(iter(self.refused.values())).splitlines()[0]
            yield f"{len(self.refused)} intermediate values cannot be outputs and are not compared, as in: {reason}"
        if not self.first:
            yield f"{self.compared} intermediate values compared, none differs"
            return
        yield self.first.line()
        yield from self.saved


def search(names, look):
    """The first of `names`, in their order, that differs. look(names) -> a Comparison of each, of one
    program in which they are outputs; it raises dojo.Error if there is no such program. Then those that
    the error names as outputs are left out; if it names none, halves are looked at."""
    outcome = Outcome()
    groups = collections.deque([list(names)] if names else [])
    while groups:
        group = groups.popleft()
        try:
            comparisons = look(group)
        except dojo.Error as error:
            named = {name: line for name in group for line in str(error).splitlines() if f"output '{name}'" in line}
            outcome.refused.update(named if len(group) > 1 else {group[0]: str(error)})
            rest = [name for name in group if name not in outcome.refused]
            middle = 0 if named else len(rest) // 2
            groups.extendleft(part for part in (rest[middle:], rest[:middle]) if part)
            continue
        outcome.compared += len(group)
        outcome.first = next((c for c in comparisons if not c.passed), None)
        if outcome.first:
            return outcome
    return outcome


def search_singly(names, look, failing):
    """The first of `names` that differs when it alone is an output, given that `failing` (a Comparison
    of an output of the model) does and that what depends on a wrong value is wrong."""
    found, low, high = failing, 0, len(names)
    while low < high:
        middle = (low + high) // 2
        try:
            (comparison,) = look([names[middle]])
        except dojo.Error:
            names = names[:middle] + names[middle + 1 :]
            high -= 1
            continue
        if comparison.passed:
            low = middle + 1
        else:
            found, high = comparison, middle
    return found


class Bisection:
    """A model and its reference on the same inputs. `options` are those of dojo-verify; `how` is what
    dojo.verify.check takes after the inputs."""

    def __init__(self, options, inputs, how):
        self.options, self.inputs, self.how = options, inputs, how
        self.model = graphs.load(options.model)
        self.reference = graphs.load(options.reference) if options.reference else self.model
        shared = graphs.producers(self.reference)
        both = [name for name in graphs.producers(self.model) if name in shared]
        session = Reference(graphs.exposed(self.reference, both).SerializeToString())
        self.values = {**inputs, **session.run(inputs)}
        self.unknown = (set(graphs.producers(self.model)) | session.lists) - set(self.values)
        self.names = [name for name in both if name in session.comparable]
        if not self.names:
            raise dojo.Error("the model and its reference have no value in common")

    def compile(self, model, shapes=(), mapping=None):
        return dojo.compile(model, self.options.target, self.options.precision, dict(shapes), mapping=mapping)

    def look(self, names):
        model = graphs.exposed(self.model, names)
        program = self.compile(model, self.options.shape, self.options.mapping)
        outputs = program.run(self.inputs, *self.how[1:])
        return compare_all({n: self.values[n] for n in names}, {n: outputs[n] for n in names}, self.how[0])

    def run(self, whole):
        """The Outcome; `whole` is the Verification of the model as it is."""
        outcome = search(self.names, self.look)
        if not outcome.first and not whole.passed:
            failing = next(c for c in whole.comparisons if not c.passed)
            outcome.first = search_singly(self.names, self.look, failing)
        if outcome.first:
            outcome.saved = self.save(outcome.first.name)
        return outcome

    def save(self, value):
        """Writes the node that computes `value` as a model, and its inputs; says so."""
        node = graphs.producers(self.model).get(value)
        if node is None:
            return [f"no node computes '{value}'"]
        unknown = [name for name in graphs.reads(node) if name in self.unknown]
        if unknown:
            return [f"node '{graphs.label(node)}' reads '{unknown[0]}', which the reference has not: it is not saved"]
        folder = pathlib.Path(self.options.output_dir or ".")
        folder.mkdir(parents=True, exist_ok=True)
        stem = folder / graphs.label(node).replace("/", "_")
        alone, inputs = graphs.one_node(self.model, node, self.values)
        onnx.save(alone, f"{stem}.onnx")
        np.savez(f"{stem}.npz", **inputs)
        command = ["dojo-verify", f"{stem}.onnx", f"--inputs={stem}.npz"]
        reference = alone
        if self.reference is not self.model:
            other = graphs.producers(self.reference)[value]
            reference, _ = graphs.one_node(self.reference, other, self.values)
            onnx.save(reference, f"{stem}.reference.onnx")
            command.append(f"--reference={stem}.reference.onnx")
        command += [f"--target={self.options.target}", f"--precision={self.options.precision}"]
        return [
            f"first to differ: node '{graphs.label(node)}' ({node.op_type}), its output '{value}'",
            f"saved: {' '.join(command)}",
            f"by itself it {self.by_itself(alone, reference, inputs)}",
        ]

    def by_itself(self, alone, reference, inputs):
        try:
            program = self.compile(alone)
            result = check(program, Reference(reference.SerializeToString()), inputs, *self.how)
        except dojo.Error as error:
            return f"cannot be compared: {str(error).splitlines()[0]}"
        if result.passed:
            return "passes: the error comes with its operands, or from what it is fused with"
        return "differs too"
