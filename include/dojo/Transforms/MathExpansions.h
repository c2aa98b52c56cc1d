//===- MathExpansions.h - transcendental functions from arithmetic -*- C++ -*-===//
//
// Each function takes and returns f32 scalars and uses what a node computes in
// vector lanes: correctly rounded + - * / sqrt fma, min, max, rounding,
// conversion, comparison, selection, and integer operations on the bits.
// Infinities, NaN, signed zeros and denormals come out as in C's libm.
// The error bounds stand at the functions, in lib/Transforms/MathFunctions.h.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_TRANSFORMS_MATHEXPANSIONS_H
#define DOJO_TRANSFORMS_MATHEXPANSIONS_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace dojo {

/// Builds the value of the math op `op` (on f32) at the
/// builder's insertion point, or returns null if `op` has no expansion.
mlir::Value expandMathOp(mlir::ImplicitLocOpBuilder &builder, mlir::Operation *op);

/// Whether a node has an instruction for the math op `op`.
bool isNativeMathOp(mlir::Operation *op);

} // namespace dojo

#endif // DOJO_TRANSFORMS_MATHEXPANSIONS_H
