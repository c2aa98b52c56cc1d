//===- Interpolation.cpp - what Resize makes of one axis ------------------===//
#include "Interpolation.h"

#include <algorithm>
#include <cmath>

using namespace dojo::onnx;
using llvm::SmallVector;

float Interpolation::position(int64_t at, const Axis &axis) const {
  float extent = axis.in, scaled = extent * axis.scale;
  if (coordinates == "asymmetric")
    return at / axis.scale;
  if (coordinates == "align_corners")
    return scaled == 1 ? 0 : at * (extent - 1) / (scaled - 1);
  if (coordinates == "pytorch_half_pixel" && axis.out == 1)
    return 0;
  if (coordinates == "tf_crop_and_resize") {
    float width = (axis.end - axis.start) * (extent - 1);
    return axis.start * (extent - 1) + (scaled == 1 ? width / 2 : at * width / (scaled - 1));
  }
  float centre = (at + 0.5f) / axis.scale - 0.5f;
  return coordinates == "half_pixel_symmetric" ? extent / 2 * (1 - axis.out / scaled) + centre
                                               : centre;
}

bool Interpolation::beyond(int64_t at, const Axis &axis) const {
  float place = position(at, axis);
  return coordinates == "tf_crop_and_resize" && (place < 0 || place > float(axis.in - 1));
}

int64_t Interpolation::nearest(float position) const {
  if (rounding == "floor")
    return std::floor(position);
  if (rounding == "ceil")
    return std::ceil(position);
  return rounding == "round_prefer_ceil" ? std::floor(position + 0.5f) : std::ceil(position - 0.5f);
}

/// Of an element at this distance, if elements stand 1 apart. The cubic is that of
/// R. Keys, Cubic convolution interpolation for digital image processing (1981).
double Interpolation::weight(double distance) const {
  double x = std::abs(distance), a = cubicA;
  if (mode == Linear)
    return std::max(0.0, 1 - x);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// Where an axis shrinks, antialiasing widens the reach of an element by as much.
void Interpolation::addTaps(float position, const Axis &axis,
                            llvm::SmallVectorImpl<double> &column) const {
  double narrow = antialias ? std::min(axis.scale, 1.0f) : 1;
  double reach = (mode == Linear ? 1 : 2) / narrow, sum = 0;
  auto taps = [&](auto add) {
    for (int64_t i = std::ceil(position - reach); double(i) <= position + reach; ++i)
      if (!excludeOutside || (i >= 0 && i < axis.in))
        add(std::clamp<int64_t>(i, 0, axis.in - 1), weight((double(i) - position) * narrow));
  };
  taps([&](int64_t, double weight) { sum += weight; });
  taps([&](int64_t i, double weight) { column[i] += weight / (sum == 0 ? 1 : sum); });
}

SmallVector<float> Interpolation::matrix(const Axis &axis) const {
  SmallVector<float> weights(axis.in * axis.out, 0);
  for (int64_t at = 0; at < axis.out; ++at) {
    if (beyond(at, axis))
      continue;
    SmallVector<double> column(axis.in, 0);
    float place = position(at, axis);
    if (mode == Nearest)
      column[std::clamp<int64_t>(nearest(place), 0, axis.in - 1)] = 1;
    else
      addTaps(place, axis, column);
    for (int64_t i = 0; i < axis.in; ++i)
      weights[i * axis.out + at] = column[i];
  }
  return weights;
}

int64_t Interpolation::repetition(const Axis &axis) const {
  if (axis.unchanged())
    return 1;
  if (mode != Nearest || axis.out % axis.in)
    return 0;
  int64_t times = axis.out / axis.in;
  for (int64_t at = 0; at < axis.out; ++at)
    if (beyond(at, axis) ||
        std::clamp<int64_t>(nearest(position(at, axis)), 0, axis.in - 1) != at / times)
      return 0;
  return times;
}
