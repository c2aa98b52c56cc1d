//===- Loops.h - loops of the structured level ------------------*- C++ -*-===//
//
// A loop is an scf.for from 0 to a constant in steps of 1 that carries tensors. A slice or an
// insertion whose offset is linear in the number of the step is a move with a symbol.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_LINALGTODOJO_LOOPS_H
#define DOJO_LIB_CONVERSION_LINALGTODOJO_LOOPS_H

#include "dojo/Layout/Layout.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace dojo::ir {

/// The number of steps; nothing where the bounds are not those of the structured level.
std::optional<int64_t> tripCountOf(mlir::scf::ForOp loop);

/// An offset as an expression of symbol 0, the number of a step.
struct StepOffset {
  mlir::AffineExpr expr;
  mlir::Value step; ///< the induction variable; null for a constant
};
std::optional<StepOffset> stepOffsetOf(mlir::OpFoldResult offset, mlir::MLIRContext *context);

/// The layout in which a loop carries a tensor. It is that of the op that yields it, where that
/// is mapped; what each step inserts a slice into is laid out like the slice, the dimension along
/// which the steps go whole. Otherwise the tensor rests.
Layout carriedLayout(mlir::scf::ForOp loop, unsigned index, const Coords &grid);

/// The layout of the same bytes with a dimension of size 1 at each of `units`.
Layout withUnits(const Layout &layout, const llvm::SmallBitVector &units);

} // namespace dojo::ir

#endif // DOJO_LIB_CONVERSION_LINALGTODOJO_LOOPS_H
