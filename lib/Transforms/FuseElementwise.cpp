//===- FuseElementwise.cpp - --dojo-fuse-elementwise ----------------------===//
#include "dojo/Transforms/Contraction.h"
#include "dojo/Transforms/Passes.h"
#include "dojo/Transforms/Weights.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace dojo {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "dojo/Transforms/Passes.h.inc"
} // namespace dojo

using namespace mlir;
using namespace dojo;

namespace {

bool isCheap(Operation &op) {
  return isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::NegFOp, arith::MaximumFOp,
             arith::MinimumFOp, arith::ExtFOp, arith::TruncFOp, arith::AddIOp, arith::SubIOp>(op);
}

/// At most one inexpensive operation per element.
bool isCheap(linalg::GenericOp op) {
  auto body = op.getBody()->without_terminator();
  return llvm::hasNItemsOrLess(body, 1) &&
         llvm::all_of(body, [](Operation &o) { return isCheap(o); });
}

bool isPlainMap(Operation *op) {
  auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
  return generic && generic.hasPureTensorSemantics() && generic.getNumDpsInits() == 1 &&
         isPointwise(generic);
}

/// May take producers in: a map or a reduction without a window that is not a
/// contraction.
bool canAbsorb(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && generic.hasPureTensorSemantics() && !isContraction(generic) &&
         !isLookup(generic) && isWindowless(generic);
}

/// Each element of the producer is computed more than once in the consumer.
bool repeats(OpOperand &operand) {
  auto consumer = cast<linalg::GenericOp>(operand.getOwner());
  auto producer = operand.get().getDefiningOp<linalg::GenericOp>();
  int64_t points = 1, elements = cast<ShapedType>(producer.getResult(0).getType()).getNumElements();
  for (int64_t range : consumer.getStaticLoopRanges())
    points *= range;
  return points > elements;
}

unsigned tensorsRead(OpOperand &operand) {
  auto consumer = cast<linalg::GenericOp>(operand.getOwner());
  auto producer = operand.get().getDefiningOp<linalg::GenericOp>();
  llvm::SmallDenseSet<Value> read;
  read.insert(consumer.getInputs().begin(), consumer.getInputs().end());
  read.erase(operand.get());
  read.insert(producer.getInputs().begin(), producer.getInputs().end());
  return read.size();
}

/// Work on weights alone must stay apart from work on data.
bool keepsWeightsApart(OpOperand &operand) {
  Operation *producer = operand.get().getDefiningOp();
  Origins origins;
  if (origins.of(operand.get()) != Origin::Weight || isBroadcast(producer))
    return true;
  return origins.of(operand.getOwner()->getResult(0)) == Origin::Weight;
}

/// What stands in front of a loop is not computed in each of its steps.
bool isInOneBlock(OpOperand &operand) {
  return operand.get().getParentBlock() == operand.getOwner()->getBlock();
}

bool isFusable(OpOperand &operand) {
  return isPlainMap(operand.get().getDefiningOp()) && isInOneBlock(operand) &&
         canAbsorb(operand.getOwner()) && linalg::areElementwiseOpsFusable(&operand) &&
         keepsWeightsApart(operand);
}

bool shouldFuse(OpOperand &operand, unsigned maxOperands) {
  if (!operand.get().hasOneUse() || !isFusable(operand) || tensorsRead(operand) > maxOperands)
    return false;
  return !repeats(operand) || isCheap(operand.get().getDefiningOp<linalg::GenericOp>());
}

/// Gives every use of a cheap map its own copy when all of them can take it.
void copyCheapProducers(func::FuncOp function) {
  SmallVector<linalg::GenericOp> maps;
  function.walk([&](linalg::GenericOp op) {
    if (isPlainMap(op) && isCheap(op))
      maps.push_back(op);
  });
  for (linalg::GenericOp op : llvm::reverse(maps)) {
    Value result = op.getResult(0);
    if (result.hasOneUse() ||
        !llvm::all_of(result.getUses(), [](OpOperand &use) { return isFusable(use); }))
      continue;
    for (OpOperand &use : llvm::make_early_inc_range(llvm::drop_begin(result.getUses()))) {
      OpBuilder builder(use.getOwner());
      use.set(builder.clone(*op)->getResult(0));
    }
  }
}

/// Elementwise named ops become generics; those that only move data do not.
void generalizeMaps(func::FuncOp function) {
  SmallVector<linalg::LinalgOp> named;
  function.walk([&](linalg::LinalgOp op) {
    if (!isa<linalg::GenericOp, linalg::TransposeOp, linalg::FillOp, linalg::CopyOp>(op) &&
        op.hasPureTensorSemantics() && isPointwise(op))
      named.push_back(op);
  });
  IRRewriter rewriter(function.getContext());
  for (linalg::LinalgOp op : named) {
    rewriter.setInsertionPoint(op);
    (void)linalg::generalizeNamedOp(rewriter, op);
  }
}

/// For each dimension of `type`, whether it is one of the unit dimensions that
/// the reshape adds; or nothing if the reshape does more than add unit dimensions.
std::optional<SmallVector<bool>> addedUnits(ArrayRef<ReassociationIndices> groups,
                                            RankedTensorType expanded) {
  SmallVector<bool> added(expanded.getRank(), true);
  for (const ReassociationIndices &group : groups) {
    int64_t kept = -1;
    for (int64_t dim : group)
      if (expanded.getDimSize(dim) != 1 && kept >= 0)
        return std::nullopt;
      else if (expanded.getDimSize(dim) != 1)
        kept = dim;
    if (kept < 0)
      kept = group.front();
    added[kept] = false;
  }
  return added;
}

/// A generic that reads a reshape which only adds or drops unit dimensions reads
/// the source of the reshape through another map.
struct ReadThroughUnitReshape : OpRewritePattern<linalg::GenericOp> {
  ReadThroughUnitReshape(MLIRContext *context, bool collapses)
      : OpRewritePattern(context), collapses(collapses) {}

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!canAbsorb(op))
      return failure();
    for (OpOperand *input : op.getDpsInputOperands())
      if (succeeded(readThrough(op, *input, rewriter)))
        return success();
    return failure();
  }

  LogicalResult readThrough(linalg::GenericOp op, OpOperand &input,
                            PatternRewriter &rewriter) const {
    Operation *reshape = input.get().getDefiningOp();
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    AffineMap &map = maps[input.getOperandNumber()];
    SmallVector<AffineExpr> results;
    if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(reshape)) {
      auto added = addedUnits(expand.getReassociationIndices(), expand.getResultType());
      if (!added)
        return failure();
      for (auto [result, unit] : llvm::zip_equal(map.getResults(), *added))
        if (!unit)
          results.push_back(result);
    } else if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(reshape);
               collapse && collapses) {
      auto dropped = addedUnits(collapse.getReassociationIndices(), collapse.getSrcType());
      if (!dropped)
        return failure();
      auto next = map.getResults().begin();
      for (bool unit : *dropped)
        results.push_back(unit ? rewriter.getAffineConstantExpr(0) : *next++);
    } else {
      return failure();
    }
    map = AffineMap::get(map.getNumDims(), 0, results, op.getContext());
    if (!inversePermutation(concatAffineMaps(maps, op.getContext())))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      input.set(reshape->getOperand(0));
      op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    });
    return success();
  }

  bool collapses;
};

/// x . w + broadcast(b)  ->  (x . w + 0) + broadcast(b): the broadcast fuses
/// into what follows and never fills an accumulator.
struct AddBroadcastAfterContraction : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || !isContraction(op))
      return failure();
    Value init = op.getDpsInits()[0];
    if (!init.getDefiningOp() || isa<linalg::FillOp>(init.getDefiningOp()) ||
        !isBroadcast(init.getDefiningOp()))
      return failure();
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(init.getType());
    Value empty = tensor::EmptyOp::create(rewriter, loc, type.getShape(), type.getElementType());
    Value zero =
        arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(type.getElementType()));
    Value zeros = linalg::FillOp::create(rewriter, loc, zero, empty).getResult(0);
    rewriter.modifyOpInPlace(op, [&] { op.getDpsInitsMutable()[0].set(zeros); });
    rewriter.setInsertionPointAfter(op);
    SmallVector<AffineMap> maps(3, rewriter.getMultiDimIdentityMap(type.getRank()));
    SmallVector<utils::IteratorType> parallel(type.getRank(), utils::IteratorType::parallel);
    auto sum = linalg::GenericOp::create(
        rewriter, loc, type, ValueRange{op->getResult(0), init}, empty, maps, parallel,
        [](OpBuilder &body, Location at, ValueRange arguments) {
          Value add = arith::AddFOp::create(body, at, arguments[0], arguments[1]);
          linalg::YieldOp::create(body, at, add);
        });
    rewriter.replaceAllUsesExcept(op->getResult(0), sum.getResult(0), sum);
    return success();
  }
};

/// Whether moving the reshape at `operand` brings two maps together: the
/// operation on its other side is a map as well.
bool separatesMaps(OpOperand *operand) {
  Operation *producer = operand->get().getDefiningOp(), *consumer = operand->getOwner();
  if (!producer || !operand->get().hasOneUse())
    return false;
  if (isa<tensor::CollapseShapeOp>(producer))
    return isPlainMap(consumer) && isPlainMap(producer->getOperand(0).getDefiningOp()) &&
           producer->getOperand(0).hasOneUse();
  if (isa<tensor::ExpandShapeOp>(consumer) && isPlainMap(producer)) {
    Value expanded = consumer->getResult(0);
    return expanded.hasOneUse() && canAbsorb(*expanded.user_begin());
  }
  return false;
}

struct FuseElementwise : dojo::impl::FuseElementwiseBase<FuseElementwise> {
  using FuseElementwiseBase::FuseElementwiseBase;

  void runOnOperation() override {
    generalizeMaps(getOperation());
    if (failed(run(/*fuse=*/false, /*readCollapses=*/false)))
      return signalPassFailure();
    copyCheapProducers(getOperation());
    // The constant index that reads a dropped dimension keeps a map out of
    // reductions, so those come first.
    if (failed(run(/*fuse=*/true, /*readCollapses=*/false)) ||
        failed(run(/*fuse=*/true, /*readCollapses=*/true)))
      signalPassFailure();
  }

  LogicalResult run(bool fuse, bool readCollapses) {
    RewritePatternSet patterns(&getContext());
    patterns.add<ReadThroughUnitReshape>(&getContext(), readCollapses);
    patterns.add<AddBroadcastAfterContraction>(&getContext());
    linalg::populateFoldReshapeOpsByExpansionPatterns(patterns, separatesMaps);
    linalg::populateElementwiseOpsFusionPatterns(
        patterns, [&](OpOperand *operand) { return fuse && shouldFuse(*operand, maxOperands); });
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    return applyPatternsGreedily(getOperation(), std::move(patterns));
  }
};

} // namespace
