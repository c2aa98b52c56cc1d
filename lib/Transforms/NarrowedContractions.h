//===- NarrowedContractions.h - which contractions read bf16 ----*- C++ -*-===//
//
// Rounding operands pays on the matrix unit and costs accuracy. Two kinds of
// contraction keep f32: those the unit cannot do, because rows or columns are
// missing (depthwise convolutions, a matrix by a vector), and those whose result
// is a factor of a larger tensor (the gates of squeeze-and-excitation): its error
// is in all that it scales and does not average out, and its work is small.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_TRANSFORMS_NARROWEDCONTRACTIONS_H
#define DOJO_LIB_TRANSFORMS_NARROWEDCONTRACTIONS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/DenseMap.h"

namespace dojo {

class NarrowedContractions {
public:
  bool contains(mlir::linalg::LinalgOp op);

private:
  /// Whether `value`, through maps and movements of data, scales a larger tensor.
  bool isFactor(mlir::Value value);

  llvm::DenseMap<mlir::Value, bool> factors;
};

} // namespace dojo

#endif // DOJO_LIB_TRANSFORMS_NARROWEDCONTRACTIONS_H
