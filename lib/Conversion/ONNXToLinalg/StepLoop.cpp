//===- StepLoop.cpp - loops that handlers build ---------------------------===//
#include "StepLoop.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace dojo::onnx;

/// The place base + slope * step of a dimension, `step` being the induction variable of a loop.
static OpFoldResult placeByStep(OpBuilder &b, Location loc, Value step, int64_t base,
                                int64_t slope) {
  if (slope == 0)
    return b.getIndexAttr(base);
  if (base == 0 && slope == 1)
    return step;
  AffineExpr place = b.getAffineDimExpr(0) * slope + base;
  return affine::AffineApplyOp::create(b, loc, AffineMap::get(1, 0, place), ValueRange{step})
      .getResult();
}

std::optional<OpFoldResult> dojo::onnx::runByStep(OpBuilder &b, Location loc, const ByStep &start,
                                                  unsigned i, int64_t size, int64_t extent) {
  int64_t first = start.base[i], slope = start.slope[i];
  auto inside = [&](int64_t x) { return x >= -extent && x <= extent; };
  if (!inside(first) || !inside(slope) || (slope && !inside(start.count)))
    return std::nullopt;
  int64_t last = first + slope * (start.count - 1), from = first < 0 && last < 0 ? extent : 0;
  if (size < 1 || std::min(first, last) + from < 0 || std::max(first, last) + from > extent - size)
    return std::nullopt;
  return placeByStep(b, loc, start.step, first + from, slope);
}

StepLoop::StepLoop(ImplicitLocOpBuilder &b, int64_t count, ValueRange inits)
    : b(b), behind(b.saveInsertionPoint()), count(count) {
  auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(b, value); };
  loop = scf::ForOp::create(b, index(0), index(count), index(1), inits);
  loop.getBody()->clear();
  b.setInsertionPointToEnd(loop.getBody());
}

OpFoldResult StepLoop::position(OpBuilder &at, bool reversed) {
  return placeByStep(at, loop.getLoc(), step(), reversed ? count - 1 : 0, reversed ? -1 : 1);
}

/// Offsets, sizes and strides of one place of dimension `axis` of a tensor of this shape.
namespace {
struct Place {
  SmallVector<OpFoldResult> offsets, sizes, strides;

  Place(Builder &b, ArrayRef<int64_t> shape, int64_t axis, OpFoldResult position)
      : offsets(shape.size(), b.getIndexAttr(0)),
        sizes(getAsIndexOpFoldResult(b.getContext(), shape)),
        strides(shape.size(), b.getIndexAttr(1)) {
    offsets[axis] = position;
    sizes[axis] = b.getIndexAttr(1);
  }
};
} // namespace

Value StepLoop::slice(Value tensor, int64_t axis, bool reversed) {
  Shape shape = shapeOf(tensor), rest(shape);
  rest.erase(rest.begin() + axis);
  Place place(b, shape, axis, position(b, reversed));
  return tensor::ExtractSliceOp::create(b, RankedTensorType::get(rest, elementOf(tensor)), tensor,
                                        place.offsets, place.sizes, place.strides);
}

SmallVector<Value> StepLoop::finish(ValueRange next, ArrayRef<Collected> collected) {
  scf::YieldOp::create(b, next);
  b.setInsertionPoint(loop);
  SmallVector<Value> wholes;
  for (const Collected &one : collected) {
    Shape shape = shapeOf(one.value);
    shape.insert(shape.begin() + one.axis, count);
    wholes.push_back(empty(b, shape, elementOf(one.value)));
  }
  b.restoreInsertionPoint(behind);
  if (count == 0) {
    SmallVector<Value> results(loop.getInitArgs());
    results.append(wholes);
    loop.erase();
    return results;
  }
  if (collected.empty())
    return SmallVector<Value>(loop.getResults());
  // What a step collects is known once it stands.
  auto insert = [&](OpBuilder &at, Location loc, ArrayRef<BlockArgument> arguments) {
    SmallVector<Value> grown;
    for (auto [one, whole] : llvm::zip(collected, arguments)) {
      Place place(at, shapeOf(whole), one.axis, position(at, one.reversed));
      grown.push_back(tensor::InsertSliceOp::create(at, loc, one.value, whole, place.offsets,
                                                    place.sizes, place.strides));
    }
    return grown;
  };
  IRRewriter rewriter(b.getContext());
  rewriter.setInsertionPoint(loop);
  auto grown = loop.replaceWithAdditionalYields(rewriter, wholes, false, insert);
  return SmallVector<Value>((*grown)->getResults());
}
