//===- Contraction.cpp - what counts as a contraction, a map, ... ---------===//
#include "dojo/Transforms/Contraction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

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

bool dojo::usesMatrixUnit(linalg::LinalgOp op) {
  return isContraction(op) && llvm::all_of(op.getDpsInputOperands(), [](OpOperand *operand) {
           return cast<RankedTensorType>(operand->get().getType()).getElementType().isBF16();
         });
}

/// The maps of a lookup: r alone in the rows' numbers, once in the table, nowhere else.
static bool hasLookupMaps(linalg::LinalgOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  AffineMap rows = maps[1];
  if (rows.getNumResults() != 1 || !isa<AffineDimExpr>(rows.getResult(0)))
    return false;
  unsigned r = cast<AffineDimExpr>(rows.getResult(0)).getPosition();
  return op.getIteratorTypesArray()[r] == utils::IteratorType::reduction &&
         !maps[0].isFunctionOfDim(r) && !maps[3].isFunctionOfDim(r) &&
         llvm::is_contained(maps[2].getResults(), rows.getResult(0)) &&
         llvm::all_of(maps, [](AffineMap map) { return map.isProjectedPermutation(); });
}

bool dojo::isLookup(linalg::LinalgOp op) {
  if (!op->hasAttr(lookupAttrName) || op.getNumDpsInputs() != 3 || op.getNumReductionLoops() != 1)
    return false;
  Value yielded = onlyYield(op);
  Operation *add = yielded ? yielded.getDefiningOp() : nullptr;
  if (!isa_and_nonnull<arith::AddFOp, arith::AddIOp>(add))
    return false;
  Block *body = op.getBlock();
  auto select = add->getOperand(0).getDefiningOp<arith::SelectOp>();
  auto equal = select ? select.getCondition().getDefiningOp<arith::CmpIOp>() : nullptr;
  return equal && equal.getPredicate() == arith::CmpIPredicate::eq &&
         add->getOperand(1) == body->getArgument(3) && equal.getLhs() == body->getArgument(0) &&
         equal.getRhs() == body->getArgument(1) && equal.getLhs().getType().isInteger(32) &&
         select.getTrueValue() == body->getArgument(2) &&
         (matchPattern(select.getFalseValue(), m_AnyZeroFloat()) ||
          matchPattern(select.getFalseValue(), m_Zero())) &&
         hasLookupMaps(op);
}

bool dojo::addsNothingForZeros(linalg::LinalgOp op) { return isContraction(op) || isLookup(op); }

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
