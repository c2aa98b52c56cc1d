//===- Contraction.cpp - what counts as a contraction, a map, ... ---------===//
#include "dojo/Transforms/Contraction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace {

/// The block argument behind widening casts, or null.
BlockArgument widenedArgument(Value value) {
  while (auto cast = value.getDefiningOp<arith::ExtFOp>())
    value = cast.getIn();
  return dyn_cast<BlockArgument>(value);
}

Value onlyYield(linalg::LinalgOp op) {
  if (op.getNumDpsInits() != 1)
    return {};
  return op.getBlock()->getTerminator()->getOperand(0);
}

} // namespace

bool dojo::isContraction(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumReductionLoops() == 0)
    return false;
  Value yielded = onlyYield(op);
  auto add = yielded ? yielded.getDefiningOp<arith::AddFOp>() : nullptr;
  if (!add)
    return false;
  Block *body = op.getBlock();
  Value accumulator = body->getArgument(2);
  if (add.getLhs() != accumulator && add.getRhs() != accumulator)
    return false;
  Value term = add.getLhs() == accumulator ? add.getRhs() : add.getLhs();
  auto mul = term.getDefiningOp<arith::MulFOp>();
  if (!mul)
    return false;
  BlockArgument lhs = widenedArgument(mul.getLhs()), rhs = widenedArgument(mul.getRhs());
  if (!lhs || !rhs || lhs == rhs || lhs == accumulator || rhs == accumulator)
    return false;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  return maps[0] != maps[1];
}

bool dojo::isMaxReduction(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0)
    return false;
  Value yielded = onlyYield(op);
  Operation *max = yielded ? yielded.getDefiningOp() : nullptr;
  if (!isa_and_nonnull<arith::MaximumFOp, arith::MaxNumFOp>(max))
    return false;
  Value input = op.getBlock()->getArgument(0);
  Value accumulator = op.getBlock()->getArguments().back();
  return (max->getOperand(0) == input && max->getOperand(1) == accumulator) ||
         (max->getOperand(1) == input && max->getOperand(0) == accumulator);
}

bool dojo::isWindowless(linalg::LinalgOp op) {
  return llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) {
    return map.isProjectedPermutation(/*allowZeroInResults=*/true);
  });
}

bool dojo::isPointwise(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() != 0 || op.getNumParallelLoops() != op.getNumLoops())
    return false;
  return isWindowless(op) && llvm::none_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
           return op.payloadUsesValueFromOperand(&init);
         });
}
