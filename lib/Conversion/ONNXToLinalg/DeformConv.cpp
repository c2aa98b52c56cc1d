//===- DeformConv.cpp - convolutions whose windows bend -------------------===//
#include "Sampling.h"
#include "Window.h"

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

/// Where the elements of the windows lie along axis `d`: images x kernel x out, a step
/// outside of the image at most.
static Value positions(ImplicitLocOpBuilder &b, Value offsets, const Window &w, int64_t d) {
  Shape shape = shapeOf(offsets), one = shape, starts(6, 0);
  one[3] = 1;
  starts[3] = d;
  Value moved = slice(b, offsets, starts, one, Shape(6, 1));
  one.erase(one.begin() + 3);
  Value element = iota(b, w.kernel[d], 1 + d, 5), place = iota(b, w.out[d], 3 + d, 5);
  return elementwise(b, one, b.getF32Type(), {reshape(b, moved, one), element, place},
                     [&](Scalars &s, ValueRange v) {
                       auto whole = [&](Value x, int64_t by) {
                         return s.mul(x, s.constant(x, by));
                       };
                       Value start = s.add(whole(v[1], w.dilations[d]), whole(v[2], w.strides[d]));
                       start = s.sub(start, s.constant(start, w.low[d]));
                       Value x = s.add(s.cast(start, s.floatType()), v[0]);
                       return s.min(s.max(x, s.constant(x, -2)), s.constant(x, w.input[d] + 1));
                     });
}

/// The elements of each window, images x channels x kernel x out: samples between those of
/// the image, zero outside, times the mask.
static Value windows(ImplicitLocOpBuilder &b, Value image, Value offsets, Value mask,
                     const Window &w) {
  int64_t images = shapeOf(image)[0];
  SmallVector<Taps> axes;
  for (unsigned d : {0, 1}) {
    double last = w.input[d] - 1;
    axes.push_back(tapsAround(b, positions(b, offsets, w, d), Kernel::Linear, d, 2,
                              [&](Scalars &s, Value place) {
                                Value none = s.constant(place, -1);
                                Value beyond = s.compare(P::sgt, place, s.constant(place, last));
                                return s.select(beyond, none, s.max(place, none));
                              }));
  }
  Samples samples = sample(b, image, iota(b, images, 2, 7), axes);
  Shape unit = shapeOf(samples.weights);
  unit.push_back(1);
  SmallVector<Value> operands = {samples.values, reshape(b, samples.weights, unit)};
  if (mask) {
    unit[0] = unit[1] = 1;
    operands.push_back(reshape(b, mask, unit));
  }
  Value terms = elementwise(b, shapeOf(samples.values), b.getF32Type(), operands,
                            [](Scalars &s, ValueRange v) {
                              Value x = s.mul(v[0], v[1]);
                              return v.size() > 2 ? s.mul(x, v[2]) : x;
                            });
  Value sums = reduce(b, terms, {0, 1}, false, Combine::Add);
  return transpose(b, sums, {0, 5, 1, 2, 3, 4});
}

/// Channels in groups that share offsets are images of their own; what the windows hold is
/// multiplied by the weights as a convolution by a window of one element.
static LogicalResult lowerDeformConv(NodeContext &c) {
  enum : unsigned { Data, Weights, Offsets, Bias, Mask };
  ImplicitLocOpBuilder &b = c.b;
  int64_t groups = c.intAttr("group", 1), shared = c.intAttr("offset_group", 1);
  if (c.rank(Data) != 4 || c.rank(Weights) != 4 || groups < 1 || shared < 1 ||
      c.shape(Data)[1] % shared || c.shape(Data)[1] != c.shape(Weights)[1] * groups ||
      c.shape(Weights)[0] % groups)
    return c.fail("its " + Twine(groups) + " groups and " + Twine(shared) +
                  " groups of offsets do not fit data " + shapeName(c.shape(Data)) +
                  " and weights " + shapeName(c.shape(Weights)));
  Shape x(c.shape(Data)), ws(c.shape(Weights));
  auto w = readWindow(c, ArrayRef(x).drop_front(2), ArrayRef(ws).drop_front(2));
  if (failed(w))
    return failure();
  int64_t elements = w->kernel[0] * w->kernel[1];
  Shape offsets = {x[0], shared * elements * 2, w->out[0], w->out[1]}, mask = offsets;
  mask[1] = shared * elements;
  if (Shape(c.shape(Offsets)) != offsets || (c.has(Mask) && Shape(c.shape(Mask)) != mask) ||
      (c.has(Bias) && Shape(c.shape(Bias)) != Shape{ws[0]}))
    return c.fail("its offsets of shape " + shapeName(c.shape(Offsets)) +
                  ", its mask or its bias do not fit, expected offsets of " + shapeName(offsets));
  Type f32 = b.getF32Type(), element = c.type(Data).getElementType();
  auto single = [&](unsigned i, ArrayRef<int64_t> shape) {
    return reshape(b, castTo(b, c.value(i), f32), shape);
  };
  int64_t images = x[0] * shared;
  Value bent =
      windows(b, single(Data, {images, x[1] / shared, x[2], x[3]}),
              single(Offsets, {images, w->kernel[0], w->kernel[1], 2, w->out[0], w->out[1]}),
              c.has(Mask) ? single(Mask, {images, w->kernel[0], w->kernel[1], w->out[0], w->out[1]})
                          : Value(),
              *w);
  bent = reshape(b, bent, {x[0], x[1] * elements, w->out[0], w->out[1]});
  Shape none(2, 0), one(2, 1);
  Window point = {w->out, one, one, one, none, none, w->out, none};
  Value result = convolve(b, bent, single(Weights, {ws[0], ws[1] * elements, 1, 1}), groups, point);
  if (c.has(Bias))
    result = elementwise(b, shapeOf(result), f32, {result, along(b, single(Bias, ws[0]), 1, 4)},
                         [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
  c.result(0, castTo(b, result, element), c.declared(Data));
  return success();
}

void dojo::onnx::registerDeformConv(HandlerRegistry &registry) {
  registry.onOp("DeformConv", 19, lowerDeformConv);
}
