//===- TransposedConvolution.cpp - ConvTranspose by phases ----------------===//
//
// Outputs whose indices are equal modulo the stride are a plain convolution with
// every stride-th tap of the kernel. All these phases are channels of one
// convolution; its channels are then interleaved in space. Col2Im is one whose
// weights pass each tap on.
//
//===----------------------------------------------------------------------===//
#include "Window.h"

using namespace mlir;
using namespace dojo::onnx;

namespace {
/// One spatial dimension: `taps` of the kernel, spread by its dilation, in each of
/// `stride` phases, and `steps` outputs of a phase.
struct Span {
  int64_t in, kernel, stride, dilation, low, out;

  int64_t extent() const { return (kernel - 1) * dilation + 1; }
  int64_t taps() const { return llvm::divideCeil(extent(), stride); }
  int64_t steps() const { return std::max(in, int64_t(llvm::divideCeil(low + out, stride))); }
};

using Spans = SmallVector<Span>;
} // namespace

static Value reversed(ImplicitLocOpBuilder &b, Value tensor, int64_t axis) {
  Shape sizes = shapeOf(tensor), starts(sizes.size(), 0), ones(sizes.size(), 1);
  SmallVector<Value> parts;
  int64_t count = std::exchange(sizes[axis], 1);
  for (starts[axis] = count - 1; starts[axis] >= 0; --starts[axis])
    parts.push_back(slice(b, tensor, starts, sizes, ones));
  return concat(b, axis, parts);
}

/// Zeros behind dimension `axis`, which then has `size` places.
static Value extended(ImplicitLocOpBuilder &b, Value tensor, int64_t axis, int64_t size) {
  Shape none(shapeOf(tensor).size(), 0), high(none);
  high[axis] = size - shapeOf(tensor)[axis];
  return pad(b, tensor, none, high, Scalars(b, b.getLoc()).constant(elementOf(tensor), 0));
}

/// Kernel taps of dimension `axis` with dilation - 1 zeros between them.
static Value dilated(ImplicitLocOpBuilder &b, Value weights, int64_t axis, const Span &span) {
  Shape apart = shapeOf(weights), joined(apart), sizes(apart);
  apart.insert(apart.begin() + axis + 1, 1);
  joined[axis] *= span.dilation;
  sizes[axis] = span.extent();
  Value wide = extended(b, reshape(b, weights, apart), axis + 1, span.dilation);
  return slice(b, reshape(b, wide, joined), Shape(sizes.size(), 0), sizes, Shape(sizes.size(), 1));
}

/// From C x M / groups x kernel to (M, phases) x C / groups x taps, last tap first.
static Value phases(ImplicitLocOpBuilder &b, Value weights, int64_t groups, ArrayRef<Span> spans) {
  Shape ws = shapeOf(weights), split = {groups, ws[0] / groups, ws[1]}, order = {0, 2};
  Value whole = weights;
  for (auto [d, span] : llvm::enumerate(spans)) {
    whole = dilated(b, whole, d + 2, span);
    whole = extended(b, whole, d + 2, span.taps() * span.stride);
    split.append({span.taps(), span.stride});
    order.push_back(4 + 2 * d);
  }
  Shape result = {ws[1] * groups, ws[0] / groups};
  whole = reshape(b, whole, split);
  order.push_back(1);
  for (auto [d, span] : llvm::enumerate(spans)) {
    whole = reversed(b, whole, 3 + 2 * d);
    order.push_back(3 + 2 * d);
    result[0] *= span.stride;
    result.push_back(span.taps());
  }
  return reshape(b, transpose(b, whole, order), result);
}

/// From N x (M, phases) x steps to N x M x outputs.
static Value interleaved(ImplicitLocOpBuilder &b, Value sums, int64_t channels,
                         ArrayRef<Span> spans) {
  int64_t batch = shapeOf(sums)[0], rank = spans.size();
  Shape split = {batch, channels}, order = {0, 1}, whole(split), starts = {0, 0}, sizes(split);
  for (const Span &span : spans)
    split.push_back(span.stride);
  for (auto [d, span] : llvm::enumerate(spans)) {
    split.push_back(span.steps());
    order.append({2 + rank + int64_t(d), 2 + int64_t(d)});
    whole.push_back(span.steps() * span.stride);
    starts.push_back(span.low);
    sizes.push_back(span.out);
  }
  Value image = reshape(b, transpose(b, reshape(b, sums, split), order), whole);
  return slice(b, image, starts, sizes, Shape(whole.size(), 1));
}

/// out[o] += image[i] * weights[k] where o = i * stride + k * dilation - low; the shapes are
/// N x C x in, C x M / groups x kernel and N x M x out.
static Value transposedConvolution(ImplicitLocOpBuilder &b, Value image, Value weights,
                                   int64_t groups, ArrayRef<Span> spans) {
  Shape xs = shapeOf(image), before = {0, 0}, after = {0, 0};
  int64_t channels = shapeOf(weights)[1] * groups;
  Window w;
  for (const Span &span : spans) {
    w.kernel.push_back(span.taps());
    w.out.push_back(span.steps());
    before.push_back(span.taps() - 1);
    after.push_back(span.steps() - span.in);
  }
  w.input = w.out;
  w.strides = w.dilations = Shape(spans.size(), 1);
  Value zero = Scalars(b, b.getLoc()).constant(elementOf(image), 0);
  Value sums =
      convolve(b, pad(b, image, before, after, zero), phases(b, weights, groups, spans), groups, w);
  return interleaved(b, sums, channels, spans);
}

/// Sets the padding in front and the size of the output, which the node states, or which
/// follow from auto_pad or output_shape.
static LogicalResult setOutputs(NodeContext &c, Spans &spans, ArrayRef<int64_t> pads,
                                ArrayRef<int64_t> extra) {
  std::string automatic = c.stringAttr("auto_pad", "NOTSET");
  Shape stated = c.intsAttr("output_shape");
  size_t n = spans.size();
  if (stated.size() > n) // with batch and channels, as some models have it
    stated.erase(stated.begin(), stated.end() - n);
  bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (!stated.empty() && stated.size() != n)
    return c.fail("its output_shape " + shapeName(stated) + " does not fit " + Twine(n) +
                  " dimensions in space");
  for (auto [i, s] : llvm::enumerate(spans)) {
    int64_t natural = s.stride * (s.in - 1) + extra[i] + s.extent();
    s.low = automatic == "NOTSET" ? pads[i] : 0;
    s.out = natural - s.low - (automatic == "NOTSET" ? pads[i + n] : 0);
    if (same || !stated.empty()) {
      s.out = stated.empty() ? s.in * s.stride : stated[i];
      int64_t total = std::max<int64_t>(0, natural - s.out);
      s.low = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
    }
    if (s.low < 0 || s.out < 1)
      return c.fail("its window does not fit data " + shapeName(c.shape(0)));
  }
  return success();
}

static FailureOr<Spans> readSpans(NodeContext &c) {
  size_t n = c.rank(0) - 2;
  Shape kernel(c.shape(1).drop_front(2)), ones(n, 1), none(2 * n, 0);
  Shape strides = c.intsAttr("strides", ones), dilations = c.intsAttr("dilations", ones);
  Shape pads = c.intsAttr("pads", none), extra = c.intsAttr("output_padding", Shape(n, 0));
  if (strides.size() != n || dilations.size() != n || pads.size() != 2 * n || extra.size() != n ||
      c.intsAttr("kernel_shape", kernel) != kernel)
    return c.fail("its strides, dilations, pads, output_padding or kernel_shape do not fit its "
                  "weights " +
                  shapeName(c.shape(1)));
  Spans spans;
  for (size_t i = 0; i < n; ++i) {
    spans.push_back({c.shape(0)[i + 2], kernel[i], strides[i], dilations[i], 0, 0});
    if (spans[i].in < 1 || kernel[i] < 1 || strides[i] < 1 || dilations[i] < 1 || extra[i] < 0 ||
        pads[i] < 0 || pads[i + n] < 0)
      return c.fail("its window does not fit data " + shapeName(c.shape(0)));
  }
  if (failed(setOutputs(c, spans, pads, extra)))
    return failure();
  return spans;
}

/// One dimension in space becomes two, the first of one place.
static void widen(Spans &spans) {
  if (spans.size() == 1)
    spans.insert(spans.begin(), Span{1, 1, 1, 1, 0, 1});
}

static LogicalResult lowerConvTranspose(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  Shape xs(c.shape(0)), ws(c.shape(1));
  int64_t groups = c.intAttr("group", 1);
  if (xs.size() < 3 || xs.size() > 5 || ws.size() != xs.size() || xs[1] != ws[0] || groups < 1 ||
      ws[0] % groups)
    return c.fail("it needs data and weights of one to three dimensions in space, whose channels "
                  "its " +
                  Twine(groups) + " groups divide, and has " + shapeName(xs) + " and " +
                  shapeName(ws));
  int64_t channels = ws[1] * groups;
  if (c.has(2) && (c.rank(2) != 1 || c.shape(2)[0] != channels))
    return c.fail("its bias " + shapeName(c.shape(2)) + " does not fit " + Twine(channels) +
                  " channels");
  auto spans = readSpans(c);
  if (failed(spans))
    return failure();
  Shape out = {xs[0], channels}, data = {xs[0], xs[1]}, filters = {ws[0], ws[1]};
  for (const Span &span : *spans)
    out.push_back(span.out);
  widen(*spans);
  for (const Span &span : *spans) {
    data.push_back(span.in);
    filters.push_back(span.kernel);
  }
  Value result = transposedConvolution(b, reshape(b, c.value(0), data),
                                       reshape(b, c.value(1), filters), groups, *spans);
  if (c.has(2))
    result = elementwise(b, shapeOf(result), elementOf(result),
                         {result, along(b, c.value(2), 1, 2 + spans->size())},
                         [](Scalars &s, ValueRange x) { return s.add(x[0], x[1]); });
  c.result(0, reshape(b, result, out));
  return success();
}

/// Weights that pass each of `taps` channels on to its own tap: C * taps x 1 x taps.
static Value passing(ImplicitLocOpBuilder &b, int64_t channels, int64_t taps, Type element) {
  Value rows = iota(b, taps, 1, 4), columns = iota(b, taps, 3, 4);
  return elementwise(b, {channels, taps, 1, taps}, element, {rows, columns},
                     [&](Scalars &s, ValueRange v) {
                       return s.select(s.compare(arith::CmpIPredicate::eq, v[0], v[1]),
                                       s.constant(element, 1), s.constant(element, 0));
                     });
}

/// Columns of blocks are added up where they overlap in the image.
static LogicalResult lowerCol2Im(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  auto image = c.needInts(1, "image_shape"), block = c.needInts(2, "block_shape");
  if (failed(image) || failed(block))
    return failure();
  size_t n = image->size();
  Shape ones(n, 1), strides = c.intsAttr("strides", ones),
                    dilations = c.intsAttr("dilations", ones);
  Shape pads = c.intsAttr("pads", Shape(2 * n, 0));
  if (n < 1 || n > 3 || block->size() != n || strides.size() != n || dilations.size() != n ||
      pads.size() != 2 * n || c.rank(0) != 3)
    return c.fail("its blocks, strides, dilations or pads do not fit columns " +
                  shapeName(c.shape(0)) + " of an image " + shapeName(*image));
  Spans spans;
  Shape out, data, filters;
  int64_t columns = 1, taps = product(*block);
  for (size_t i = 0; i < n; ++i) {
    Span s = {0, (*block)[i], strides[i], dilations[i], pads[i], (*image)[i]};
    if (s.kernel < 1 || s.stride < 1 || s.dilation < 1 || s.out < 1 || s.low < 0 || pads[i + n] < 0)
      return c.fail("its blocks " + shapeName(*block) + " have a size or step out of range");
    s.in = std::max<int64_t>(0, s.out + s.low + pads[i + n] - s.extent() + s.stride) / s.stride;
    columns *= s.in;
    spans.push_back(s);
  }
  if (columns < 1 || columns != c.shape(0)[2] || c.shape(0)[1] % taps)
    return c.fail("its columns " + shapeName(c.shape(0)) + " are not those of blocks " +
                  shapeName(*block) + " in an image " + shapeName(*image));
  int64_t channels = c.shape(0)[1] / taps;
  out = {c.shape(0)[0], channels};
  out.append(*image);
  widen(spans);
  data = {c.shape(0)[0], c.shape(0)[1]};
  filters = {c.shape(0)[1], 1};
  for (const Span &span : spans) {
    data.push_back(span.in);
    filters.push_back(span.kernel);
  }
  Value weights = passing(b, channels, taps, c.type(0).getElementType());
  Value result = transposedConvolution(b, reshape(b, c.value(0), data),
                                       reshape(b, weights, filters), channels, spans);
  c.result(0, reshape(b, result, out));
  return success();
}

void dojo::onnx::registerTransposedConvolutions(HandlerRegistry &registry) {
  registry.onOp("ConvTranspose", 1, lowerConvTranspose);
  registry.onOp("Col2Im", 18, lowerCol2Im);
}
