//===- Pooling.cpp - windows that take the maximum or the mean ------------===//
//
// MaxUnpool, the way back, is here too.
//
//===----------------------------------------------------------------------===//
#include "Window.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

static FailureOr<Window> poolWindow(NodeContext &c) {
  if (c.rank(0) < 3)
    return c.fail("it needs data with batch, channels and space and has " + shapeName(c.shape(0)));
  return readWindow(c, c.shape(0).drop_front(2), {});
}

/// A result in the dimensions of the data.
static Value unwidened(NodeContext &c, Value pooled, const Window &w) {
  Shape out(c.shape(0).take_front(2));
  out.append(w.out.begin(), w.out.begin() + (c.rank(0) - 2));
  return reshape(c.b, pooled, out);
}

static Value windowSum(NodeContext &c, Value tensor, const Window &w) {
  Value zero = Scalars(c.b, c.b.getLoc()).constant(elementOf(tensor), 0);
  return foldWindows(c.b, w, w.padded(c.b, tensor, zero), {}, zero,
                     [](Scalars &s, ValueRange v) { return s.add(v[1], v[0]); });
}

/// Where in the whole tensor the maxima stand: the first place of the window, in the order
/// of memory, that holds the maximum. With `columns` places are counted by columns.
static Value maxPlaces(NodeContext &c, Value image, Value maxima, const Window &w, bool columns) {
  ImplicitLocOpBuilder &b = c.b;
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  int64_t plane = product(w.input);
  Value none = Scalars(b, b.getLoc()).highest(i32);
  Value places = w.padded(b, reshape(b, iota(b, plane), w.input), none);
  Value first = foldWindows(b, w, {image, places}, maxima, none, [](Scalars &s, ValueRange v) {
    Value here = s.compare(arith::CmpIPredicate::eq, v[0], v[2]);
    return s.min(v[3], s.select(here, v[1], s.constant(v[1], std::numeric_limits<int32_t>::max())));
  });
  Shape planes = {c.shape(0)[0], c.shape(0)[1]};
  Value number = iota(b, product(planes));
  planes.append(w.rank(), 1);
  return elementwise(
      b, shapeOf(first), i64, {first, reshape(b, number, planes)}, [&](Scalars &s, ValueRange v) {
        Value place = v[0];
        if (columns) {
          Value rest = v[0];
          place = s.constant(rest, 0);
          for (unsigned d = w.rank(); d-- > 0;) {
            Value size = s.constant(rest, w.input[d]), next = s.div(rest, size);
            int64_t step = product(ArrayRef(w.input).take_front(d));
            place = s.add(place, s.mul(s.sub(rest, s.mul(next, size)), s.constant(rest, step)));
            rest = next;
          }
        }
        Value first = s.mul(s.cast(v[1], i64), s.constant(i64, plane));
        return s.add(first, s.cast(place, i64));
      });
}

static LogicalResult lowerMaxPool(NodeContext &c) {
  bool columns = c.flagAttr("storage_order", false);
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
  Value maxima = foldWindows(c.b, *w, image, {}, lowest,
                             [](Scalars &s, ValueRange v) { return s.max(v[1], v[0]); });
  c.result(0, unwidened(c, ordered(maxima), *w), c.declared(0));
  if (c.uses(1))
    c.result(1, unwidened(c, maxPlaces(c, image, maxima, *w, columns), *w), c.b.getI64Type());
  return success();
}

/// The number of elements that count, for each output position of one dimension.
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
  Shape places = {1};
  for (unsigned dim = 0; dim < w.rank(); ++dim) {
    Shape before = std::exchange(places, {});
    for (int64_t outer : before)
      for (int64_t count : counts(w, dim, padding))
        places.push_back(outer * count);
  }
  SmallVector<Attribute> values;
  for (int64_t count : places)
    values.push_back(b.getFloatAttr(element, 1.0 / std::max<int64_t>(1, count)));
  auto type = RankedTensorType::get(w.out, element);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, values));
}

static LogicalResult lowerAveragePool(NodeContext &c) {
  bool padding = c.flagAttr("count_include_pad", false);
  auto w = poolWindow(c);
  if (failed(w))
    return failure();
  Type element = c.type(0).getElementType();
  Value sum = windowSum(c, c.value(0), *w);
  Value scale = reciprocals(c.b, *w, padding, element);
  Value mean = elementwise(c.b, shapeOf(sum), element, {sum, scale},
                           [](Scalars &s, ValueRange v) { return s.mul(v[0], v[1]); });
  c.result(0, unwidened(c, mean, *w));
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
  Value sum = windowSum(c, terms, *w);
  Value root = elementwise(c.b, shapeOf(sum), element, sum, [&](Scalars &s, ValueRange v) {
    return p == 1 ? v[0] : p == 2 ? s.make<math::SqrtOp>(v[0]) : power(s, v[0], 1.0 / p);
  });
  c.result(0, unwidened(c, root, *w));
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

/// Maxima back at their places, zeros elsewhere. Places are counted in what the window
/// gives back; a larger output_shape adds zeros behind.
static LogicalResult lowerMaxUnpool(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  int64_t rank = c.rank(0) - 2;
  Shape kernel = c.intsAttr("kernel_shape"), strides = c.intsAttr("strides", Shape(rank, 1)),
        pads = c.intsAttr("pads", Shape(2 * rank, 0)), natural(c.shape(0));
  auto isPositive = [](int64_t size) { return inRange(size, 1); };
  if (rank < 1 || int64_t(kernel.size()) != rank || int64_t(strides.size()) != rank ||
      int64_t(pads.size()) != 2 * rank || Shape(c.shape(1)) != natural ||
      !llvm::all_of(kernel, isPositive) || !llvm::all_of(strides, isPositive) ||
      !llvm::all_of(pads, [](int64_t size) { return inRange(size, 0); }))
    return c.fail("its kernel_shape, strides, pads or indices do not fit data of " +
                  shapeName(natural));
  for (int64_t d = 0; d < rank; ++d)
    natural[d + 2] = (natural[d + 2] - 1) * strides[d] + kernel[d] - pads[d] - pads[d + rank];
  Shape wanted(natural), none(natural.size(), 0), high;
  if (c.has(2)) {
    auto given = c.needInts(2, "output_shape");
    if (failed(given))
      return failure();
    wanted = *given;
  }
  for (auto [d, size] : llvm::enumerate(natural))
    high.push_back(d < wanted.size() ? wanted[d] - size : -1);
  if (wanted.size() != natural.size() || llvm::any_of(high, [](int64_t n) { return n < 0; }))
    return c.fail("its output_shape " + shapeName(wanted) + " does not hold the " +
                  shapeName(natural) + " that its window gives back");
  int64_t planes = natural[0] * natural[1], plane = product(natural) / std::max<int64_t>(1, planes),
          maxima = product(c.shape(0)) / std::max<int64_t>(1, planes);
  Type i32 = b.getI32Type();
  Value places = elementwise(
      b, {planes, maxima}, i32,
      {reshape(b, c.value(1), {planes, maxima}), reshape(b, iota(b, planes), {planes, 1})},
      [&](Scalars &s, ValueRange v) {
        Value first = s.mul(v[1], s.constant(i32, plane));
        return s.sub(s.cast(v[0], i32), first);
      });
  Value init = zeros(b, {planes, plane}, c.type(0).getElementType());
  Value spread = fold(
      b, 3,
      {{places, {0, 2}}, {iota(b, plane), {1}}, {reshape(b, c.value(0), {planes, maxima}), {0, 2}}},
      {init, {0, 1}}, [](Scalars &s, ValueRange v) {
        return s.select(s.compare(arith::CmpIPredicate::eq, v[0], v[1]), v[2], v[3]);
      });
  Value zero = Scalars(b, b.getLoc()).constant(elementOf(init), 0);
  c.result(0, pad(b, reshape(b, spread, natural), none, high, zero));
  return success();
}

void dojo::onnx::registerPooling(HandlerRegistry &registry) {
  registry.onOp("MaxPool", 1, lowerMaxPool);
  registry.onOp("MaxUnpool", 9, lowerMaxUnpool);
  registry.onOp("AveragePool", 1, lowerAveragePool);
  registry.onOp("LpPool", 2, lowerLpPool);
  registry.onOp("GlobalMaxPool", 1, lowerGlobalMaxPool);
  registry.onOp("GlobalAveragePool", 1, lowerGlobalAveragePool);
}
