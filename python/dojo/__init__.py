"""Compiles ONNX models to D1 machine code and runs the result.

    program = dojo.compile("model.onnx", target="d1-die")
    outputs = program.run({"input": array})
"""

from dojo.program import Error, Program, compile

__all__ = ["Error", "Program", "compile"]
