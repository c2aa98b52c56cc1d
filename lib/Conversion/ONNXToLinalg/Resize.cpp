//===- Resize.cpp - Resize by constant scales or sizes --------------------===//
//
// Nearest neighbours that repeat each element equally often are a broadcast;
// everything else is a product with the constant matrix of the axis.
//
//===----------------------------------------------------------------------===//
#include "Build.h"
#include "Interpolation.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

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

/// Writes `scalar` to the places of dimension `axis` that lie beyond the input, where
/// the product has left zero.
static Value fillBeyond(ImplicitLocOpBuilder &b, Value tensor, int64_t axis, const Axis &extent,
                        const Interpolation &how, float scalar) {
  SmallVector<float> fillers;
  for (int64_t at = 0; at < extent.out; ++at)
    fillers.push_back(how.beyond(at, extent) ? scalar : 0);
  if (llvm::all_of(fillers, [](float filler) { return filler == 0; }))
    return tensor;
  Shape shape(shapeOf(tensor).size(), 1);
  shape[axis] = extent.out;
  auto type = RankedTensorType::get(shape, b.getF32Type());
  Value added = arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef(fillers)));
  return elementwise(b, shapeOf(tensor), b.getF32Type(), {tensor, added},
                     [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
}

/// The float32 values of operand `i`, one for each of `count` axes.
static FailureOr<SmallVector<float>> needFloats(NodeContext &c, unsigned i, StringRef what,
                                                size_t count) {
  auto values = dyn_cast_or_null<DenseElementsAttr>(c.constant(i));
  if (!values || !values.getElementType().isF32())
    return c.failUnknown(i, "its " + what + " must be known when compiling");
  if (values.getNumElements() != int64_t(count))
    return c.fail("it has " + Twine(values.getNumElements()) + " " + what + ", expected " +
                  Twine(count));
  return llvm::to_vector(values.getValues<float>());
}

/// Sets axes to given sizes; a policy other than "stretch" keeps the aspect ratio.
static LogicalResult setSizes(NodeContext &c, ArrayRef<int64_t> dims, SmallVector<Axis> &all) {
  std::string policy = c.stringAttr("keep_aspect_ratio_policy", "stretch");
  auto sizes = c.needInts(3, "sizes");
  if (failed(sizes))
    return failure();
  if (sizes->size() != dims.size())
    return c.fail("it has " + Twine(sizes->size()) + " sizes, expected " + Twine(dims.size()));
  if (!llvm::is_contained({"stretch", "not_larger", "not_smaller"}, StringRef(policy)))
    return c.fail("its keep_aspect_ratio_policy '" + policy +
                  "' is none of stretch, not_larger and not_smaller");
  SmallVector<double> scales;
  for (auto [dim, size] : llvm::zip(dims, *sizes))
    scales.push_back(double(size) / double(all[dim].in));
  for (auto [i, dim] : llvm::enumerate(dims)) {
    all[dim].out = (*sizes)[i];
    all[dim].scale = scales[i];
    if (policy == "stretch")
      continue;
    double scale = policy == "not_larger" ? *llvm::min_element(scales) : *llvm::max_element(scales);
    all[dim].out = scale * all[dim].in + 0.5;
    all[dim].scale = scale;
  }
  return success();
}

static void setScales(ArrayRef<float> scales, ArrayRef<int64_t> dims, SmallVector<Axis> &all) {
  for (auto [dim, scale] : llvm::zip(dims, scales)) {
    float out = std::floor(all[dim].in * scale); // in float, as ONNX Runtime does
    all[dim].out = out >= 1 && out < (1 << 24) ? int64_t(out) : 0;
    all[dim].scale = scale;
  }
}

static LogicalResult resize(NodeContext &c, ArrayRef<Axis> axes, const Interpolation &how,
                            float filler) {
  for (const Axis &axis : axes)
    if (axis.in < 1 || axis.out < 1)
      return c.fail("it cannot resize a dimension of " + Twine(axis.in) + " to " + Twine(axis.out));
  if (!c.type(0).getElementType().isF32())
    return c.fail("it is not defined on " + typeName(c.type(0).getElementType()),
                  "cast to float32");
  Value result = c.value(0);
  for (auto [dim, axis] : llvm::enumerate(axes)) {
    int64_t times = how.repetition(axis);
    if (times == 1)
      continue;
    result = times ? repeat(c.b, result, dim, times)
                   : fillBeyond(c.b, interpolate(c.b, result, dim, axis.out, how.matrix(axis)), dim,
                                axis, how, filler);
  }
  c.result(0, result);
  return success();
}

static SmallVector<Axis> unchangedAxes(NodeContext &c) {
  SmallVector<Axis> all;
  for (int64_t size : c.shape(0))
    all.push_back({size, size, 1});
  return all;
}

static FailureOr<Interpolation::Mode> readMode(NodeContext &c) {
  std::string mode = c.stringAttr("mode", "nearest");
  if (mode == "nearest")
    return Interpolation::Nearest;
  if (mode == "linear" || mode == "bilinear")
    return Interpolation::Linear;
  if (mode == "cubic")
    return Interpolation::Cubic;
  return c.fail("its mode '" + mode + "' is none of nearest, linear and cubic");
}

static FailureOr<Interpolation> readInterpolation(NodeContext &c) {
  auto mode = readMode(c);
  if (failed(mode))
    return failure();
  Interpolation how = {*mode, c.stringAttr("coordinate_transformation_mode", "half_pixel"),
                       c.stringAttr("nearest_mode", "round_prefer_floor")};
  how.antialias = c.flagAttr("antialias", false);
  how.excludeOutside = c.flagAttr("exclude_outside", false);
  how.cubicA = c.floatAttr("cubic_coeff_a", -0.75);
  if (!llvm::is_contained({"asymmetric", "half_pixel", "half_pixel_symmetric", "align_corners",
                           "pytorch_half_pixel", "tf_crop_and_resize"},
                          StringRef(how.coordinates)))
    return c.fail("its coordinate transformation '" + how.coordinates + "' is not supported",
                  "use asymmetric, half_pixel, half_pixel_symmetric, align_corners, "
                  "pytorch_half_pixel or tf_crop_and_resize");
  return how;
}

static LogicalResult lowerResize(NodeContext &c) {
  auto how = readInterpolation(c);
  float filler = c.floatAttr("extrapolation_value", 0);
  auto dims =
      c.axes(c.intsAttr("axes", llvm::to_vector(llvm::seq<int64_t>(0, c.rank(0)))), c.rank(0));
  if (failed(how) || failed(dims))
    return failure();
  SmallVector<Axis> axes = unchangedAxes(c);
  if (c.has(3) && product(c.shape(3))) {
    if (failed(setSizes(c, *dims, axes)))
      return failure();
  } else {
    auto scales = needFloats(c, 2, "scales", dims->size());
    c.ignore({"keep_aspect_ratio_policy"});
    if (failed(scales))
      return failure();
    setScales(*scales, *dims, axes);
  }
  if (how->coordinates == "tf_crop_and_resize") {
    auto region = needFloats(c, 1, "bounds of its region", 2 * dims->size());
    if (failed(region))
      return failure();
    for (auto [i, dim] : llvm::enumerate(*dims)) {
      axes[dim].start = (*region)[i];
      axes[dim].end = (*region)[i + dims->size()];
    }
  }
  return resize(c, axes, *how, filler);
}

/// Scales are an operand from opset 9 on, an attribute before.
static Handler upsample(bool operand) {
  return [operand](NodeContext &c) -> LogicalResult {
    auto mode = readMode(c);
    if (failed(mode))
      return failure();
    SmallVector<Axis> axes = unchangedAxes(c);
    FailureOr<SmallVector<float>> scales = SmallVector<float>();
    if (operand)
      scales = needFloats(c, 1, "scales", axes.size());
    else if (auto given = dyn_cast_or_null<DenseF32ArrayAttr>(c.attr("scales")))
      scales = llvm::to_vector(given.asArrayRef());
    if (failed(scales))
      return failure();
    if (scales->size() != axes.size())
      return c.fail("it has " + Twine(scales->size()) + " scales, expected " + Twine(axes.size()));
    setScales(*scales, llvm::to_vector(llvm::seq<int64_t>(0, c.rank(0))), axes);
    return resize(c, axes, {*mode, "asymmetric", "floor"}, 0);
  };
}

void dojo::onnx::registerResize(HandlerRegistry &registry) {
  registry.onOp("Resize", 11, lowerResize);
  registry.onOp("Upsample", 7, upsample(false));
  registry.onOp("Upsample", 9, upsample(true));
}
