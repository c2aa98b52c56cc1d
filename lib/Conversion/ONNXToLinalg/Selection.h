//===- Selection.h - what data-sized results are made of --------*- C++ -*-===//
//
// A vector of flags says which of n rows are taken. The result has n rows; those
// taken come first, and their count is known at run time.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_SELECTION_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_SELECTION_H

#include "Build.h"

namespace dojo::onnx {

/// For each place of a vector of flags, how many before it are set.
Value countBefore(mlir::ImplicitLocOpBuilder &b, Value flags);

/// How many are set: a tensor<i32>.
Value countAll(mlir::ImplicitLocOpBuilder &b, Value flags);

/// The rows of `source` that are flagged, each at its place; zeros behind them.
Value compacted(mlir::ImplicitLocOpBuilder &b, Value source, Value flags, Value places);

Value asInt64(mlir::ImplicitLocOpBuilder &b, Value tensor);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_SELECTION_H
