//===- Recompute.cpp - values that need not be kept -----------------------===//
#include "Allocation.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace dojo::d1 {

bool isRecomputable(Operation *op) {
  if (!op)
    return false;
  if (llvm::isa<LI, COORD, VIOTA, MZERO>(op))
    return true;
  return llvm::isa<LIS, SHLI, VSPLAT>(op) && isRecomputable(op->getOperand(0).getDefiningOp());
}

Value recompute(OpBuilder &builder, Operation *op) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(recompute(builder, operand.getDefiningOp()));
  Operation *copy = builder.clone(*op);
  copy->setOperands(operands);
  return copy->getResult(0);
}

void recomputeAtUses(Operation *op, DenseSet<Operation *> &made) {
  SmallVector<Operation *> users;
  for (Operation *user : op->getUsers())
    if (users.empty() || users.back() != user)
      users.push_back(user);
  for (Operation *user : users) {
    OpBuilder builder(user);
    Value fresh = recompute(builder, op);
    for (Operation *part = fresh.getDefiningOp(); part;) {
      made.insert(part);
      part = part->getNumOperands() ? part->getOperand(0).getDefiningOp() : nullptr;
    }
    user->replaceUsesOfWith(op->getResult(0), fresh);
  }
  while (op && op->use_empty()) {
    Operation *source = op->getNumOperands() ? op->getOperand(0).getDefiningOp() : nullptr;
    op->erase();
    op = source;
  }
}

} // namespace dojo::d1
