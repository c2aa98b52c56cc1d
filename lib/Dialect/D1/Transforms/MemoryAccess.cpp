//===- MemoryAccess.cpp - which bytes an instruction touches --------------===//
#include "MemoryAccess.h"
#include "Allocation.h"

#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

namespace dojo::d1 {

std::pair<Value, int64_t> splitAddress(Value value) {
  int64_t offset = 0;
  for (;;) {
    Operation *op = value.getDefiningOp();
    if (auto add = dyn_cast_or_null<ADDI>(op)) {
      offset += add.getImm();
      value = op->getOperand(0);
      continue;
    }
    if (!isa_and_nonnull<ADD>(op))
      return {value, offset};
    std::optional<int64_t> left = constantIn(op->getOperand(0));
    std::optional<int64_t> right = constantIn(op->getOperand(1));
    if (!left && !right)
      return {value, offset};
    offset += right ? *right : *left;
    value = op->getOperand(right ? 0 : 1);
  }
}

/// What `value` may be computed from one step back; false if that is not known.
static bool sources(Value value, SmallVectorImpl<Value> &from) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto repeat = dyn_cast<RepeatOp>(argument.getOwner()->getParentOp());
    if (!repeat || argument.getArgNumber() == 0)
      return repeat != nullptr;
    unsigned carried = argument.getArgNumber() - 1;
    from.append({repeat.getInits()[carried], repeat.getYield().getValues()[carried]});
    return true;
  }
  unsigned result = cast<OpResult>(value).getResultNumber();
  Operation *op = value.getDefiningOp();
  if (auto repeat = dyn_cast<RepeatOp>(op)) {
    from.append({repeat.getInits()[result], repeat.getYield().getValues()[result]});
    return true;
  }
  if (auto branch = dyn_cast<IfOp>(op)) {
    from.append(
        {branch.getThenYield().getValues()[result], branch.getElseYield().getValues()[result]});
    return true;
  }
  if (llvm::isa<ZeroOp>(op))
    return true;
  auto instruction = dyn_cast<InstructionOpInterface>(op);
  if (!instruction || instruction.getInstruction().unit != isa::Unit::integer)
    return false;
  llvm::append_range(from, op->getOperands());
  return true;
}

Value MemoryAccesses::argumentOf(Value address) {
  auto [known, isNew] = arguments.try_emplace(address);
  if (!isNew)
    return known->second;
  SmallVector<Value> pending{address};
  llvm::SmallPtrSet<void *, 16> seen;
  Value found;
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    if (!seen.insert(value.getAsOpaquePointer()).second)
      continue;
    auto argument = dyn_cast<BlockArgument>(value);
    if (argument && llvm::isa<func::FuncOp>(argument.getOwner()->getParentOp())) {
      if (found && found != value)
        return {};
      found = value;
    } else if (!sources(value, pending)) {
      return {};
    }
  }
  return arguments[address] = found;
}

std::optional<MemoryAccess> MemoryAccesses::of(InstructionOpInterface op) {
  const isa::Instruction &inst = op.getInstruction();
  if (!inst.pieces)
    return std::nullopt;
  MemoryAccess access{inst.effect == isa::Effect::write, {}, {}, inst.pieceBytes, {}};
  auto operand = [&](StringRef name) {
    unsigned at = 0;
    for (const isa::Operand &field : inst.operands) {
      bool reads = field.role != isa::Role::def && field.kind != isa::Kind::imm;
      if (field.name == name)
        return op->getOperand(at);
      at += reads;
    }
    llvm_unreachable("an access has an address");
  };
  int64_t offset;
  std::tie(access.base, offset) = splitAddress(operand("a"));
  access.argument = argumentOf(access.base);
  if (inst.pieces == 1) {
    access.pieces = {offset + op->getAttrOfType<IntegerAttr>("imm").getInt()};
    return access;
  }
  std::optional<int64_t> inner = constantIn(operand("b")), outer = constantIn(operand("c"));
  int64_t innerCount = int64_t(1) << op->getAttrOfType<IntegerAttr>("n").getInt();
  for (int64_t i = 0; i < inst.pieces && inner && outer; ++i)
    access.pieces.push_back(offset + i % innerCount * *inner + i / innerCount * *outer);
  return access;
}

bool MemoryAccesses::mayMeetAnywhere(const MemoryAccess &a, const MemoryAccess &b) const {
  return !disjoint || !a.argument || !b.argument || a.argument == b.argument;
}

bool MemoryAccesses::mayMeet(const MemoryAccess &a, const MemoryAccess &b, int64_t shift) const {
  if (!mayMeetAnywhere(a, b))
    return false;
  if (a.base != b.base || a.pieces.empty() || b.pieces.empty())
    return true;
  for (int64_t first : a.pieces)
    for (int64_t second : b.pieces)
      if (first < second + shift + b.bytes && second + shift < first + a.bytes)
        return true;
  return false;
}

} // namespace dojo::d1
