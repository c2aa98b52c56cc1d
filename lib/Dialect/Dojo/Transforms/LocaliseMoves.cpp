//===- LocaliseMoves.cpp - element by element within the nodes ------------===//
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Dialect/Dojo/Transforms/Liveness.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "dojo/Layout/LocalCopy.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace dojo::ir {
#define GEN_PASS_DEF_LOCALISEMOVES
#include "dojo/Dialect/Dojo/Transforms/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

/// The piece of a node.
static MemRefType pieceOf(RankedTensorType spread) {
  RankedTensorType local = localTensor(spread);
  return MemRefType::get(
      local.getShape(), local.getElementType(),
      StridedLayoutAttr::get(spread.getContext(), 0, layoutOf(spread).strides()));
}

static Value viewOf(OpBuilder &builder, Location loc, Value piece, ArrayRef<int64_t> first,
                    ArrayRef<int64_t> count, ArrayRef<int64_t> step) {
  bool isWhole = llvm::equal(cast<MemRefType>(piece.getType()).getShape(), count);
  return isWhole ? piece : memref::SubViewOp::create(builder, loc, piece, first, count, step);
}

/// Fills `body`, whose arguments are the pieces, with the copy.
static void emitCopy(OpBuilder &builder, Location loc, Block &body, const Move &move,
                     const LocalCopy &copy) {
  SmallVector<int64_t> count, step;
  SmallVector<AffineExpr> exprs;
  for (const Move::Term &term : move.map) {
    bool varies = term.dstDim >= 0;
    count.push_back(varies ? copy.count[term.dstDim] : 1);
    step.push_back(varies ? term.coefficient : 1);
    exprs.push_back(varies ? builder.getAffineDimExpr(term.dstDim)
                           : builder.getAffineConstantExpr(0));
  }
  SmallVector<int64_t> ones(move.dst.rank(), 1);
  Value from = viewOf(builder, loc, body.getArgument(0), copy.sourceFirst, count, step);
  Value to = viewOf(builder, loc, body.getArgument(1), copy.first, copy.count, ones);
  SmallVector<AffineMap> maps{
      AffineMap::get(move.dst.rank(), 0, exprs, builder.getContext()),
      AffineMap::getMultiDimIdentityMap(move.dst.rank(), builder.getContext())};
  SmallVector<utils::IteratorType> iterators(move.dst.rank(), utils::IteratorType::parallel);
  linalg::GenericOp::create(builder, loc, from, to, maps, iterators,
                            [](OpBuilder &inside, Location at, ValueRange elements) {
                              linalg::YieldOp::create(inside, at, elements.front());
                            });
  YieldOp::create(builder, loc, ValueRange{});
}

/// Element types that kernels copy.
static bool hasLanes(Type element) {
  return element.isF32() || element.isBF16() || element.isInteger(32) || element.isInteger(16) ||
         element.isInteger(8) || element.isInteger(1);
}

static void localise(MoveOp op, const Coords &grid) {
  if (op.readsDram() || op.writesDram() || op.getSymbol() ||
      memoryOf(op.getSource()) == memoryOf(op.getDest()) ||
      !hasLanes(op.getDestTensor().getElementType()))
    return;
  Move move = op.getMove();
  std::optional<LocalCopy> copy = localCopyOf(move, grid);
  if (!copy || runOf(move, *copy) > 1)
    return;
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto compute =
      ComputeOp::create(builder, loc, TypeRange{}, op.getSource(), op.getDest(), DictionaryAttr{});
  Block *body =
      builder.createBlock(&compute.getBody(), {},
                          {pieceOf(op.getSourceTensor()), pieceOf(op.getDestTensor())}, {loc, loc});
  emitCopy(builder, loc, *body, move, *copy);
  op.erase();
}

namespace {

struct LocaliseMovesPass : ir::impl::LocaliseMovesBase<LocaliseMovesPass> {
  void runOnOperation() override {
    FailureOr<Target> target = Target::of(getOperation());
    if (failed(target))
      return signalPassFailure();
    SmallVector<MoveOp> moves;
    getOperation().walk([&](MoveOp move) { moves.push_back(move); });
    for (MoveOp move : moves)
      localise(move, target->grid);
  }
};

} // namespace
