//===- WideScalars.h - 64-bit scalars as two of 32 bits ---------*- C++ -*-===//
#ifndef DOJO_LIB_TRANSFORMS_WIDESCALARS_H
#define DOJO_LIB_TRANSFORMS_WIDESCALARS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/DenseMap.h"

namespace dojo::wide {

struct Halves {
  mlir::Value low, high;
};

/// Copies the scalar operations of a body, those on i64 as operations on halves.
class BodySplitter {
public:
  BodySplitter(mlir::OpBuilder &b, mlir::Location loc) : b(loc, b) {}

  void map(mlir::Value value, Halves halves) { pairs[value] = halves; }
  void map(mlir::Value value, mlir::Value copy) { single.map(value, copy); }

  /// Reports an operation that has no form on halves.
  llvm::LogicalResult split(mlir::Operation *op);
  /// The copy of `value`: one value or two.
  void append(mlir::Value value, llvm::SmallVectorImpl<mlir::Value> &values);

private:
  using V = mlir::Value;

  Halves pair(V value);
  Halves wideResult(mlir::Operation *op);
  V narrowResult(mlir::Operation *op);

  V word(int64_t value);
  template <typename Op>
  V make(V x, V y) {
    return Op::create(b, x, y);
  }
  V less(V x, V y) { return compare(mlir::arith::CmpIPredicate::ult, x, y); }
  V compare(mlir::arith::CmpIPredicate predicate, V x, V y) {
    return mlir::arith::CmpIOp::create(b, predicate, x, y);
  }
  V choose(V condition, V x, V y) { return mlir::arith::SelectOp::create(b, condition, x, y); }
  Halves choose(V condition, Halves x, Halves y) {
    return {choose(condition, x.low, y.low), choose(condition, x.high, y.high)};
  }
  V bit(V flag) { return mlir::arith::ExtUIOp::create(b, b.getI32Type(), flag); }

  Halves add(Halves x, Halves y);
  Halves subtract(Halves x, Halves y);
  Halves multiply(Halves x, Halves y);
  Halves shiftLeft(Halves x, Halves y);
  Halves shiftRight(Halves x, Halves y, bool isSigned);
  V compare(mlir::arith::CmpIPredicate predicate, Halves x, Halves y);
  V toFloat(Halves x, bool isSigned, mlir::Type type);
  Halves fromFloat(V x, bool isSigned);

  mlir::ImplicitLocOpBuilder b;
  llvm::DenseMap<V, Halves> pairs;
  mlir::IRMapping single;
};

/// Replaces an integer division or remainder of any width by shifts, comparisons
/// and subtractions. Division by zero gives what the steps give.
void expandDivision(mlir::Operation *op);

} // namespace dojo::wide

#endif // DOJO_LIB_TRANSFORMS_WIDESCALARS_H
