//===- Doubles.h - f64 computed as f32 --------------------------*- C++ -*-===//
#ifndef DOJO_LIB_TRANSFORMS_DOUBLES_H
#define DOJO_LIB_TRANSFORMS_DOUBLES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dojo {

/// Gives every f64 of `function`, arguments and results included, the type f32
/// and says so once. A node has no f64 arithmetic.
void computeDoublesAsFloats(mlir::func::FuncOp function);

} // namespace dojo

#endif // DOJO_LIB_TRANSFORMS_DOUBLES_H
