//===- Odometer.h - nested loops as one loop --------------------*- C++ -*-===//
//
// One loop over all iterations of a nest: a digit for each loop of the nest, counted
// in scalar registers without branches. What a pointer advances is the innermost
// loop's step, and a further constant for each digit that wraps.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_LINALGTOD1_ODOMETER_H
#define DOJO_CONVERSION_LINALGTOD1_ODOMETER_H

#include "Emitter.h"

namespace dojo::kernels {

class Odometer {
public:
  /// `loops` stand outermost first. With `around` the last iteration is followed by
  /// the first, else the outermost digit is not counted.
  Odometer(Emitter &emitter, llvm::ArrayRef<Loop> loops, bool around);

  int64_t iterations() const;
  /// Bytes that pointer p is away from the first iteration after the last.
  int64_t total(unsigned p) const;
  /// Bytes from the first iteration to the second.
  int64_t firstStep(unsigned p) const { return digits.empty() ? 0 : digits.front().steps[p]; }

  /// What the loop carries at iteration number `iteration`.
  Values start(int64_t iteration) const;
  /// The same an iteration later.
  Values next(llvm::ArrayRef<mlir::Value> counters);
  /// Advances pointer p by what the latest next() has counted.
  void advance(unsigned p) const;

private:
  unsigned numCounters() const { return digits.size() - (!around && !digits.empty()); }

  Emitter &e;
  llvm::SmallVector<Loop> digits; ///< innermost first, each of several iterations
  bool around;
  Values wraps; ///< 1 where a digit has wrapped in the latest next(), else 0
};

} // namespace dojo::kernels

#endif // DOJO_CONVERSION_LINALGTOD1_ODOMETER_H
