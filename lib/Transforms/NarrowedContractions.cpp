//===- NarrowedContractions.cpp - which contractions read bf16 ------------===//
#include "NarrowedContractions.h"
#include "dojo/Transforms/Contraction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dojo;

/// Whether each input has a parallel iterator of its own: rows and columns.
static bool hasRowsAndColumns(linalg::LinalgOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  bool rows = false, columns = false;
  for (auto [i, type] : llvm::enumerate(op.getIteratorTypesArray())) {
    bool first = maps[0].isFunctionOfDim(i), second = maps[1].isFunctionOfDim(i);
    rows |= type == utils::IteratorType::parallel && first && !second;
    columns |= type == utils::IteratorType::parallel && second && !first;
  }
  return rows && columns;
}

/// Whether the op reads each element of the operand for many of its points.
static bool repeats(linalg::LinalgOp op, OpOperand &use) {
  AffineMap map = op.getMatchingIndexingMap(&use);
  return llvm::any_of(llvm::enumerate(op.getStaticLoopRanges()), [&](auto loop) {
    return loop.value() != 1 && !map.isFunctionOfDim(loop.index());
  });
}

/// Whether the body multiplies, or divides, what follows from the argument and what does not.
static bool isMultiplied(BlockArgument argument) {
  llvm::SmallPtrSet<Value, 8> derived{argument};
  for (Operation &op : *argument.getOwner()) {
    auto isDerived = [&](Value value) { return derived.contains(value); };
    auto isData = [&](Value value) {
      return !isDerived(value) && value.getParentBlock() == argument.getOwner();
    };
    if (llvm::none_of(op.getOperands(), isDerived))
      continue;
    if (isa<arith::MulFOp, arith::DivFOp>(op) && llvm::any_of(op.getOperands(), isData))
      return true;
    derived.insert(op.result_begin(), op.result_end());
  }
  return false;
}

bool NarrowedContractions::isFactor(Value value) {
  auto [known, isNew] = factors.try_emplace(value, false);
  if (!isNew)
    return known->second;
  bool found = llvm::any_of(value.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, linalg::TransposeOp>(user))
      return isFactor(user->getResult(0));
    auto map = dyn_cast<linalg::LinalgOp>(user);
    if (!map || !isPointwise(map))
      return false;
    if (repeats(map, use))
      return isMultiplied(map.getMatchingBlockArgument(&use));
    return llvm::any_of(user->getResults(), [&](Value result) { return isFactor(result); });
  });
  return factors[value] = found;
}

bool NarrowedContractions::contains(linalg::LinalgOp op) {
  return isContraction(op) && op.hasPureTensorSemantics() && hasRowsAndColumns(op) &&
         !isFactor(op->getResult(0));
}
