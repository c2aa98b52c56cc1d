//===- Barrier.h - every node waits for every other -------------*- C++ -*-===//
//
// Along dy all nodes tell the one at coordinate 0, which waits for them; those do the same
// along dx, then y, x; releases go back the same way. Two semaphores an axis, which are zero
// before and after.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_DOJOTOD1_BARRIER_H
#define DOJO_CONVERSION_DOJOTOD1_BARRIER_H

#include "dojo/Layout/Layout.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dojo {

constexpr llvm::StringLiteral barrierName = "barrier";

/// Builds `barrier(first)`, a d1.routine, at the builder's insertion point; `first` is the
/// number of its first semaphore.
mlir::func::FuncOp buildBarrierRoutine(mlir::OpBuilder &builder, mlir::Location loc,
                                       const Coords &grid);

} // namespace dojo

#endif // DOJO_CONVERSION_DOJOTOD1_BARRIER_H
