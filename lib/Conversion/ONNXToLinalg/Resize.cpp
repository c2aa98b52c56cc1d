//===- Resize.cpp - Resize by constant scales or sizes --------------------===//
//
// Every axis is resized by itself. Nearest neighbours that repeat each element
// equally often are a broadcast; everything else is a product with the constant
// matrix of the axis.
//
//===----------------------------------------------------------------------===//
#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

namespace {
struct Axis {
  int64_t in, out;
  float scale;
};

struct Interpolation {
  bool linear;
  std::string coordinates, rounding;

  float position(int64_t at, const Axis &axis) const;
  int64_t nearest(float position) const;
};
} // namespace

/// Where output element `at` lies between the elements of the input.
float Interpolation::position(int64_t at, const Axis &axis) const {
  if (coordinates == "asymmetric")
    return at / axis.scale;
  if (coordinates == "align_corners")
    return axis.out == 1 ? 0 : float(at * (axis.in - 1)) / float(axis.out - 1);
  if (coordinates == "pytorch_half_pixel" && axis.out == 1)
    return 0;
  return (at + 0.5f) / axis.scale - 0.5f;
}

int64_t Interpolation::nearest(float position) const {
  if (rounding == "floor")
    return std::floor(position);
  if (rounding == "ceil")
    return std::ceil(position);
  return rounding == "round_prefer_ceil" ? std::floor(position + 0.5f) : std::ceil(position - 0.5f);
}

/// The element of the input that each element of the output repeats.
static Shape sources(const Axis &axis, const Interpolation &how) {
  Shape indices;
  for (int64_t at = 0; at < axis.out; ++at)
    indices.push_back(std::clamp<int64_t>(how.nearest(how.position(at, axis)), 0, axis.in - 1));
  return indices;
}

/// The matrix, in x out, whose product with a row of the input is the output.
static SmallVector<float> matrix(const Axis &axis, const Interpolation &how) {
  SmallVector<float> weights(axis.in * axis.out, 0);
  if (!how.linear) {
    for (auto [at, source] : llvm::enumerate(sources(axis, how)))
      weights[source * axis.out + at] = 1;
    return weights;
  }
  for (int64_t at = 0; at < axis.out; ++at) {
    float position = std::clamp(how.position(at, axis), 0.0f, float(axis.in - 1));
    int64_t low = std::floor(position), high = std::min(low + 1, axis.in - 1);
    weights[low * axis.out + at] += 1 - (position - low);
    weights[high * axis.out + at] += position - low;
  }
  return weights;
}

/// How often `axis` repeats each element, or 0 if not all equally often in order.
static int64_t repetition(const Axis &axis, const Interpolation &how) {
  if (axis.scale == 1)
    return 1;
  if (how.linear || axis.out % axis.in)
    return 0;
  int64_t times = axis.out / axis.in;
  for (auto [at, source] : llvm::enumerate(sources(axis, how)))
    if (source != int64_t(at) / times)
      return 0;
  return times;
}

/// Repeats each element of dimension `axis` `times` times.
static Value repeat(ImplicitLocOpBuilder &b, Value tensor, int64_t axis, int64_t times) {
  Shape from = shapeOf(tensor), apart(from), to(from);
  apart.insert(apart.begin() + axis + 1, 1);
  Shape repeated(apart);
  repeated[axis + 1] = times;
  to[axis] *= times;
  Value spread = elementwise(b, repeated, elementOf(tensor), reshape(b, tensor, apart),
                             [](Scalars &, ValueRange v) { return v[0]; });
  return reshape(b, spread, to);
}

/// Multiplies dimension `axis` by `weights`, in x out.
static Value interpolate(ImplicitLocOpBuilder &b, Value tensor, int64_t axis, int64_t out,
                         ArrayRef<float> weights) {
  int64_t rank = shapeOf(tensor).size(), in = shapeOf(tensor)[axis];
  Shape last = llvm::to_vector(llvm::seq<int64_t>(0, rank)), back(last);
  last.erase(last.begin() + axis);
  last.push_back(axis);
  for (auto [i, dim] : llvm::enumerate(last))
    back[dim] = i;
  auto type = RankedTensorType::get({in, out}, b.getF32Type());
  Value factors = arith::ConstantOp::create(b, DenseElementsAttr::get(type, weights));
  Value moved = transpose(b, tensor, last);
  Shape to = shapeOf(moved);
  int64_t rows = product(to) / in;
  to.back() = out;
  Value sums = linalg::MatmulOp::create(b, ValueRange{reshape(b, moved, {rows, in}), factors},
                                        zeros(b, {rows, out}, b.getF32Type()))
                   .getResult(0);
  return transpose(b, reshape(b, sums, to), back);
}

/// The sizes of all axes, from the operand `scales` or the operand `sizes`.
static FailureOr<SmallVector<Axis>> readAxes(NodeContext &c) {
  SmallVector<Axis> all;
  for (int64_t size : c.shape(0))
    all.push_back({size, size, 1});
  Shape named = c.intsAttr("axes", llvm::to_vector(llvm::seq<int64_t>(0, c.rank(0))));
  auto positive = c.axes(named, c.rank(0));
  if (failed(positive))
    return failure();
  auto wrongCount = [&](int64_t count) {
    return c.fail("it has " + Twine(count) + " sizes for " + Twine(positive->size()) + " axes");
  };
  if (c.has(3) && product(c.shape(3))) {
    auto sizes = c.needInts(3, "sizes");
    if (failed(sizes))
      return failure();
    if (sizes->size() != positive->size())
      return wrongCount(sizes->size());
    for (auto [dim, size] : llvm::zip(*positive, *sizes))
      all[dim] = {all[dim].in, size, float(size) / float(all[dim].in)};
  } else {
    auto scales = dyn_cast_or_null<DenseElementsAttr>(c.constant(2));
    if (!scales || !scales.getElementType().isF32())
      return c.failUnknown(2, "its scales must be known when compiling");
    if (scales.getNumElements() != int64_t(positive->size()))
      return wrongCount(scales.getNumElements());
    for (auto [dim, scale] : llvm::zip(*positive, scales.getValues<float>())) {
      float out = std::floor(all[dim].in * scale); // in float, as ONNX Runtime does
      all[dim] = {all[dim].in, out >= 1 && out < (1 << 24) ? int64_t(out) : 0, scale};
    }
  }
  for (const Axis &axis : all)
    if (axis.in < 1 || axis.out < 1)
      return c.fail("it cannot resize a dimension of " + Twine(axis.in) + " to " + Twine(axis.out));
  return all;
}

static LogicalResult lowerResize(NodeContext &c) {
  std::string mode = c.stringAttr("mode", "nearest");
  Interpolation how = {mode == "linear",
                       c.stringAttr("coordinate_transformation_mode", "half_pixel"),
                       c.stringAttr("nearest_mode", "round_prefer_floor")};
  c.ignore({"cubic_coeff_a", "exclude_outside", "extrapolation_value"});
  if (mode != "nearest" && mode != "linear")
    return c.fail("its mode '" + mode + "' is not supported", "resize by nearest or linear");
  if (!llvm::is_contained({"asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel"},
                          StringRef(how.coordinates)))
    return c.fail("its coordinate transformation '" + how.coordinates + "' is not supported",
                  "use asymmetric, half_pixel, align_corners or pytorch_half_pixel");
  if (c.intAttr("antialias", 0) || c.stringAttr("keep_aspect_ratio_policy", "stretch") != "stretch")
    return c.fail("it smooths or keeps the aspect ratio", "give it plain scales or sizes");
  if (!c.type(0).getElementType().isF32())
    return c.fail("it is not defined on " + typeName(c.type(0).getElementType()),
                  "cast to float32");
  auto axes = readAxes(c);
  if (failed(axes))
    return failure();
  for (const Axis &axis : *axes)
    if (how.coordinates == "align_corners" && axis.in * axis.scale != float(axis.out))
      return c.fail("it aligns the corners of a dimension whose scaled size is not whole",
                    "give it sizes");
  Value result = c.value(0);
  for (auto [dim, axis] : llvm::enumerate(*axes)) {
    int64_t times = repetition(axis, how);
    if (times == 1)
      continue;
    result = times ? repeat(c.b, result, dim, times)
                   : interpolate(c.b, result, dim, axis.out, matrix(axis, how));
  }
  c.result(0, result);
  return success();
}

void dojo::onnx::registerResize(HandlerRegistry &registry) {
  registry.onOp("Resize", 11, lowerResize);
}
