//===- TransposedConvolution.cpp - ConvTranspose by phases ----------------===//
//
// Outputs whose indices are equal modulo the stride are a plain convolution with
// every stride-th tap of the kernel. All these phases are channels of one
// convolution; its channels are then interleaved in space.
//
//===----------------------------------------------------------------------===//
#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

using namespace mlir;
using namespace dojo::onnx;

namespace {
/// One spatial dimension: `taps` of the kernel in each of `stride` phases.
struct Span {
  int64_t in, kernel, stride, low, high, extra, taps, steps;

  int64_t out() const { return stride * (in - 1) + extra + kernel - low - high; }
};
} // namespace

static FailureOr<SmallVector<Span>> readSpans(NodeContext &c) {
  size_t n = c.rank(0) - 2;
  Shape kernel(c.shape(1).drop_front(2)), ones(n, 1), none(2 * n, 0);
  Shape strides = c.intsAttr("strides", ones), pads = c.intsAttr("pads", none);
  Shape extra = c.intsAttr("output_padding", Shape(n, 0));
  if (strides.size() != n || pads.size() != 2 * n || extra.size() != n ||
      c.intsAttr("kernel_shape", kernel) != kernel)
    return c.fail("its strides, pads, output_padding or kernel_shape do not fit its weights " +
                  shapeName(c.shape(1)));
  SmallVector<Span> spans;
  for (size_t i = 0; i < n; ++i) {
    Span s = {c.shape(0)[i + 2], kernel[i], strides[i], pads[i], pads[i + n], extra[i], 0, 0};
    if (s.in < 1 || s.kernel < 1 || s.stride < 1 || s.low < 0 || s.high < 0 || s.extra < 0 ||
        s.out() < 1)
      return c.fail("its window does not fit data " + shapeName(c.shape(0)));
    s.taps = (s.kernel + s.stride - 1) / s.stride;
    s.steps = std::max(s.in, (s.low + s.out() + s.stride - 1) / s.stride);
    spans.push_back(s);
  }
  if (n == 1)
    spans.insert(spans.begin(), Span{1, 1, 1, 0, 0, 0, 1, 1});
  return spans;
}

static Value reversed(ImplicitLocOpBuilder &b, Value tensor, int64_t axis) {
  Shape sizes = shapeOf(tensor), starts(sizes.size(), 0), ones(sizes.size(), 1);
  SmallVector<Value> parts;
  int64_t count = std::exchange(sizes[axis], 1);
  for (starts[axis] = count - 1; starts[axis] >= 0; --starts[axis])
    parts.push_back(slice(b, tensor, starts, sizes, ones));
  return concat(b, axis, parts);
}

/// From C x M x kernel to (M, phases) x C x taps, last tap first.
static Value phases(ImplicitLocOpBuilder &b, Value weights, ArrayRef<Span> s) {
  Shape ws = shapeOf(weights);
  Value zero = Scalars(b, b.getLoc()).constant(elementOf(weights), 0);
  Value image = reshape(b, weights, {ws[0], ws[1], s[0].kernel, s[1].kernel});
  Value whole = pad(
      b, image, {0, 0, 0, 0},
      {0, 0, s[0].taps * s[0].stride - s[0].kernel, s[1].taps * s[1].stride - s[1].kernel}, zero);
  Value split = reshape(b, whole, {ws[0], ws[1], s[0].taps, s[0].stride, s[1].taps, s[1].stride});
  split = reversed(b, reversed(b, split, 2), 4);
  return reshape(b, transpose(b, split, {1, 3, 5, 0, 2, 4}),
                 {ws[1] * s[0].stride * s[1].stride, ws[0], s[0].taps, s[1].taps});
}

static LogicalResult lowerConvTranspose(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  Shape xs(c.shape(0)), ws(c.shape(1));
  if (xs.size() < 3 || xs.size() > 4 || ws.size() != xs.size() || xs[1] != ws[0])
    return c.fail("it needs data and weights of one or two dimensions in space and has " +
                  shapeName(xs) + " and " + shapeName(ws));
  if (c.intAttr("group", 1) != 1)
    return c.fail("it has groups", "split it by groups");
  if (llvm::any_of(c.intsAttr("dilations"), [](int64_t d) { return d != 1; }))
    return c.fail("it is dilated");
  std::string automatic = c.stringAttr("auto_pad", "NOTSET");
  if (c.hasAttr("output_shape") || (automatic != "NOTSET" && automatic != "VALID"))
    return c.fail("its padding is not stated", "give pads and output_padding");
  if (c.has(2) && (c.rank(2) != 1 || c.shape(2)[0] != ws[1]))
    return c.fail("its bias " + shapeName(c.shape(2)) + " does not fit " + Twine(ws[1]) +
                  " channels");
  auto spans = readSpans(c);
  if (failed(spans))
    return failure();
  const Span &v = (*spans)[0], &h = (*spans)[1];
  Type element = c.type(0).getElementType();
  Value image =
      pad(b, reshape(b, c.value(0), {xs[0], xs[1], v.in, h.in}), {0, 0, v.taps - 1, h.taps - 1},
          {0, 0, v.steps - v.in, h.steps - h.in}, Scalars(b, b.getLoc()).constant(element, 0));
  Value weights = phases(b, c.value(1), *spans);
  Value init = zeros(b, {xs[0], shapeOf(weights)[0], v.steps, h.steps}, element);
  auto ones = b.getI64VectorAttr({1, 1});
  Value result =
      linalg::Conv2DNchwFchwOp::create(b, TypeRange(init.getType()), ValueRange{image, weights},
                                       ValueRange(init), ones, ones)
          .getResult(0);
  result = reshape(b, result, {xs[0], ws[1], v.stride, h.stride, v.steps, h.steps});
  result = reshape(b, transpose(b, result, {0, 1, 4, 2, 5, 3}),
                   {xs[0], ws[1], v.steps * v.stride, h.steps * h.stride});
  result = slice(b, result, {0, 0, v.low, h.low}, {xs[0], ws[1], v.out(), h.out()}, {1, 1, 1, 1});
  if (c.has(2))
    result = elementwise(b, shapeOf(result), element, {result, along(b, c.value(2), 1, 4)},
                         [](Scalars &s, ValueRange x) { return s.add(x[0], x[1]); });
  Shape out = {xs[0], ws[1]};
  for (const Span &span : ArrayRef(*spans).take_back(xs.size() - 2))
    out.push_back(span.out());
  c.result(0, reshape(b, result, out));
  return success();
}

void dojo::onnx::registerTransposedConvolutions(HandlerRegistry &registry) {
  registry.onOp("ConvTranspose", 1, lowerConvTranspose);
}
