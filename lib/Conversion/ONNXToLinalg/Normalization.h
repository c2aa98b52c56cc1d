//===- Normalization.h - distances from the mean, over their size -*- C++ -*-=//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_NORMALIZATION_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_NORMALIZATION_H

#include "Build.h"

namespace dojo::onnx {

/// (x - mean) * inverse, where inverse = 1 / sqrt(variance + epsilon) over some axes; `squares` is
/// the sum of (x - mean)^2.
struct Standard {
  Value values, mean, inverse, squares;
};
/// The mean of sums over images is refined by the mean of what it leaves, at one more pass over x.
enum class Mean { Single, Refined };
Standard standardise(mlir::ImplicitLocOpBuilder &b, Value x, ArrayRef<int64_t> axes, double epsilon,
                     Mean kind = Mean::Single);

/// x * inverse, where inverse = 1 / sqrt(mean(x^2) + epsilon) over some axes.
struct RootMeanSquare {
  Value values, inverse;
};
RootMeanSquare rootMeanSquare(mlir::ImplicitLocOpBuilder &b, Value x, ArrayRef<int64_t> axes,
                              double epsilon);

/// x * scale + bias; the bias is optional.
Value scaleAndShift(mlir::ImplicitLocOpBuilder &b, Value x, Value scale, Value bias);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_NORMALIZATION_H
