//===- Selection.cpp - operators that choose places by what stands there --===//
#include "Build.h"
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
    bool largest = c.intAttr("largest", 1);
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
    Type i64 = c.b.getI64Type();
    c.result(1,
             elementwise(c.b, shapeOf(indices), i64, indices,
                         [&](Scalars &s, ValueRange v) { return s.cast(v[0], i64); }),
             i64);
    return success();
  };
}

/// The places of a dimension, or of all elements, where a known condition holds.
static LogicalResult lowerCompress(NodeContext &c) {
  auto condition = c.needInts(1, "condition");
  if (failed(condition))
    return failure();
  bool flat = !c.hasAttr("axis");
  Value data = flat ? reshape(c.b, c.value(0), product(c.shape(0))) : c.value(0);
  Shape shape = shapeOf(data), indices;
  auto axis = c.axis(c.intAttr("axis", 0), shape.size());
  if (failed(axis))
    return failure();
  if (int64_t(condition->size()) > shape[*axis])
    return c.fail("its condition has " + Twine(condition->size()) + " values for a dimension of " +
                  Twine(shape[*axis]));
  for (auto [place, holds] : llvm::enumerate(*condition))
    if (holds)
      indices.push_back(place);
  shape[*axis] = 0;
  c.result(0,
           indices.empty() ? empty(c.b, shape, elementOf(data)) : pick(c.b, data, *axis, indices));
  return success();
}

void dojo::onnx::registerSelection(HandlerRegistry &registry) {
  registry.onOp("TopK", 1, topK(false));
  registry.onOp("TopK", 10, topK(true));
  registry.onOp("Compress", 9, lowerCompress);
}
