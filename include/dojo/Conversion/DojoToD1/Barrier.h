//===- Barrier.h - every node waits for every other -------------*- C++ -*-===//
//
// Along x each node waits for its right neighbour, tells its left one, and waits to be
// released; the nodes at x = 0 do the same along y, then dx, dy; releases run back. Two
// semaphores an axis, which are zero before and after.
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
