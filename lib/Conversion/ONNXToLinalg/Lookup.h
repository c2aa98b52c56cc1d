//===- Lookup.h - rows by indices, known or not -----------------*- C++ -*-===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_LOOKUP_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_LOOKUP_H

#include "Build.h"

namespace dojo::onnx {

/// Indices as i32, negative ones counted from the end of a dimension of `extent`.
Value fromStart(mlir::ImplicitLocOpBuilder &b, Value indices, int64_t extent);

/// A lookup (Transforms/Contraction.h) of rows of dimension `axis`,
///     result[l, i, t] = sum over r of (index[i] == r ? data[l, r, t] : 0),
/// so that an index outside gives zeros. The work is that of a copy.
Value lookUp(mlir::ImplicitLocOpBuilder &b, Value data, Value indices, int64_t axis);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_LOOKUP_H
