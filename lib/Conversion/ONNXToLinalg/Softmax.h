//===- Softmax.h - exponents over their sum ---------------------*- C++ -*-===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_SOFTMAX_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_SOFTMAX_H

#include "Build.h"

namespace dojo::onnx {

/// exp(x - max) / sum(exp(x - max)) along `axes`, and the logarithm of it.
Value softmax(mlir::ImplicitLocOpBuilder &b, Value x, ArrayRef<int64_t> axes);
Value logSoftmax(mlir::ImplicitLocOpBuilder &b, Value x, ArrayRef<int64_t> axes);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_SOFTMAX_H
