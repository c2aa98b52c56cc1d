//===- Interpolation.h - what Resize makes of one axis ----------*- C++ -*-===//
//
// Every axis is resized by itself: each element of the output is a sum of
// elements of the input with constant weights. Positions are float32, as ONNX
// Runtime computes them.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_INTERPOLATION_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_INTERPOLATION_H

#include "llvm/ADT/SmallVector.h"
#include <string>

namespace dojo::onnx {

/// An axis of `in` elements that becomes one of `out`. The region from `start` to
/// `end`, in parts of the axis, is what crop_and_resize enlarges.
struct Axis {
  int64_t in, out;
  float scale, start = 0, end = 1;

  bool unchanged() const { return in == out && scale == 1 && start == 0 && end == 1; }
};

struct Interpolation {
  enum Mode { Nearest, Linear, Cubic } mode;
  std::string coordinates, rounding;
  bool antialias = false, excludeOutside = false;
  double cubicA = -0.75;

  /// Where output element `at` lies between the elements of the input.
  float position(int64_t at, const Axis &axis) const;
  /// Whether it lies where there is no input, so that it takes a constant.
  bool beyond(int64_t at, const Axis &axis) const;
  /// The matrix, in x out, whose product with a row of the input is the output.
  llvm::SmallVector<float> matrix(const Axis &axis) const;
  /// How often the axis repeats each element, or 0 if not all equally often in order.
  int64_t repetition(const Axis &axis) const;

private:
  int64_t nearest(float position) const;
  double weight(double distance) const;
  void addTaps(float position, const Axis &axis, llvm::SmallVectorImpl<double> &column) const;
};

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_INTERPOLATION_H
