//===- MemoryAccess.h - which bytes an instruction touches ------*- C++ -*-===//
//
// An access is a number of pieces at constant distances from a register. Two
// accesses are apart when they start from the same register and no pieces meet,
// or when they are made through different arguments of a routine that promises
// disjoint arguments.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_DIALECT_D1_TRANSFORMS_MEMORYACCESS_H
#define DOJO_DIALECT_D1_TRANSFORMS_MEMORYACCESS_H

#include "dojo/Dialect/D1/IR/D1.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dojo::d1 {

struct MemoryAccess {
  bool writes;
  mlir::Value base;                     ///< the register all pieces are counted from
  llvm::SmallVector<int64_t, 8> pieces; ///< their offsets; none if they are not known
  int64_t bytes;                        ///< of each piece
  mlir::Value argument;                 ///< the only one `base` comes from, or null
};

class MemoryAccesses {
public:
  explicit MemoryAccesses(mlir::func::FuncOp function)
      : disjoint(function->hasAttr(disjointAttr)) {}

  /// None for an instruction that does not touch memory.
  std::optional<MemoryAccess> of(InstructionOpInterface op);

  /// Whether `b`, with its base `shift` bytes further, may meet `a`.
  bool mayMeet(const MemoryAccess &a, const MemoryAccess &b, int64_t shift = 0) const;
  /// The same for `b` in any other iteration than `a`.
  bool mayMeetAnywhere(const MemoryAccess &a, const MemoryAccess &b) const;

private:
  mlir::Value argumentOf(mlir::Value address);

  bool disjoint;
  llvm::DenseMap<mlir::Value, mlir::Value> arguments;
};

/// `value` as a register and a constant on top of it.
std::pair<mlir::Value, int64_t> splitAddress(mlir::Value value);

} // namespace dojo::d1

#endif // DOJO_DIALECT_D1_TRANSFORMS_MEMORYACCESS_H
