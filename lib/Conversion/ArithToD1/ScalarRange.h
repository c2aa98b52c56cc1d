//===- ScalarRange.h - what a scalar surely lies between --------*- C++ -*-===//
#ifndef DOJO_CONVERSION_ARITHTOD1_SCALARRANGE_H
#define DOJO_CONVERSION_ARITHTOD1_SCALARRANGE_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include <cstdint>
#include <limits>

namespace dojo::d1 {

/// A closed signed interval; by default all of 64 bits.
struct Range {
  int64_t low = std::numeric_limits<int64_t>::min();
  int64_t high = std::numeric_limits<int64_t>::max();
};

/// Intervals of i64 values of scf and arith, by what defines them; a value that
/// a loop or a branch carries has none.
class ScalarRanges {
public:
  Range of(mlir::Value value);
  bool isNonNegative(mlir::Value value) { return of(value).low >= 0; }

private:
  llvm::DenseMap<mlir::Value, Range> known;
  Range compute(mlir::Value value);
};

} // namespace dojo::d1

#endif // DOJO_CONVERSION_ARITHTOD1_SCALARRANGE_H
