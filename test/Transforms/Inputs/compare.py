"""compare.py MODULE BOUND PASS...: runs @main of a structured module on random inputs as it is and after the passes,
and prints the relative RMS error of each output; fails above BOUND. A resource without bytes gets random ones."""

import re
import sys

import numpy as np

import native

def with_resources(text, random):
    if "dialect_resources" in text:
        return text
    entries = []
    for name, type_text in dict(re.findall(r"dense_resource<(\w+)> : (tensor<[^>]*>)", text)).items():
        like = native.array(type_text)
        data = random.normal(0, 1 / np.sqrt(np.prod(like.shape[1:])), like.shape).astype(like.dtype).tobytes()
        entries.append(f'{name}: "0x40000000{data.hex()}"')
    return text + "{-# dialect_resources: { builtin: {\n" + ",\n".join(entries) + "} } #-}\n" if entries else text


def main():
    path, bound, passes = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    random = np.random.default_rng(1)
    text = with_resources(open(path).read(), random)
    signature = re.search(r"func.func @main\((.*?)\)\s*->\s*(.*?)\{\n", text, re.S)
    given, expected, got = ([native.array(m[0]) for m in native.TENSOR.finditer(signature[part])] for part in (1, 2, 2))
    for array in given:
        floats = array.dtype.kind == "f"
        array[...] = random.normal(0, 1, array.shape) if floats else random.integers(0, 2, array.shape)

    native.call(native.compile(text), "main", given + expected)
    changed = native.compile(text, passes)
    if changed.globals:
        native.call(changed, "init", changed.globals)
    native.call(changed, "step" if hasattr(changed, "step") else "main", changed.globals + given + got)

    worst = 0.0
    for number, (e, g) in enumerate(zip(expected, got)):
        error = np.sqrt(np.mean((e - g) ** 2) / np.mean(e**2))
        print(f"output {number}: relative RMS error {error:.2e}")
        worst = max(worst, error)
    sys.exit(not worst <= bound)


main()
