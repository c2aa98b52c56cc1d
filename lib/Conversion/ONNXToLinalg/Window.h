//===- Window.h - the windows of convolutions and pools ---------*- C++ -*-===//
//
// Kernel, strides, dilations and padding of a node over two or three spatial
// dimensions; one spatial dimension is widened by a unit one.
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

  unsigned rank() const { return input.size(); }
  /// The data operand with batch, channels and these spatial dimensions, padded with
  /// `scalar`; or a tensor of the spatial dimensions alone.
  Value padded(mlir::ImplicitLocOpBuilder &b, Value tensor, Value scalar) const;
};

/// Whether a size is at least `least`, and products of such sizes stay far from overflow.
bool inRange(int64_t size, int64_t least);

/// Reads the attributes that all windows share. `spatial` is the shape of the
/// data behind its batch and channel dimensions.
mlir::FailureOr<Window> readWindow(NodeContext &c, ArrayRef<int64_t> spatial,
                                   ArrayRef<int64_t> kernel);

/// out[n, c, y] = body(image[n, c, y * stride + k * dilation], ..., result[n, c, y], ...,
/// out), from `start` over the places k of the window. `images` are padded; the first has
/// batch and channels, the others may be of the spatial dimensions alone.
Value foldWindows(mlir::ImplicitLocOpBuilder &b, const Window &w, ArrayRef<Value> images,
                  ArrayRef<Value> results, Value start, Body body);

/// The convolution of a padded image, N x C x space, with weights M x C / groups x kernel,
/// by the strides and dilations of the window.
Value convolve(mlir::ImplicitLocOpBuilder &b, Value image, Value weights, int64_t groups,
               const Window &w);

/// The convolution of `data` with `weights` that the node states, and its bias, if it has
/// operand `bias`.
mlir::FailureOr<Value> convolution(NodeContext &c, Value data, Value weights, unsigned bias);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_WINDOW_H
