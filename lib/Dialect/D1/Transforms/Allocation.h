//===- Allocation.h - the steps of register allocation ----------*- C++ -*-===//
#ifndef DOJO_DIALECT_D1_TRANSFORMS_ALLOCATION_H
#define DOJO_DIALECT_D1_TRANSFORMS_ALLOCATION_H

#include "dojo/Dialect/D1/IR/D1.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace dojo::d1 {

/// Puts a copy on every tie between scalars or between vectors, so that no two
/// values that must share a register live together, and moves call arguments to
/// the registers of the ABI. What is cheap to compute again is computed again.
void isolateTies(mlir::func::FuncOp function);

/// Whether `op` only copies a register to one of the same kind.
bool isCopy(mlir::Operation *op);

/// Whether `op` needs no register: a constant, a coordinate, a zeroed
/// accumulator, or a value computed from such.
bool isRecomputable(mlir::Operation *op);

/// Computes `op` again at the insertion point.
mlir::Value recompute(mlir::OpBuilder &builder, mlir::Operation *op);

/// Whether nothing but recomputable operations stands between `op` and its user.
bool isAtItsUse(mlir::Operation *op);

/// The stretches of code between loops, branches and calls, as they stood.
class Stretches {
public:
  explicit Stretches(mlir::func::FuncOp function);

  /// Computes `op` again nearer to its users: in front of the innermost loop around
  /// them, or once for a stretch; right before each where it stands so near already.
  void recomputeAtUses(mlir::Operation *op) const;

private:
  llvm::DenseMap<mlir::Operation *, unsigned> numbers; ///< from 1
  llvm::DenseSet<mlir::Operation *> innermost;         ///< loops that call nothing
  unsigned latest = 0;

  /// Whether `block` holds neither loops nor calls.
  bool number(mlir::Block &block);
};

/// Erases recomputable operations without users.
void eraseDeadRecomputable(mlir::func::FuncOp function);

/// Whether `op` could as well be computed inside the loops and branches that use
/// it, all of them inside of its block.
bool isSinkable(mlir::Operation *op);

/// Computes `op` one level further inside, once in every loop and branch of its
/// block that uses it.
void sink(mlir::Operation *op);

/// Whether register allocation would succeed; leaves `function` as it is.
bool fitsRegisters(mlir::func::FuncOp function);

/// The number in a register that only constants make, x0 among them.
std::optional<int64_t> constantIn(mlir::Value value);

} // namespace dojo::d1

#endif // DOJO_DIALECT_D1_TRANSFORMS_ALLOCATION_H
