//===- ScalarBuilder.h - scalar code that folds as it is built --*- C++ -*-===//
//
// Integers that are constants stay constants until an operation needs them as a
// value; they are then made on the spot, so that none lives across a loop.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_DOJOTOD1_SCALARBUILDER_H
#define DOJO_LIB_CONVERSION_DOJOTOD1_SCALARBUILDER_H

#include "mlir/IR/Builders.h"
#include <optional>

namespace dojo {

/// An i64: a constant or a value of the routine.
struct Int {
  Int(int64_t constant) : constant(constant) {}
  Int(mlir::Value value) : value(value) {}
  std::optional<int64_t> constant;
  mlir::Value value;

  bool is(int64_t number) const { return constant == number; }
};

class ScalarBuilder {
public:
  ScalarBuilder(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  mlir::Value get(Int a);

  Int add(Int a, Int c);
  Int sub(Int a, Int c);
  Int mul(Int a, Int c);
  Int min(Int a, Int c);
  Int max(Int a, Int c);
  Int shl(Int a, unsigned bits) { return mul(a, int64_t(1) << bits); }
  Int shr(Int a, unsigned bits);
  Int low(Int a, unsigned bits);
  /// Quotient and remainder by a positive constant; a negative `a` is allowed
  /// for div only, whose result is then not positive.
  Int div(Int a, int64_t c);
  Int rem(Int a, int64_t c);
  /// `equal` where a == c, else `other`.
  Int ifEqual(Int a, Int c, Int equal, Int other);

  /// A value that is a linear function of an index.
  struct Growing {
    Int *value;
    int64_t step;
  };
  /// Adds `index` steps to each.
  void grow(llvm::ArrayRef<Growing> growing, Int index);

  /// What follows is inside `if (a < c)`, `if (a == c)`, `for (i from lo below hi)`. In the
  /// loop i steps have been added to what grows, one in each iteration.
  void requireLess(Int a, Int c);
  void requireEqual(Int a, Int c);
  Int loop(Int lo, Int hi, llvm::ArrayRef<Growing> growing = {});

  void storeWord(Int value, Int address, int64_t offset);
  Int loadWord(Int address, int64_t offset);

  mlir::OpBuilder &b;
  mlir::Location loc;

private:
  void require(mlir::Value condition);
};

} // namespace dojo

#endif // DOJO_LIB_CONVERSION_DOJOTOD1_SCALARBUILDER_H
