//===- GridSample.cpp - images by a grid of coordinates, and such grids ---===//
#include "Sampling.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

namespace {
/// How coordinates from -1 to 1 name places along an axis of `extent`, and what stands for
/// places outside.
struct Coordinates {
  Kernel kernel;
  std::string padding;
  bool aligned; ///< -1 and 1 are the centres of the outer elements, not their borders

  Value position(Scalars &s, Value coordinate, int64_t extent) const;
  Value inside(Scalars &s, Value place, int64_t extent) const;

private:
  Value clamped(Scalars &s, Value x, double low, double high) const {
    return s.min(s.max(x, s.constant(x, low)), s.constant(x, high));
  }
  Value reflected(Scalars &s, Value x, int64_t extent) const;
};
} // namespace

/// Folded at the borders of the axis, as often as it takes.
Value Coordinates::reflected(Scalars &s, Value x, int64_t extent) const {
  double low = aligned ? 0 : -0.5, width = aligned ? extent - 1 : extent;
  if (width == 0)
    return s.constant(x, 0);
  Value period = s.constant(x, 2 * width);
  Value distance = s.make<math::AbsFOp>(s.sub(x, s.constant(x, low)));
  Value turns = s.make<math::FloorOp>(s.div(distance, period));
  Value rest = s.sub(distance, s.mul(turns, period));
  return s.add(s.min(rest, s.sub(period, rest)), s.constant(x, low));
}

Value Coordinates::position(Scalars &s, Value coordinate, int64_t extent) const {
  Value x = s.add(coordinate, s.constant(coordinate, 1)), half = s.constant(x, 0.5);
  x = aligned ? s.mul(s.mul(x, half), s.constant(x, extent - 1))
              : s.mul(s.sub(s.mul(x, s.constant(x, extent)), s.constant(x, 1)), half);
  if (kernel == Kernel::Nearest)
    x = s.make<math::RoundEvenOp>(x);
  return clamped(s, padding == "reflection" ? reflected(s, x, extent) : x, -3, extent + 2);
}

Value Coordinates::inside(Scalars &s, Value place, int64_t extent) const {
  if (padding == "border")
    return clamped(s, place, 0, extent - 1);
  if (padding == "reflection")
    return clamped(s, reflected(s, place, extent), 0, extent - 1);
  Value beyond = s.make<arith::OrIOp>(s.compare(P::slt, place, s.constant(place, 0)),
                                      s.compare(P::sge, place, s.constant(place, extent)));
  return s.select(beyond, s.constant(place, -1), place);
}

static FailureOr<Coordinates> readCoordinates(NodeContext &c) {
  std::string mode = c.stringAttr("mode", "linear");
  Coordinates how = {Kernel::Linear, c.stringAttr("padding_mode", "zeros"),
                     c.flagAttr("align_corners", false)};
  if (mode == "nearest")
    how.kernel = Kernel::Nearest;
  else if (mode == "cubic" || mode == "bicubic")
    how.kernel = Kernel::Cubic;
  else if (mode != "linear" && mode != "bilinear")
    return c.fail("its mode '" + mode + "' is none of nearest, linear and cubic");
  if (!llvm::is_contained({"zeros", "border", "reflection"}, StringRef(how.padding)))
    return c.fail("its padding_mode '" + how.padding + "' is none of zeros, border and reflection");
  return how;
}

/// The last dimension of the grid holds coordinates, that of the last axis first.
static LogicalResult lowerGridSample(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  auto how = readCoordinates(c);
  if (failed(how))
    return failure();
  Shape xs(c.shape(0)), grid(c.shape(1));
  int64_t rank = int64_t(xs.size()) - 2;
  if (rank < 1 || grid.size() != xs.size() || grid.back() != rank || grid[0] != xs[0] ||
      !c.type(0).getElementType().isF32() || !c.type(1).getElementType().isF32())
    return c.fail("its grid " + shapeName(grid) + " does not fit an image of floats " +
                  shapeName(xs));
  int64_t points = product(ArrayRef(grid).drop_front().drop_back());
  Value coordinates = reshape(b, c.value(1), {xs[0], points, rank});
  SmallVector<Taps> axes;
  for (int64_t d = 0; d < rank; ++d) {
    int64_t extent = xs[2 + d];
    Value column = slice(b, coordinates, {0, 0, rank - 1 - d}, {xs[0], points, 1}, Shape{1, 1, 1});
    Value positions =
        elementwise(b, {xs[0], points}, b.getF32Type(), reshape(b, column, {xs[0], points}),
                    [&](Scalars &s, ValueRange v) { return how->position(s, v[0], extent); });
    axes.push_back(tapsAround(b, positions, how->kernel, d, rank, [&](Scalars &s, Value place) {
      return how->inside(s, place, extent);
    }));
  }
  Shape unit(rank + 2, 1);
  unit[rank] = xs[0];
  Samples samples = sample(b, c.value(0), reshape(b, iota(b, xs[0]), unit), axes);
  int64_t count = xs[0] * points, taps = product(shapeOf(samples.weights)) / count;
  Value sums = fold(b, 3,
                    {{reshape(b, samples.weights, {taps, count}), {2, 0}},
                     {reshape(b, samples.values, {taps, count, xs[1]}), {2, 0, 1}}},
                    {zeros(b, {count, xs[1]}, b.getF32Type()), {0, 1}},
                    [](Scalars &s, ValueRange v) { return s.add(v[2], s.mul(v[0], v[1])); });
  Shape out = {xs[0], xs[1]};
  out.append(grid.begin() + 1, grid.end() - 1);
  Value result = transpose(b, reshape(b, sums, {xs[0], points, xs[1]}), {0, 2, 1});
  c.result(0, reshape(b, result, out));
  return success();
}

/// Coordinates from -1 to 1 of the elements of an axis.
static Value centres(ImplicitLocOpBuilder &b, int64_t extent, bool aligned, int64_t axis,
                     int64_t rank) {
  SmallVector<float> values;
  for (int64_t i = 0; i < extent; ++i)
    values.push_back(aligned ? (extent == 1 ? -1 : -1 + 2.0 * i / (extent - 1))
                             : (2.0 * i + 1) / extent - 1);
  Shape shape(rank, 1);
  shape[axis] = extent;
  auto type = RankedTensorType::get(shape, b.getF32Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<float>(values)));
}

/// out[n, z, y, x, d] = theta[n, d, 0] * x + theta[n, d, 1] * y + theta[n, d, 2] * z +
/// theta[n, d, 3]: no contraction, since coordinates need all bits.
static LogicalResult lowerAffineGrid(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  bool aligned = c.flagAttr("align_corners", false);
  auto size = c.needInts(1, "size");
  if (failed(size))
    return failure();
  int64_t rank = int64_t(size->size()) - 2, batch = size->empty() ? 0 : size->front();
  if ((rank != 2 && rank != 3) || Shape(c.shape(0)) != Shape{batch, rank, rank + 1} ||
      !c.type(0).getElementType().isF32())
    return c.fail("its theta " + shapeName(c.shape(0)) + " does not fit a size of " +
                  shapeName(*size));
  Shape out = {batch}, column(rank + 2, 1);
  SmallVector<Value> operands;
  column.front() = batch;
  column.back() = rank;
  for (int64_t d = 0; d < rank; ++d)
    out.push_back((*size)[2 + d]);
  out.push_back(rank);
  for (int64_t k = 0; k <= rank; ++k)
    operands.push_back(
        reshape(b, slice(b, c.value(0), {0, 0, k}, {batch, rank, 1}, Shape{1, 1, 1}), column));
  for (int64_t d = rank; d > 0; --d)
    operands.push_back(centres(b, out[d], aligned, d, rank + 2));
  c.result(0, elementwise(b, out, b.getF32Type(), operands, [&](Scalars &s, ValueRange v) {
             Value sum = v[rank];
             for (int64_t k = rank - 1; k >= 0; --k)
               sum = s.add(s.mul(v[k], v[rank + 1 + k]), sum);
             return sum;
           }));
  return success();
}

void dojo::onnx::registerGridSample(HandlerRegistry &registry) {
  registry.onOp("GridSample", 16, lowerGridSample);
  registry.onOp("AffineGrid", 20, lowerAffineGrid);
}
