"""Compares one output of a D1 run with the reference's; what PASS means is decided here alone."""

from dataclasses import asdict, dataclass

import numpy as np

# What each precision is held to: the figure it is judged by and the largest one that passes.
LIMITS = {"fp32": ("error_over_magnitude", 1e-4), "bf16": ("relative_rms", 3e-2)}


@dataclass
class Comparison:
    """The figures of one output over the places where both are finite; `failure` says why it fails."""

    name: str
    max_error: float = 0.0
    error_over_magnitude: float = 0.0
    relative_rms: float = 0.0
    max_ulp: int = 0
    failure: str = ""

    @property
    def passed(self):
        return not self.failure

    def line(self):
        figures = (
            f"{self.name}: max error {self.max_error:.3e}, over magnitude {self.error_over_magnitude:.3e}, "
            f"relative RMS {self.relative_rms:.3e}, max ulp {self.max_ulp}"
        )
        return f"{figures}: {self.failure}" if self.failure else figures

    def to_json(self):
        return asdict(self)


def compare_all(expected, actual, precision):
    """One Comparison for each name in either dict."""
    results = []
    for name in dict.fromkeys([*expected, *actual]):
        if name not in actual:
            results.append(Comparison(name, failure="missing from the run"))
        elif name not in expected:
            results.append(Comparison(name, failure="not an output of the model"))
        else:
            results.append(compare(name, expected[name], actual[name], precision))
    return results


def compare(name, expected, actual, precision):
    expected, actual = np.asarray(expected), np.asarray(actual)
    if expected.shape != actual.shape:
        return Comparison(name, failure=f"has shape {actual.shape}, expected {expected.shape}")
    if (expected.dtype.kind == "f") != (actual.dtype.kind == "f"):
        return Comparison(name, failure=f"has element type {actual.dtype}, expected {expected.dtype}")
    if expected.dtype.kind != "f":
        return compare_integers(name, expected, actual)
    return compare_floats(name, expected, actual, precision)


def compare_integers(name, expected, actual):
    different = expected != actual
    errors = np.abs(expected.astype(np.float64) - actual.astype(np.float64))
    result = measured(name, expected.astype(np.float64), errors)
    if different.any():
        result.failure = f"{np.count_nonzero(different)} of {different.size} values differ"
    return result


def compare_floats(name, expected, actual, precision):
    both_nan = np.isnan(expected) & np.isnan(actual)
    same = both_nan | (expected == actual)
    finite = np.isfinite(expected) & np.isfinite(actual)
    e, a = expected[finite].astype(np.float64), actual[finite].astype(np.float64)
    result = measured(name, e, np.abs(e - a))
    result.max_ulp = largest(ulp_distance(expected[finite], actual[finite]))
    stray = np.count_nonzero(~finite & ~same)
    figure, limit = LIMITS[precision]
    if stray:
        result.failure = f"{stray} of {same.size} values are not finite, or should not be"
    elif getattr(result, figure) > limit:
        result.failure = f"{figure.replace('_', ' ')} is above {limit:g}"
    return result


def measured(name, expected, errors):
    """The figures of float64 values and their absolute errors."""
    return Comparison(
        name,
        max_error=float(largest(errors)),
        error_over_magnitude=ratio(largest(errors), largest(np.abs(expected))),
        relative_rms=ratio(np.sqrt(np.sum(errors**2)), np.sqrt(np.sum(expected**2))),
    )


def largest(values):
    return values.max().item() if values.size else 0


def ratio(error, magnitude):
    if error == 0:
        return 0.0
    return float(error / magnitude) if magnitude else float("inf")


def ulp_distance(a, b):
    """How many float32 values lie between each a and b, one end included."""
    return np.abs(ordered(a) - ordered(b))


def ordered(values):
    """Integers in the order of the float32 values, neighbours one apart, both zeros 0."""
    bits = np.ascontiguousarray(values, np.float32).view(np.int32).astype(np.int64)
    return np.where(bits < 0, np.int64(-(2**31)) - bits, bits)
