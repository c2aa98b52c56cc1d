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
Standard standardise(mlir::ImplicitLocOpBuilder &b, Value x, ArrayRef<int64_t> axes,
                     double epsilon);

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
