//===- ExpandCollectives.cpp - collectives as moves and computation -------===//
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace dojo::ir {
#define GEN_PASS_DEF_EXPANDCOLLECTIVES
#include "dojo/Dialect/Dojo/Transforms/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

/// Padding of the destination is zero, so that computing on it is harmless.
static Value moveTo(OpBuilder &builder, Location loc, Value source, RankedTensorType type) {
  Move move = Move::relayout(layoutOf(source.getType()), layoutOf(type), 1);
  Value empty = move.leavesGaps()
                    ? createFilled(builder, loc, type, builder.getZeroAttr(type.getElementType()))
                    : Value(EmptyOp::create(builder, loc, type));
  auto map = AffineMap::getMultiDimIdentityMap(type.getRank(), builder.getContext());
  return MoveOp::create(builder, loc, type, source, empty, Value{}, map, StringAttr{}).getResult();
}

/// The result's layout under a leading dimension of `count` partial results, all of
/// them on each node.
static Layout gatheredLayout(const Layout &result, int64_t count) {
  Layout layout = result;
  layout.dims.insert(layout.dims.begin(), {count, count, 0, count, count});
  for (unsigned &d : layout.order)
    ++d;
  layout.order.insert(layout.order.begin(), 0);
  for (Layout::AxisUse &use : layout.axes)
    for (Layout::Digit &digit : use.digits)
      if (!digit.repeats())
        ++digit.dim;
  return layout;
}

static void expandReduce(ReduceOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  RankedTensorType source = op.getSource().getType(), result = op.getType();
  Layout layout = layoutOf(result);
  Value gathered = moveTo(builder, loc, op.getSource(),
                          withLayout(source, gatheredLayout(layout, source.getDimSize(0))));
  Value dest = EmptyOp::create(builder, loc, result);
  auto compute = ComputeOp::create(builder, loc, TypeRange{result}, ValueRange{gathered},
                                   ValueRange{dest}, DictionaryAttr{});
  Block *body = builder.createBlock(
      &compute.getBody(), {},
      {localTensor(cast<RankedTensorType>(gathered.getType())), localTensor(result)}, {loc, loc});
  Operation *combiner = op.getCombiner().front().getTerminator()->getOperand(0).getDefiningOp();
  Value neutral = arith::ConstantOp::create(builder, loc, *arith::getNeutralElement(combiner));
  Value init = linalg::FillOp::create(builder, loc, neutral, body->getArgument(1)).getResult(0);
  auto combine = [&](OpBuilder &b, Location l, ValueRange args) {
    IRMapping map;
    map.map(op.getCombiner().front().getArguments(), args);
    Value combined = b.clone(*combiner, map)->getResult(0);
    linalg::YieldOp::create(b, l, combined);
  };
  auto reduced = linalg::ReduceOp::create(builder, loc, ValueRange{body->getArgument(0)},
                                          ValueRange{init}, ArrayRef<int64_t>{0}, combine);
  YieldOp::create(builder, loc, reduced.getResults());
  op.replaceAllUsesWith(compute.getResult(0));
  op.erase();
}

namespace {

struct ExpandCollectivesPass : ir::impl::ExpandCollectivesBase<ExpandCollectivesPass> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (auto reduce = dyn_cast<ReduceOp>(op))
        return expandReduce(reduce);
      if (!isa<BroadcastOp, AllGatherOp>(op))
        return;
      OpBuilder builder(op);
      auto type = cast<RankedTensorType>(op->getResult(0).getType());
      op->getResult(0).replaceAllUsesWith(moveTo(builder, op->getLoc(), op->getOperand(0), type));
      op->erase();
    });
  }
};

} // namespace
