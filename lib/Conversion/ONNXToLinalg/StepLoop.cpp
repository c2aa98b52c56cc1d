//===- StepLoop.cpp - loops that handlers build ---------------------------===//
#include "StepLoop.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace dojo::onnx;

StepLoop::StepLoop(ImplicitLocOpBuilder &b, int64_t count, ValueRange inits)
    : b(b), behind(b.saveInsertionPoint()), count(count) {
  auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(b, value); };
  loop = scf::ForOp::create(b, index(0), index(count), index(1), inits);
  loop.getBody()->clear();
  b.setInsertionPointToEnd(loop.getBody());
}

Value StepLoop::position(OpBuilder &at, bool reversed) {
  Value step = loop.getInductionVar();
  if (!reversed)
    return step;
  AffineExpr last = at.getAffineConstantExpr(count - 1) - at.getAffineDimExpr(0);
  return affine::AffineApplyOp::create(at, loop.getLoc(), AffineMap::get(1, 0, last),
                                       ValueRange{step});
}

/// Offsets, sizes and strides of one place of dimension `axis` of a tensor of this shape.
namespace {
struct Place {
  SmallVector<OpFoldResult> offsets, sizes, strides;

  Place(Builder &b, ArrayRef<int64_t> shape, int64_t axis, Value position)
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
