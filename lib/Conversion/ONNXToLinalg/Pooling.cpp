//===- Pooling.cpp - windows that take the maximum or the mean ------------===//
#include "Window.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

template <typename Op>
static Value pool(ImplicitLocOpBuilder &b, Value image, Value start, const Window &w) {
  Type element = elementOf(image);
  Value init = filled(b, {shapeOf(image)[0], shapeOf(image)[1], w.out[0], w.out[1]}, start);
  Value window = empty(b, w.kernel, element);
  return Op::create(b, TypeRange(init.getType()), ValueRange{image, window}, ValueRange(init),
                    b.getI64VectorAttr(w.strides), b.getI64VectorAttr(w.dilations))
      ->getResult(0);
}

static FailureOr<Window> poolWindow(NodeContext &c) {
  if (c.rank(0) < 3)
    return c.fail("it needs data with batch, channels and space and has " + shapeName(c.shape(0)));
  return readWindow(c, c.shape(0).drop_front(2), {});
}

static void finish(NodeContext &c, Value pooled, const Window &w) {
  Shape out(c.shape(0).take_front(2));
  out.append(w.out.begin(), w.out.begin() + (c.rank(0) - 2));
  c.result(0, reshape(c.b, pooled, out));
}

static LogicalResult lowerMaxPool(NodeContext &c) {
  c.ignore({"storage_order"});
  auto w = poolWindow(c);
  if (failed(w))
    return failure();
  Type element = c.type(0).getElementType();
  Value lowest = Scalars(c.b, c.b.getLoc()).lowest(element);
  // With the highest bit flipped, numbers without sign are in the order of those with one.
  auto ordered = [&](Value x) {
    if (!c.isUnsigned(0))
      return x;
    return elementwise(c.b, shapeOf(x), element, x, [](Scalars &s, ValueRange v) {
      return s.make<arith::XOrIOp>(v[0], s.lowest(v[0].getType()));
    });
  };
  Value image = w->padded(c.b, ordered(c.value(0)), lowest);
  finish(c, ordered(pool<linalg::PoolingNchwMaxOp>(c.b, image, lowest, *w)), *w);
  return success();
}

/// 1 / the number of elements that count, for each output position of one dimension.
static SmallVector<int64_t> counts(const Window &w, unsigned dim, bool padding) {
  SmallVector<int64_t> result;
  int64_t first = padding ? -w.low[dim] : 0,
          last = w.input[dim] + (padding ? w.statedHigh[dim] : 0);
  for (int64_t out = 0; out < w.out[dim]; ++out) {
    int64_t count = 0;
    for (int64_t k = 0; k < w.kernel[dim]; ++k) {
      int64_t at = out * w.strides[dim] - w.low[dim] + k * w.dilations[dim];
      count += at >= first && at < last;
    }
    result.push_back(count);
  }
  return result;
}

static Value reciprocals(ImplicitLocOpBuilder &b, const Window &w, bool padding, Type element) {
  SmallVector<Attribute> values;
  for (int64_t y : counts(w, 0, padding))
    for (int64_t x : counts(w, 1, padding))
      values.push_back(b.getFloatAttr(element, 1.0 / std::max<int64_t>(1, x * y)));
  auto type = RankedTensorType::get(w.out, element);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, values));
}

static LogicalResult lowerAveragePool(NodeContext &c) {
  bool padding = c.intAttr("count_include_pad", 0);
  auto w = poolWindow(c);
  if (failed(w))
    return failure();
  Type element = c.type(0).getElementType();
  Value zero = Scalars(c.b, c.b.getLoc()).constant(element, 0);
  Value sum = pool<linalg::PoolingNchwSumOp>(c.b, w->padded(c.b, c.value(0), zero), zero, *w);
  Value scale = reciprocals(c.b, *w, padding, element);
  finish(c,
         elementwise(c.b, shapeOf(sum), element, {sum, scale},
                     [](Scalars &s, ValueRange v) { return s.mul(v[0], v[1]); }),
         *w);
  return success();
}

/// (sum of |x|^p)^(1/p) over a window.
static LogicalResult lowerLpPool(NodeContext &c) {
  int64_t p = c.intAttr("p", 2);
  auto w = poolWindow(c);
  if (failed(w))
    return failure();
  Type element = c.type(0).getElementType();
  if (p < 1 || !isa<FloatType>(element))
    return c.fail("its attribute 'p' is " + Twine(p) + ", or its data are no floats");
  auto power = [&](Scalars &s, Value x, double by) {
    return s.make<math::PowFOp>(x, s.constant(x, by));
  };
  Value terms = elementwise(c.b, c.shape(0), element, c.value(0), [&](Scalars &s, ValueRange v) {
    Value size = s.make<math::AbsFOp>(v[0]);
    return p == 1 ? size : p == 2 ? s.mul(size, size) : power(s, size, p);
  });
  Value zero = Scalars(c.b, c.b.getLoc()).constant(element, 0);
  Value sum = pool<linalg::PoolingNchwSumOp>(c.b, w->padded(c.b, terms, zero), zero, *w);
  finish(c,
         elementwise(c.b, shapeOf(sum), element, sum,
                     [&](Scalars &s, ValueRange v) {
                       return p == 1   ? v[0]
                              : p == 2 ? s.make<math::SqrtOp>(v[0])
                                       : power(s, v[0], 1.0 / p);
                     }),
         *w);
  return success();
}

static FailureOr<Shape> spatialAxes(NodeContext &c) {
  if (c.rank(0) < 3)
    return c.fail("it needs data with batch, channels and space and has " + shapeName(c.shape(0)));
  return llvm::to_vector(llvm::seq<int64_t>(2, c.rank(0)));
}

static LogicalResult lowerGlobalMaxPool(NodeContext &c) {
  auto axes = spatialAxes(c);
  if (failed(axes))
    return failure();
  c.result(0, reduce(c.b, c.value(0), *axes, true, Combine::Max));
  return success();
}

static LogicalResult lowerGlobalAveragePool(NodeContext &c) {
  auto axes = spatialAxes(c);
  if (failed(axes))
    return failure();
  double scale = 1.0 / product(c.shape(0).drop_front(2));
  Value sum = reduce(c.b, c.value(0), *axes, true, Combine::Add);
  c.result(0, elementwise(c.b, shapeOf(sum), elementOf(sum), sum, [&](Scalars &s, ValueRange v) {
             return s.mul(v[0], s.constant(v[0], scale));
           }));
  return success();
}

void dojo::onnx::registerPooling(HandlerRegistry &registry) {
  registry.onOp("MaxPool", 1, lowerMaxPool);
  registry.onOp("AveragePool", 1, lowerAveragePool);
  registry.onOp("LpPool", 2, lowerLpPool);
  registry.onOp("GlobalMaxPool", 1, lowerGlobalMaxPool);
  registry.onOp("GlobalAveragePool", 1, lowerGlobalAveragePool);
}
