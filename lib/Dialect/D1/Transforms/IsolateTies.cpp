//===- IsolateTies.cpp - copies wherever two values share a register ------===//
//
// A loop's carried value is copied on entry to the body, its successor before
// the yield, its first value before the loop; what a branch yields before its
// end. Then everything that shares a register with its successor lives only up
// to it. Allocation joins the copies again that were not needed.
//
//===----------------------------------------------------------------------===//
#include "Allocation.h"
#include "dojo/ISA/Abi.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace dojo::d1 {
namespace {

Value copy(OpBuilder &builder, Location loc, Value value) {
  Operation *op;
  if (llvm::isa<VectorRegType>(value.getType()))
    op = VMOV::create(builder, loc, value);
  else
    op = ADDI::create(builder, loc, value, 0);
  op->getResult(0).setType(registerType(builder.getContext(), *registerKind(value.getType())));
  return op->getResult(0);
}

bool canCopy(Type type) { return registerKind(type) != isa::Kind::a; }

/// A value with `value`'s contents that nothing but `operand` uses.
Value isolate(OpBuilder &builder, OpOperand &operand) {
  Value value = operand.get();
  Operation *def = value.getDefiningOp();
  Operation *user = operand.getOwner();
  if (isa_and_nonnull<ZeroOp>(def)) {
    Value zero = LI::create(builder, user->getLoc(), 0)->getResult(0);
    zero.setType(ScalarRegType::get(builder.getContext()));
    return zero;
  }
  if (isRecomputable(def) && value.hasOneUse() && def->getBlock() == user->getBlock())
    return value;
  if (canCopy(value.getType()))
    return copy(builder, user->getLoc(), value);
  return isRecomputable(def) ? recompute(builder, def) : value;
}

void isolateOperands(Operation *op, MutableArrayRef<OpOperand> operands) {
  OpBuilder builder(op);
  for (OpOperand &operand : operands)
    operand.set(isolate(builder, operand));
}

void isolateRepeat(RepeatOp repeat) {
  isolateOperands(repeat, repeat->getOpOperands());
  OpBuilder builder = OpBuilder::atBlockBegin(&repeat.getBody().front());
  for (BlockArgument argument : repeat.getBody().getArguments()) {
    if (!canCopy(argument.getType()) || argument.use_empty())
      continue;
    Value inside = copy(builder, repeat.getLoc(), argument);
    argument.replaceAllUsesExcept(inside, inside.getDefiningOp());
  }
}

void isolateArguments(CallOp call) {
  isolateOperands(call, call->getOpOperands());
  for (auto [index, argument] : llvm::enumerate(call.getArguments()))
    argument.setType(registerType(call.getContext(), isa::Kind::x, isa::firstArgumentReg + index));
}

void isolateUpdate(InstructionOpInterface op) {
  if (std::optional<unsigned> index = updatedOperand(op))
    isolateOperands(op, op->getOpOperands().slice(*index, 1));
}

} // namespace

bool isCopy(Operation *op) {
  if (auto add = dyn_cast<ADDI>(op))
    return add.getImm() == 0;
  return llvm::isa<VMOV>(op);
}

void isolateTies(func::FuncOp function) {
  SmallVector<Operation *> ops;
  function.walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops) {
    if (auto repeat = dyn_cast<RepeatOp>(op))
      isolateRepeat(repeat);
    else if (auto yield = dyn_cast<YieldOp>(op))
      isolateOperands(yield, yield->getOpOperands());
    else if (auto call = dyn_cast<CallOp>(op))
      isolateArguments(call);
    else if (auto inst = dyn_cast<InstructionOpInterface>(op))
      isolateUpdate(inst);
  }
  eraseDeadRecomputable(function);
}

} // namespace dojo::d1
