//===- RoiAlign.cpp - regions of an image as images of one size -----------===//
#include "Sampling.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

namespace {
/// What the node states: `bins` of the result by axis (rows, columns), samples in each.
struct Regions {
  Shape bins;
  int64_t samples;
  float scale;
  bool halfPixel, largest;
};
} // namespace

/// Places of the samples of a bin of one region, in bins from its start: bins x samples.
static Value insideBins(ImplicitLocOpBuilder &b, int64_t bins, int64_t samples) {
  SmallVector<float> values;
  for (int64_t bin = 0; bin < bins; ++bin)
    for (int64_t i = 0; i < samples; ++i)
      values.push_back(bin + (i + 0.5) / samples);
  auto type = RankedTensorType::get({bins, samples}, b.getF32Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<float>(values)));
}

/// Positions along axis `axis` (0: rows) of an image, regions x bins x samples; -2 outside.
static Value positions(NodeContext &c, const Regions &how, int64_t axis) {
  ImplicitLocOpBuilder &b = c.b;
  int64_t regions = c.shape(1)[0], extent = c.shape(0)[2 + axis];
  auto border = [&](int64_t column) {
    return reshape(b, slice(b, c.value(1), {0, column}, {regions, 1}, Shape{1, 1}),
                   {regions, 1, 1});
  };
  Shape shape = {regions, how.bins[axis], how.samples};
  Value start = border(1 - axis), end = border(3 - axis);
  return elementwise(
      b, shape, b.getF32Type(), {start, end, insideBins(b, how.bins[axis], how.samples)},
      [&](Scalars &s, ValueRange v) {
        auto real = [&](double x) { return s.constant(v[0], x); };
        auto scaled = [&](Value x) {
          x = s.mul(x, real(how.scale));
          return how.halfPixel ? s.sub(x, real(0.5)) : x;
        };
        Value low = scaled(v[0]), width = s.sub(scaled(v[1]), low);
        if (!how.halfPixel)
          width = s.max(width, real(1));
        Value x = s.add(low, s.mul(s.div(width, real(how.bins[axis])), v[2]));
        Value outside = s.make<arith::OrIOp>(s.compare(P::slt, x, real(-1)),
                                             s.compare(P::sgt, x, real(extent)));
        return s.select(outside, real(-2), s.min(s.max(x, real(0)), real(extent - 1)));
      });
}

static FailureOr<Regions> readRegions(NodeContext &c, bool stated) {
  std::string mode = c.stringAttr("mode", "avg"),
              pixels = stated ? c.stringAttr("coordinate_transformation_mode", "half_pixel")
                              : "output_half_pixel";
  Regions how = {{c.intAttr("output_height", 1), c.intAttr("output_width", 1)},
                 c.intAttr("sampling_ratio", 0),
                 float(c.floatAttr("spatial_scale", 1)),
                 pixels == "half_pixel",
                 mode == "max"};
  if (c.rank(0) != 4 || c.rank(1) != 2 || c.shape(1)[1] != 4 ||
      Shape(c.shape(2)) != Shape{c.shape(1)[0]} || !c.type(0).getElementType().isF32())
    return c.fail("its regions " + shapeName(c.shape(1)) + " of images " + shapeName(c.shape(2)) +
                  " do not fit images of floats " + shapeName(c.shape(0)));
  if ((mode != "avg" && mode != "max") || (pixels != "half_pixel" && pixels != "output_half_pixel"))
    return c.fail("its mode is '" + mode + "' with '" + pixels + "'");
  if (how.bins[0] < 1 || how.bins[1] < 1 || how.samples < 1)
    return c.fail("its number of samples depends on the regions", "set sampling_ratio");
  return how;
}

/// Loops: taps of rows and columns, regions, bins and samples of rows and columns.
static Handler roiAlign(bool stated) {
  return [stated](NodeContext &c) -> LogicalResult {
    ImplicitLocOpBuilder &b = c.b;
    auto how = readRegions(c, stated);
    if (failed(how))
      return failure();
    int64_t regions = c.shape(1)[0], channels = c.shape(0)[1];
    SmallVector<Taps> axes;
    for (unsigned d : {0, 1}) {
      Shape spread = {regions, 1, 1, 1, 1};
      spread[1 + d] = how->bins[d];
      spread[3 + d] = how->samples;
      double last = c.shape(0)[2 + d] - 1;
      axes.push_back(tapsAround(b, reshape(b, positions(c, *how, d), spread), Kernel::Linear, d, 2,
                                [&](Scalars &s, Value place) {
                                  Value inside = s.min(place, s.constant(place, last));
                                  return s.max(inside, s.constant(place, -1));
                                }));
    }
    Value batch =
        elementwise(b, c.shape(2), b.getI32Type(), c.value(2),
                    [&](Scalars &s, ValueRange v) { return s.cast(v[0], b.getI32Type()); });
    Samples samples = sample(b, c.value(0), reshape(b, batch, {1, 1, regions, 1, 1, 1, 1}), axes);
    Shape unit = shapeOf(samples.weights);
    unit.push_back(1);
    double mean = 1.0 / double(how->samples * how->samples);
    Value terms = elementwise(b, shapeOf(samples.values), b.getF32Type(),
                              {samples.values, reshape(b, samples.weights, unit)},
                              [](Scalars &s, ValueRange v) { return s.mul(v[0], v[1]); });
    Value pooled =
        reduce(b, terms, {0, 1, 5, 6}, false, how->largest ? Combine::Max : Combine::Add);
    if (!how->largest)
      pooled =
          elementwise(b, shapeOf(pooled), b.getF32Type(), pooled, [&](Scalars &s, ValueRange v) {
            return s.mul(v[0], s.constant(v[0], mean));
          });
    Value flat = reshape(b, pooled, {regions, how->bins[0] * how->bins[1], channels});
    c.result(0, reshape(b, transpose(b, flat, {0, 2, 1}),
                        {regions, channels, how->bins[0], how->bins[1]}));
    return success();
  };
}

void dojo::onnx::registerRoiAlign(HandlerRegistry &registry) {
  registry.onOp("RoiAlign", 10, roiAlign(false));
  registry.onOp("RoiAlign", 16, roiAlign(true));
}
