//===- NonMaxSuppression.cpp - boxes that overlap no better one -----------===//
//
// Each step of a loop takes the best box that is left of each class, the first of
// equals, and drops what shares too much with it. Work and memory of a step are linear in
// the number of boxes.
//
//===----------------------------------------------------------------------===//
#include "Selection.h"
#include "StepLoop.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

namespace {

/// Of each box its least and greatest coordinate on both axes, and its area.
enum Side : int64_t { Low = 0, High = 2, Area = 4, Sides = 5 };

class Suppression {
public:
  /// `overlap` is the most that two boxes may share, null for nothing.
  Suppression(ImplicitLocOpBuilder &b, Value sides, Value scores, Value overlap)
      : b(b), sides(sides), scores(scores), overlap(overlap), shape(shapeOf(scores)) {}

  /// The place of the best box of each class among those left, the number of boxes where none is.
  Value choose(Value left);
  /// The boxes left without those chosen and what they suppress.
  Value rest(Value left, Value chosen);

private:
  Value shared(Value mine);
  Value numbers() { return iota(b, shape[2], 2, 3); }

  ImplicitLocOpBuilder &b;
  Value sides, scores, overlap;
  Shape shape; ///< batch x classes x boxes
};

} // namespace

/// Boxes as two opposite corners in any order, or as centre and size: batch x Sides x boxes.
/// Which axis comes first makes no difference.
static Value sidesOf(ImplicitLocOpBuilder &b, Value boxes, bool centred) {
  Shape half = shapeOf(boxes);
  half[2] = 2;
  Value first = slice(b, boxes, {0, 0, 0}, half, {1, 1, 1});
  Value second = slice(b, boxes, {0, 0, 2}, half, {1, 1, 1});
  auto both = [&](ValueRange operands, Body body) {
    return elementwise(b, half, elementOf(boxes), operands, body);
  };
  auto reach = [](Scalars &s, ValueRange v) { return s.mul(v[1], s.constant(v[1], 0.5)); };
  Value low = both({first, second}, [&](Scalars &s, ValueRange v) {
    return centred ? s.sub(v[0], reach(s, v)) : s.min(v[0], v[1]);
  });
  Value high = both({first, second}, [&](Scalars &s, ValueRange v) {
    return centred ? s.add(v[0], reach(s, v)) : s.max(v[0], v[1]);
  });
  Value size = both({high, low}, [](Scalars &s, ValueRange v) { return s.sub(v[0], v[1]); });
  Value area = reduce(b, size, {2}, true, Combine::Mul);
  return transpose(b, concat(b, 2, {low, high, area}), {0, 2, 1});
}

Value Suppression::choose(Value left) {
  Value open =
      elementwise(b, shape, elementOf(scores), {left, scores}, [](Scalars &s, ValueRange v) {
        return s.select(v[0], v[1], s.lowest(v[1].getType()));
      });
  Value best = reduce(b, open, {2}, true, Combine::Max);
  Value places = elementwise(
      b, shape, b.getI32Type(), {left, scores, best, numbers()}, [&](Scalars &s, ValueRange v) {
        Value equal = s.compare(P::eq, v[1], v[2]);
        return s.select(s.make<arith::AndIOp>(v[0], equal), v[3], s.constant(v[3], shape[2]));
      });
  return reduce(b, places, {2}, false, Combine::Min);
}

/// The area that each box shares with the chosen one of each class, whose sides are
/// batch x classes x Sides.
Value Suppression::shared(Value mine) {
  auto own = [&](Side side) {
    return slice(b, mine, {0, 0, side}, {shape[0], shape[1], 2}, {1, 1, 1});
  };
  auto other = [&](Side side) {
    return slice(b, sides, {0, side, 0}, {shape[0], 2, shape[2]}, {1, 1, 1});
  };
  Value one = Scalars(b, b.getLoc()).constant(elementOf(sides), 1);
  return fold(b, 4,
              {{own(Low), {0, 1, 3}},
               {own(High), {0, 1, 3}},
               {other(Low), {0, 3, 2}},
               {other(High), {0, 3, 2}}},
              {filled(b, shape, one), {0, 1, 2}}, [](Scalars &s, ValueRange v) {
                Value length = s.sub(s.min(v[1], v[3]), s.max(v[0], v[2]));
                return s.mul(v[4], s.max(length, s.constant(length, 0)));
              });
}

/// Where no box was chosen its sides are zeros, and nothing shares an area with that.
Value Suppression::rest(Value left, Value chosen) {
  Value mine = fold(b, 4, {{chosen, {0, 1}}, {iota(b, shape[2]), {3}}, {sides, {0, 2, 3}}},
                    {zeros(b, {shape[0], shape[1], Sides}, elementOf(sides)), {0, 1, 2}},
                    [](Scalars &s, ValueRange v) {
                      Value here = s.compare(P::eq, v[0], v[1]);
                      return s.add(v[3], s.select(here, v[2], s.constant(v[2], 0)));
                    });
  SmallVector<Value> operands = {left,
                                 reshape(b, chosen, {shape[0], shape[1], 1}),
                                 numbers(),
                                 shared(mine),
                                 slice(b, mine, {0, 0, Area}, {shape[0], shape[1], 1}, {1, 1, 1}),
                                 slice(b, sides, {0, Area, 0}, {shape[0], 1, shape[2]}, {1, 1, 1})};
  if (overlap)
    operands.push_back(overlap);
  return elementwise(b, shape, b.getI1Type(), operands, [&](Scalars &s, ValueRange v) {
    Value zero = s.constant(v[3], 0), limit = overlap ? v[6] : zero;
    Value part = s.div(v[3], s.sub(s.add(v[4], v[5]), v[3]));
    Value meets =
        s.make<arith::AndIOp>(s.compare(P::sgt, v[3], zero), s.compare(P::sgt, part, limit));
    Value out = s.make<arith::OrIOp>(s.compare(P::eq, v[1], v[2]), meets);
    return s.select(out, s.constant(v[0], 0), v[0]);
  });
}

/// Rows of batch, class and box, for each step of each class that chose one of the boxes.
static void setChosen(NodeContext &c, Value chosen, int64_t boxes) {
  ImplicitLocOpBuilder &b = c.b;
  Shape all = shapeOf(chosen);
  int64_t rows = product(all);
  Value flags = elementwise(b, all, b.getI1Type(), chosen, [&](Scalars &s, ValueRange v) {
    return s.compare(P::slt, v[0], s.constant(v[0], boxes));
  });
  SmallVector<Value> columns;
  for (Value column : {iota(b, all[0], 0, 3), iota(b, all[1], 1, 3), chosen}) {
    Value whole =
        elementwise(b, all, b.getI32Type(), column, [](Scalars &, ValueRange v) { return v[0]; });
    columns.push_back(reshape(b, whole, {rows, 1}));
  }
  Value vector = reshape(b, flags, {rows});
  c.result(0, asInt64(b, compacted(b, concat(b, 1, columns), vector, countBefore(b, vector))),
           b.getI64Type());
  c.limit(0, 0, countAll(b, vector));
}

static LogicalResult lowerNonMaxSuppression(NodeContext &c) {
  enum : unsigned { Boxes, Scores, Most, Overlap, Least };
  ImplicitLocOpBuilder &b = c.b;
  bool centred = c.flagAttr("center_point_box", false);
  FailureOr<int64_t> most = 0;
  if (c.has(Most))
    most = c.needInt(Most, "max_output_boxes_per_class");
  if (failed(most))
    return failure();
  Shape boxes(c.shape(Boxes)), scores(c.shape(Scores));
  if (boxes.size() != 3 || scores.size() != 3 || boxes[0] != scores[0] || boxes[1] != scores[2] ||
      boxes[2] != 4)
    return c.fail("its boxes " + shapeName(boxes) + " do not fit scores " + shapeName(scores));
  for (unsigned i : {Overlap, Least})
    if (c.has(i) && product(c.shape(i)) != 1)
      return c.fail("its operand " + Twine(i) + " of shape " + shapeName(c.shape(i)) +
                    " is no scalar");
  int64_t steps = std::clamp<int64_t>(*most, 0, boxes[1]);
  if (!steps || !product(scores)) {
    c.result(0, empty(b, {0, 3}, b.getI64Type()), b.getI64Type());
    return success();
  }
  auto scalar = [&](unsigned i) { return c.has(i) ? reshape(b, c.value(i), {}) : Value(); };
  SmallVector<Value> limits = {c.value(Scores)};
  if (Value least = scalar(Least))
    limits.push_back(least);
  Value left = elementwise(b, scores, b.getI1Type(), limits, [](Scalars &s, ValueRange v) {
    return v.size() > 1 ? s.compare(P::sgt, v[0], v[1])
                        : s.compare(P::sge, v[0], s.lowest(v[0].getType()));
  });
  Suppression suppression(b, sidesOf(b, c.value(Boxes), centred), c.value(Scores), scalar(Overlap));
  StepLoop loop(b, steps, left);
  Value chosen = suppression.choose(loop.carried()[0]);
  Value next = suppression.rest(loop.carried()[0], chosen);
  setChosen(c, loop.finish(next, StepLoop::Collected{chosen, 2, false})[1], boxes[1]);
  return success();
}

void dojo::onnx::registerNonMaxSuppression(HandlerRegistry &registry) {
  registry.onOp("NonMaxSuppression", 10, lowerNonMaxSuppression);
}
