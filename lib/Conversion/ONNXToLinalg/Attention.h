//===- Attention.h - heads, scores, rotary embeddings -----------*- C++ -*-===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_ATTENTION_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_ATTENTION_H

#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

namespace dojo::onnx {

/// batch x sequence x (heads * size) as batch x heads x sequence x size, and back.
Value splitHeads(mlir::ImplicitLocOpBuilder &b, Value x, int64_t heads);
Value joinHeads(mlir::ImplicitLocOpBuilder &b, Value x);
/// Each head `times` times in a row.
Value repeatHeads(mlir::ImplicitLocOpBuilder &b, Value x, int64_t times);

/// scale * q * transposed k, in four dimensions; each factor takes the root of the scale.
Value attentionScores(mlir::ImplicitLocOpBuilder &b, Value q, Value k, double scale);

/// Pairs of elements turned by angles. `x` has four dimensions, or three and `heads`;
/// cosines and sines are batch x sequence x half of `width`, which is 0 for the whole
/// of a head.
struct Rotary {
  Value x, cosines, sines;
  int64_t heads, width;
  bool interleaved;
};

/// The turned elements, in the shape of `x`.
mlir::FailureOr<Value> rotate(NodeContext &c, const Rotary &rotary);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_ATTENTION_H
