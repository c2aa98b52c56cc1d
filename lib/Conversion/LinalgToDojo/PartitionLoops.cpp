//===- PartitionLoops.cpp - loops as repeats ------------------------------===//
#include "Loops.h"
#include "Partitioner.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

/// Whether the value is what a loop carries with a slice inserted, and nothing else reads what it
/// carries: then it is updated in place.
static bool isInPlace(Value value) {
  auto op = value.getDefiningOp<tensor::InsertSliceOp>();
  auto argument = op ? dyn_cast<BlockArgument>(op.getDest()) : BlockArgument{};
  auto loop = argument ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()) : scf::ForOp{};
  return loop && argument.hasOneUse() && value.hasOneUse() && argument != loop.getInductionVar() &&
         loop.getTiedLoopYieldedValue(argument)->get() == value;
}

/// Index i of the whole is index i - offset of the slice.
LogicalResult FunctionPartitioner::convertInsertion(tensor::InsertSliceOp op) {
  MLIRContext *context = op.getContext();
  SmallVector<AffineExpr> exprs;
  Value step;
  for (auto [d, mixed] : llvm::enumerate(op.getMixedOffsets())) {
    std::optional<StepOffset> offset = stepOffsetOf(mixed, context);
    if (!offset || (offset->step && step && offset->step != step))
      return op.emitOpError("inserts at an offset that is not linear in the step of one loop");
    step = offset->step ? offset->step : step;
    exprs.push_back(builder.getAffineDimExpr(d) - offset->expr);
  }
  if (llvm::any_of(op.getStaticStrides(), [](int64_t stride) { return stride != 1; }))
    return op.emitOpError("inserts with strides; expected neighbouring elements");
  auto type = op.getDestType();
  FailureOr<Value> place =
      isInPlace(op.getResult())
          ? spreader.anywhere(op.getDest())
          : spreader.copy(op.getDest(), {restingLayout(type.getShape(), state.grid),
                                         SmallVector<int64_t>(type.getShape()),
                                         false,
                                         {},
                                         {}});
  FailureOr<Value> slice = spreader.anywhere(op.getSource());
  if (failed(place) || failed(slice))
    return failure();
  if (llvm::SmallBitVector dropped = op.getDroppedDims(); dropped.any()) {
    Layout wide = withUnits(layoutOf(slice->getType()), dropped);
    auto whole = RankedTensorType::get(op.getStaticSizes(), type.getElementType());
    slice = Value(ReshapeOp::create(builder, op.getLoc(), withLayout(whole, wide), *slice));
  }
  auto map = AffineMap::get(type.getRank(), step ? 1 : 0, exprs, context);
  spreader.define(op.getResult(),
                  MoveOp::create(builder, op.getLoc(), place->getType(), *slice, *place,
                                 step ? spreader.stepOf(step) : Value{}, map, StringAttr{})
                      .getResult());
  return success();
}

/// Memory for each carried tensor, with its initial value.
FailureOr<SmallVector<Value>> FunctionPartitioner::placesOf(scf::ForOp loop) {
  SmallVector<Value> places;
  for (auto [i, init] : llvm::enumerate(loop.getInitArgs())) {
    auto type = dyn_cast<RankedTensorType>(init.getType());
    if (!type)
      return loop.emitOpError("carries a value of type ") << init.getType() << ", expected tensors";
    Request request{
        carriedLayout(loop, i, state.grid), SmallVector<int64_t>(type.getShape()), false, {}, {}};
    bool isUndefined = init.getDefiningOp<tensor::EmptyOp>() != nullptr;
    bool hasPadding = Move::relayout(request.layout, request.layout, 1).leavesGaps();
    FailureOr<Value> place = isUndefined && hasPadding
                                 ? FailureOr<Value>(createFilled(
                                       builder, loop.getLoc(), withLayout(type, request.layout),
                                       builder.getZeroAttr(type.getElementType())))
                                 : spreader.copy(init, request);
    if (failed(place))
      return failure();
    places.push_back(*place);
  }
  return places;
}

/// Whether a value of the body is one of the carried memories, under whatever shape.
static bool liesIn(Value held, Block *body) {
  while (auto reshape = held.getDefiningOp<ReshapeOp>())
    held = reshape.getSource();
  auto argument = dyn_cast<BlockArgument>(held);
  return argument && argument.getOwner() == body;
}

/// Moves what the body yields into the carried memories. All that lies in one of them is copied
/// away before the first is overwritten.
FailureOr<SmallVector<Value>> FunctionPartitioner::yieldInto(scf::ForOp loop, ValueRange places) {
  auto move = [&](Value from, Value to) {
    auto map = builder.getMultiDimIdentityMap(cast<RankedTensorType>(to.getType()).getRank());
    return MoveOp::create(builder, loop.getLoc(), to.getType(), from, to, Value{}, map,
                          StringAttr{})
        .getResult();
  };
  SmallVector<Value> results;
  for (auto [value, place] : llvm::zip(loop.getYieldedValues(), places)) {
    FailureOr<Value> held = spreader.anywhere(value);
    if (failed(held))
      return failure();
    if (*held != place && liesIn(*held, builder.getBlock()))
      held = move(*held, EmptyOp::create(builder, loop.getLoc(), held->getType()));
    results.push_back(*held);
  }
  for (auto [value, place, result] : llvm::zip(loop.getYieldedValues(), places, results))
    if (result != place && !isInPlace(value))
      result = move(result, place);
  return results;
}

LogicalResult FunctionPartitioner::convertLoop(scf::ForOp loop) {
  std::optional<int64_t> count = tripCountOf(loop);
  if (!count)
    return loop.emitOpError("needs constant bounds: from 0 to at least 1 in steps of 1");
  FailureOr<SmallVector<Value>> places = placesOf(loop);
  if (failed(places))
    return failure();
  auto repeat = RepeatOp::create(builder, loop.getLoc(), ValueRange(*places).getTypes(), *count,
                                 *places, /*slots=*/1);
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&repeat.getBody());
  body->addArgument(builder.getIndexType(), loop.getLoc());
  for (auto [argument, place] : llvm::zip(loop.getRegionIterArgs(), *places))
    spreader.define(argument, body->addArgument(place.getType(), loop.getLoc()));
  spreader.enterLoop(loop, repeat);
  for (Operation &op : loop.getBody()->without_terminator())
    if (failed(convert(op)))
      return failure();
  FailureOr<SmallVector<Value>> results = yieldInto(loop, body->getArguments().drop_front());
  spreader.leaveLoop();
  if (failed(results))
    return failure();
  YieldOp::create(builder, loop.getLoc(), *results);
  for (auto [result, value] : llvm::zip(loop.getResults(), repeat.getResults()))
    spreader.define(result, value);
  return success();
}
