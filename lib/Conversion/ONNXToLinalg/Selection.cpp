//===- Selection.cpp - operators that choose places by what stands there --===//
//
// Where the data decide how many places there are, the result has the largest
// size and a count; what is behind the count is cut when it is read back.
//
//===----------------------------------------------------------------------===//
#include "Selection.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

static SmallVector<unsigned> loopsUpTo(unsigned rank) {
  return llvm::to_vector(llvm::seq<unsigned>(0, rank));
}

/// How many elements along the axis come before each one: the greater ones (or the
/// less), and of equal ones those with a lower index.
static Value placesInOrder(NodeContext &c, unsigned axis, bool largest) {
  unsigned rank = c.rank(0);
  int64_t extent = c.shape(0)[axis];
  SmallVector<unsigned> own = loopsUpTo(rank), other = own;
  other[axis] = rank;
  Value zero = zeros(c.b, c.shape(0), c.b.getI32Type());
  return fold(c.b, rank + 1,
              {{c.value(0), own},
               {c.value(0), other},
               {iota(c.b, extent), {axis}},
               {iota(c.b, extent), {rank}}},
              {zero, own}, [&](Scalars &s, ValueRange v) {
                s.isUnsigned = c.isUnsigned(0);
                Value ahead = s.compare(largest ? P::sgt : P::slt, v[1], v[0]);
                Value equal = s.compare(P::eq, v[0], v[1]);
                s.isUnsigned = false;
                Value tied = s.make<arith::AndIOp>(equal, s.compare(P::slt, v[3], v[2]));
                Value one = s.constant(v[4], 1), none = s.constant(v[4], 0);
                return s.add(v[4], s.select(s.make<arith::OrIOp>(ahead, tied), one, none));
              });
}

/// The first `count` of `source` in the order of `places`; source has dimensions `dims`.
static Value inOrder(NodeContext &c, unsigned axis, int64_t count, Value places, Value source,
                     ArrayRef<unsigned> dims) {
  unsigned rank = c.rank(0);
  SmallVector<unsigned> own = loopsUpTo(rank), from = own;
  from[axis] = rank;
  Shape shape(c.shape(0));
  shape[axis] = count;
  return fold(c.b, rank + 1,
              {{places, from}, {iota(c.b, count), {axis}}, {source, SmallVector<unsigned>(dims)}},
              {zeros(c.b, shape, elementOf(source)), own}, [](Scalars &s, ValueRange v) {
                Value here = s.compare(P::eq, v[0], v[1]);
                return s.add(v[3], s.select(here, v[2], s.constant(v[2], 0)));
              });
}

/// k is an operand from opset 10 on, an attribute before.
static Handler topK(bool operand) {
  return [operand](NodeContext &c) -> LogicalResult {
    auto k = operand ? c.needInts(1, "k") : FailureOr<Shape>(Shape{c.intAttr("k", 0)});
    auto axis = c.axis(c.intAttr("axis", -1), c.rank(0));
    bool largest = c.flagAttr("largest", true);
    c.ignore({"sorted"});
    if (failed(k) || failed(axis))
      return failure();
    int64_t extent = c.shape(0)[*axis];
    if (k->size() != 1 || k->front() < 0 || k->front() > extent)
      return c.fail("its k is no number of elements of a dimension of " + Twine(extent));
    SmallVector<unsigned> from = loopsUpTo(c.rank(0));
    from[*axis] = c.rank(0);
    Value places = placesInOrder(c, *axis, largest);
    c.result(0, inOrder(c, *axis, k->front(), places, c.value(0), from));
    Value indices = inOrder(c, *axis, k->front(), places, iota(c.b, extent), unsigned(c.rank(0)));
    c.result(1, asInt64(c.b, indices), c.b.getI64Type());
    return success();
  };
}

Value dojo::onnx::countBefore(ImplicitLocOpBuilder &b, Value flags) {
  int64_t n = shapeOf(flags)[0];
  return fold(b, 2, {{flags, {1}}, {iota(b, n), {1}}, {iota(b, n), {0}}},
              {zeros(b, {n}, b.getI32Type()), {0}}, [](Scalars &s, ValueRange v) {
                Value counts = s.make<arith::AndIOp>(v[0], s.compare(P::slt, v[1], v[2]));
                return s.add(v[3], s.select(counts, s.constant(v[3], 1), s.constant(v[3], 0)));
              });
}

Value dojo::onnx::countAll(ImplicitLocOpBuilder &b, Value flags) {
  return fold(b, 1, {{flags, {0}}}, {zeros(b, {}, b.getI32Type()), {}},
              [](Scalars &s, ValueRange v) {
                return s.add(v[1], s.select(v[0], s.constant(v[1], 1), s.constant(v[1], 0)));
              });
}

Value dojo::onnx::compacted(ImplicitLocOpBuilder &b, Value source, Value flags, Value places) {
  Shape shape = shapeOf(source);
  return fold(b, 3, {{flags, {2}}, {places, {2}}, {iota(b, shape[0]), {0}}, {source, {2, 1}}},
              {zeros(b, shape, elementOf(source)), {0, 1}}, [](Scalars &s, ValueRange v) {
                Value here = s.make<arith::AndIOp>(v[0], s.compare(P::eq, v[1], v[2]));
                return s.select(here, v[3], v[4]);
              });
}

Value dojo::onnx::asInt64(ImplicitLocOpBuilder &b, Value tensor) {
  Type i64 = b.getI64Type();
  return elementwise(b, shapeOf(tensor), i64, tensor,
                     [&](Scalars &s, ValueRange v) { return s.cast(v[0], i64); });
}

namespace {
/// A tensor as rows along one dimension, or as its elements if the node names none.
struct Rows {
  Value rows;
  Shape apart; ///< the shape with that dimension in front
  std::optional<int64_t> axis;

  /// Rows back in the tensor's order of dimensions.
  Value restored(ImplicitLocOpBuilder &b, Value some) const;
};
} // namespace

static FailureOr<Rows> rowsOf(NodeContext &c) {
  int64_t count = product(c.shape(0));
  if (!count)
    return c.fail("its data have no elements");
  if (!c.hasAttr("axis"))
    return Rows{reshape(c.b, c.value(0), {count, 1}), {count}, std::nullopt};
  auto axis = c.axis(c.intAttr("axis", 0), c.rank(0));
  if (failed(axis))
    return failure();
  Shape order = llvm::to_vector(llvm::seq<int64_t>(0, c.rank(0)));
  order.erase(order.begin() + *axis);
  order.insert(order.begin(), *axis);
  Value moved = transpose(c.b, c.value(0), order);
  Shape apart = shapeOf(moved);
  return Rows{reshape(c.b, moved, {apart[0], count / apart[0]}), apart, *axis};
}

Value Rows::restored(ImplicitLocOpBuilder &b, Value some) const {
  Shape shape(apart), order;
  shape[0] = shapeOf(some)[0];
  for (int64_t d = 1; d < int64_t(shape.size()); ++d)
    order.push_back(d);
  order.insert(order.begin() + axis.value_or(0), 0);
  return transpose(b, reshape(b, some, shape), order);
}

/// The places of a dimension, or of all elements, where a condition holds.
static LogicalResult lowerCompress(NodeContext &c) {
  auto rows = rowsOf(c);
  if (failed(rows))
    return failure();
  int64_t count = product(c.shape(1));
  if (count > rows->apart[0])
    return c.fail("its condition has " + Twine(count) + " values for a dimension of " +
                  Twine(rows->apart[0]));
  Shape sizes = shapeOf(rows->rows);
  if (auto condition = c.ints(1)) {
    Shape indices;
    for (auto [place, holds] : llvm::enumerate(*condition))
      if (holds)
        indices.push_back(place);
    sizes[0] = 0;
    Value picked = indices.empty() ? empty(c.b, sizes, elementOf(rows->rows))
                                   : pick(c.b, rows->rows, 0, indices);
    c.result(0, rows->restored(c.b, picked));
    return success();
  }
  sizes[0] = count;
  Value flags = reshape(c.b, c.value(1), {count});
  Value some = slice(c.b, rows->rows, {0, 0}, sizes, {1, 1});
  c.result(0, rows->restored(c.b, compacted(c.b, some, flags, countBefore(c.b, flags))));
  c.limit(0, rows->axis.value_or(0), countAll(c.b, flags));
  return success();
}

/// The coordinates of what is not zero, a column for each.
static LogicalResult lowerNonZero(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  int64_t count = product(c.shape(0)), rank = c.rank(0);
  if (!count || !rank)
    return c.fail("its data are " + shapeName(c.shape(0)) + ", which has no coordinates");
  Value x = reshape(b, c.value(0), {count});
  Value flags = elementwise(b, {count}, b.getI1Type(), x, [](Scalars &s, ValueRange v) {
    return s.cast(v[0], s.integerType(1));
  });
  SmallVector<Value> columns;
  for (int64_t d = 0; d < rank; ++d) {
    Value places = iota(b, c.shape(0)[d], d, rank);
    Value column = elementwise(b, c.shape(0), b.getI32Type(), places,
                               [](Scalars &, ValueRange v) { return v[0]; });
    columns.push_back(reshape(b, column, {count, 1}));
  }
  Value found = compacted(b, concat(b, 1, columns), flags, countBefore(b, flags));
  c.result(0, asInt64(b, transpose(b, found, {1, 0})), b.getI64Type());
  c.limit(0, 1, countAll(b, flags));
  return success();
}

/// -1, 0 or 1 for each pair of rows: how the first compares with the second, by the first
/// element that differs.
static Value comparisons(NodeContext &c, Value rows) {
  int64_t n = shapeOf(rows)[0];
  return fold(c.b, 3, {{rows, {0, 2}}, {rows, {1, 2}}},
              {zeros(c.b, {n, n}, c.b.getI32Type()), {0, 1}}, [&](Scalars &s, ValueRange v) {
                Value zero = s.constant(v[2], 0), undecided = s.compare(P::eq, v[2], zero);
                s.isUnsigned = c.isUnsigned(0) || v[0].getType().isInteger(1);
                Value after = s.select(s.compare(P::sgt, v[0], v[1]), s.constant(v[2], 1), zero);
                Value now = s.select(s.compare(P::slt, v[0], v[1]), s.constant(v[2], -1), after);
                return s.select(undecided, now, v[2]);
              });
}

/// Each row that occurs, at the place that the number of lesser ones gives, or if they are
/// not sorted, that of those that occur before it.
static LogicalResult lowerUnique(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  bool sorted = c.intAttr("sorted", 1);
  auto rows = rowsOf(c);
  if (failed(rows))
    return failure();
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  int64_t n = rows->apart[0], dim = rows->axis.value_or(0);
  Value order = comparisons(c, rows->rows), numbers = iota(b, n);
  Value last = filled(b, {n}, Scalars(b, b.getLoc()).constant(i32, n));
  Value first =
      fold(b, 2, {{order, {0, 1}}, {numbers, {1}}}, {last, {0}}, [](Scalars &s, ValueRange v) {
        Value same = s.compare(P::eq, v[0], s.constant(v[0], 0));
        return s.min(v[2], s.select(same, v[1], v[2]));
      });
  Value flags = elementwise(b, {n}, b.getI1Type(), {first, numbers},
                            [](Scalars &s, ValueRange v) { return s.compare(P::eq, v[0], v[1]); });
  Value places =
      fold(b, 2, {{order, {0, 1}}, {flags, {1}}, {first, {0}}, {numbers, {1}}},
           {zeros(b, {n}, i32), {0}}, [&](Scalars &s, ValueRange v) {
             Value ahead = sorted ? s.compare(P::sgt, v[0], s.constant(v[0], 0))
                                  : s.compare(P::slt, v[3], v[2]);
             Value counts = s.make<arith::AndIOp>(ahead, v[1]);
             return s.add(v[4], s.select(counts, s.constant(v[4], 1), s.constant(v[4], 0)));
           });
  Value times = fold(b, 2, {{places, {1}}, {numbers, {0}}}, {zeros(b, {n}, i32), {0}},
                     [](Scalars &s, ValueRange v) {
                       Value here = s.compare(P::eq, v[0], v[1]);
                       return s.add(v[2], s.select(here, s.constant(v[2], 1), s.constant(v[2], 0)));
                     });
  Value indices = compacted(b, reshape(b, numbers, {n, 1}), flags, places);
  c.result(0, rows->restored(b, compacted(b, rows->rows, flags, places)));
  c.result(1, asInt64(b, reshape(b, indices, {n})), i64);
  c.result(2, asInt64(b, places), i64);
  c.result(3, asInt64(b, times), i64);
  Value count = countAll(b, flags);
  c.limit(0, dim, count);
  c.limit(1, 0, count);
  c.limit(3, 0, count);
  return success();
}

void dojo::onnx::registerSelection(HandlerRegistry &registry) {
  registry.onOp("TopK", 1, topK(false));
  registry.onOp("TopK", 10, topK(true));
  registry.onOp("Compress", 9, lowerCompress);
  registry.onOp("NonZero", 9, lowerNonZero);
  registry.onOp("Unique", 11, lowerUnique);
}
