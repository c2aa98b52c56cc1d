"""Runs the cases of the official ONNX backend suite, each under a time limit, in processes of their own.

Every case goes through onnx.backend.test.BackendTest as it is, with the runner's tolerances. A case
passes, is refused (the compiler says why), is random (its results have the right types and shapes, but
their numbers are drawn by a generator that ONNX leaves open), fails (a wrong result, or an error while
running), crashes (its process died) or hangs (it ran out of time).
"""

import multiprocessing
import os
import tempfile
import threading
import unittest
import warnings
from dataclasses import dataclass

import numpy as np

from dojo.backend import DojoBackend, Refused


_STARTING = threading.Lock()
GENERATORS = {
    "Bernoulli", "Dropout", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    status: str
    reason: str = ""


class _Catch(unittest.TestResult):
    """Keeps the exception of a test instead of its text."""

    outcome = Outcome("passed")

    def addError(self, test, error):
        kind = "refused" if isinstance(error[1], Refused) else "failing"
        self.outcome = Outcome(kind, f"{error[1]}" if kind == "refused" else f"{error[0].__name__}: {error[1]}")

    def addFailure(self, test, error):
        self.outcome = Outcome("failing", str(error[1]))

    def addSkip(self, test, reason):
        self.outcome = Outcome("failing", f"skipped: {reason}")


def random_or(outcome, model):
    """The outcome, unless nothing but the numbers of a generator differ."""
    differs = outcome.status == "failing" and outcome.reason.startswith("\nNot equal to tolerance")
    shaped = "mismatch)" in outcome.reason  # numpy's words for shapes that differ
    drawn = sorted(GENERATORS & {node.op_type for node in model.graph.node})
    if not differs or shaped or not drawn:
        return outcome
    return Outcome("random", f"{drawn[0]} draws numbers, and ONNX leaves to the implementation which")


class _OneThread(DojoBackend):
    """The cases are small, and the processes share the machine."""

    @classmethod
    def prepare(cls, model, device="CPU", **kwargs):
        kwargs.pop("rtol", None)
        kwargs.pop("atol", None)
        return super().prepare(model, device, threads=1, **kwargs)


class Suite:
    """The cases by name (without the device) and the models that they test."""

    def __init__(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from onnx.backend.test import BackendTest
            from onnx.backend.test.loader import load_model_tests

            class Runner(BackendTest):
                @classmethod
                def assert_similar_outputs(cls, ref_outputs, outputs, *arguments, **options):
                    """Elements of a list are compared as if each were outputs, which an array of rank 0 cannot be."""
                    if isinstance(outputs, np.ndarray) and outputs.ndim == 0:
                        ref_outputs, outputs = [ref_outputs], [outputs]
                    super().assert_similar_outputs(ref_outputs, outputs, *arguments, **options)

            runner = Runner(_OneThread, __name__)
            classes = runner.test_cases.values()
            self._tests = {name[: -len("_cpu")]: (cls, name) for cls in classes for name in dir(cls) if name.endswith("_cpu")}
            kinds = ("node", "real", "simple", "pytorch-converted", "pytorch-operator")
            self._cases = {case.name: case for kind in kinds for case in load_model_tests(kind=kind)}

    def names(self):
        return sorted(self._tests)

    def kind(self, name):
        """The folder of the suite: node, simple, ..."""
        return self._cases[name].kind

    def model(self, name):
        import onnx
        from onnx.backend.test import runner

        case = self._cases[name]
        if case.model is not None:
            return case.model
        root = os.path.join(os.path.dirname(runner.__file__), "..", "..", "..", "..")
        path = os.path.join(case.model_dir, "model.onnx") if case.model_dir else os.path.join(root, case.url)
        return onnx.load(path)

    def data(self, name):
        """(inputs, outputs) of each set of data of a node case, as arrays."""
        from onnx import TensorProto, numpy_helper

        def array(value):
            return numpy_helper.to_array(value) if isinstance(value, TensorProto) else value

        return [tuple([array(value) for value in values] for values in data) for data in self._cases[name].data_sets]

    def run_one(self, name):
        cls, method = self._tests[name]
        result = _Catch()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cls(method).run(result)
        return random_or(result.outcome, self.model(name))

    def run(self, names, jobs, limit, done=lambda name, outcome: None):
        """name -> Outcome. `limit` is in seconds for a case; `done` hears of each."""
        names, outcomes, lock = list(reversed(names)), {}, threading.Lock()

        def work():
            with _Process(self) as process:
                while True:
                    with lock:
                        if not names:
                            return
                        name = names.pop()
                    outcome = process.run(name, limit)
                    with lock:
                        outcomes[name] = outcome
                        done(name, outcome)

        with tempfile.TemporaryDirectory(prefix="dojo-onnx-") as folder:
            os.environ["ONNX_MODELS"] = folder
            threads = [threading.Thread(target=work) for _ in range(jobs)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return outcomes


class _Process:
    """A process that runs one case after the other, and is replaced when it dies or hangs."""

    def __init__(self, suite):
        self._suite = suite
        self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop()

    def run(self, name, limit):
        if not self._process:
            self._start()
        self._pipe.send(name)
        if not self._pipe.poll(limit):
            self._stop()
            return Outcome("hangs", f"no result after {limit} s")
        try:
            return self._pipe.recv()
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            self._stop()
            return Outcome("crashes", f"the process ended with status {code}")

    def _start(self):
        context = multiprocessing.get_context("fork")
        # A process forked meanwhile would inherit `theirs`, and the end of this one would not be seen.
        with _STARTING:
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(self._suite, theirs), daemon=True)
            self._process.start()
            theirs.close()

    def _stop(self):
        if self._process:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = None


def _serve(suite, pipe):
    while True:
        pipe.send(suite.run_one(pipe.recv()))
