"""Expands one math function at a time and measures its error over a dense sweep of f32."""

import math
import sys

import numpy as np
import native

erf = np.frompyfunc(math.erf, 1, 1)

MODULE = """
func.func @f(%x: memref<?xf32>, %y: memref<?xf32>, %out: memref<?xf32>) {{
  linalg.generic {{indexing_maps = [affine_map<(d) -> (d)>, affine_map<(d) -> (d)>, affine_map<(d) -> (d)>],
                  iterator_types = ["parallel"]}}
    ins(%x, %y : memref<?xf32>, memref<?xf32>) outs(%out : memref<?xf32>) {{
    ^bb0(%a: f32, %b: f32, %o: f32):
      %r = math.{0} %a{1} : f32
      linalg.yield %r : f32
  }}
  return
}}
"""

# Largest error allowed, in ulp, and the arguments: all of f32, or an interval.
FUNCTIONS = {
    "exp": (np.exp, 1.0, None), "exp2": (np.exp2, 1.0, None), "expm1": (np.expm1, 2.0, None),
    "log": (np.log, 1.0, None), "log2": (np.log2, 2.0, None), "log10": (np.log10, 2.0, None),
    "log1p": (np.log1p, 2.0, None), "tanh": (np.tanh, 3.0, None), "sinh": (np.sinh, 3.0, None),
    "cosh": (np.cosh, 3.0, None), "erf": (lambda x: erf(x).astype(np.float64), 6.0, None), "sin": (np.sin, 2.0, 1e5),
    "cos": (np.cos, 2.0, 1e5), "tan": (np.tan, 4.0, 1e5), "rsqrt": (lambda x: 1 / np.sqrt(x), 1.5, None),
    "round": (lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x), 0.0, None),
    "asin": (np.arcsin, 3.0, 1.0), "acos": (np.arccos, 2.0, 1.0), "atan": (np.arctan, 2.0, None),
    "asinh": (np.arcsinh, 3.0, None), "acosh": (np.arccosh, 3.0, None), "atanh": (np.arctanh, 3.0, None),
    "powf": (np.power, 2.5, None), "copysign": (np.copysign, 0.0, None),
}
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 2.0, 3.0, -2.0, -3.0, 0.5, 1.5, 2.5,
                    -0.5, 88.7, 89.5, -103.9, -87.4, 1e-45, 1e-40, 3.4e38, -3.4e38, 1e-20], np.float32)


def arguments(limit, step):
    x = np.arange(0, 2**32, step, dtype=np.uint64).astype(np.uint32).view(np.float32)
    x = np.concatenate([x, np.linspace(-20, 20, 2**32 // step // 4, dtype=np.float32), SPECIAL])
    return x if limit is None else x[np.abs(x) <= limit]


def pairs(count):
    random = np.random.default_rng(7)
    x = np.exp(random.normal(0, 8, count)).astype(np.float32)
    y = (random.normal(0, 12, count) / np.maximum(np.abs(np.log(x)), 1e-3)).astype(np.float32)
    near = (1 + random.normal(0, 1e-3, count)).astype(np.float32)
    whole = np.round(random.normal(0, 6, count)).astype(np.float32)
    every = random.integers(1, 0x7F800000, count).astype(np.uint32).view(np.float32)
    power = (random.uniform(-104, 89, count) / np.log(every.astype(np.float64))).astype(np.float32)
    table = np.meshgrid(SPECIAL, SPECIAL)
    return (np.concatenate([x, near, -x, every, table[0].ravel()]),
            np.concatenate([y, random.normal(0, 1e4, count).astype(np.float32), whole, power, table[1].ravel()]))


def ulps(got, exact):
    """Distance in units of the last place of the exact value; 0 where both are alike special."""
    rounded = exact.astype(np.float32)
    alike = (got == rounded) & (np.signbit(got) == np.signbit(rounded)) | np.isnan(got) & np.isnan(rounded)
    unit = np.maximum(np.spacing(np.minimum(np.abs(rounded), np.float32(3.4e38))).astype(np.float64), 2.0**-149)
    top = np.where(np.isinf(got), np.copysign(2.0**128, got), got.astype(np.float64))
    distance = np.abs(top - exact) / unit
    wrong = np.isnan(got) != np.isnan(rounded)
    wrong |= (exact == 0) & (got == 0) & (np.signbit(got) != np.signbit(exact))
    distance = np.where(wrong | np.isinf(distance) | np.isnan(distance), np.inf, distance)
    return np.where(alike, np.minimum(np.nan_to_num(distance, nan=0.0, posinf=0.0), 0.5), distance)


def main():
    step = int(sys.argv[1])
    names = sys.argv[2:] or FUNCTIONS
    bad = False
    for name in names:
        reference, bound, limit = FUNCTIONS[name]
        binary = name in ("powf", "copysign")
        x, y = pairs(2**32 // step // 8) if binary else (arguments(limit, step),) * 2
        out = np.empty_like(x)
        library = native.compile(MODULE.format(name, ", %b" if binary else ""), ["--dojo-expand-math"])
        native.call(library, "f", [x, y, out])
        with np.errstate(all="ignore"):
            wide = [v.astype(np.float64) for v in ((x, y) if binary else (x,))]
            error = ulps(out, reference(*wide))
        worst = int(np.argmax(error))
        ok = error[worst] <= max(bound, 0.5)
        bad |= not ok
        at = (x[worst], y[worst]) if binary else x[worst]
        print(f"{name}: {error[worst]:.3f} ulp at {at} gives {out[worst]}, bound {bound} {'ok' if ok else 'BAD'}")
    sys.exit(bad)


main()
