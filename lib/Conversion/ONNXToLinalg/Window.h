//===- Window.h - the windows of convolutions and pools ---------*- C++ -*-===//
//
// Kernel, strides, dilations and padding of a node over two spatial dimensions;
// one spatial dimension is widened by a unit one.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_WINDOW_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_WINDOW_H

#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

namespace dojo::onnx {

struct Window {
  Shape input, kernel, strides, dilations, low, high, out;
  /// The padding that the node states, without what ceil_mode adds.
  Shape statedHigh;

  /// N x C x H x W of the data operand, padded with `scalar`.
  Value padded(mlir::ImplicitLocOpBuilder &b, Value tensor, Value scalar) const;
};

/// Reads the attributes that all windows share. `spatial` is the shape of the
/// data behind its batch and channel dimensions.
mlir::FailureOr<Window> readWindow(NodeContext &c, ArrayRef<int64_t> spatial,
                                   ArrayRef<int64_t> kernel);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_WINDOW_H
