//===- FoldOffsets.cpp - constant summands into address immediates --------===//
#include "dojo/Dialect/D1/Transforms/Passes.h"
#include "dojo/ISA/Codec.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace dojo::d1 {
#define GEN_PASS_DEF_D1FOLDOFFSETS
#include "dojo/Dialect/D1/Transforms/Passes.h.inc"

namespace {

/// A value as base + offset, modulo 2^64.
struct Sum {
  Value base;
  uint64_t offset = 0;
};

std::optional<uint64_t> constantOf(Value value) {
  APInt number;
  if (value.getType().isInteger(64) && matchPattern(value, m_ConstantInt(&number)))
    return number.getZExtValue();
  return std::nullopt;
}

class Folder {
public:
  void visit(Operation *op) {
    if (auto add = dyn_cast<arith::AddIOp>(op))
      return visitAdd(add);
    if (auto sub = dyn_cast<arith::SubIOp>(op))
      return visitSub(sub);
    if (auto mul = dyn_cast<arith::MulIOp>(op))
      if (std::optional<uint64_t> factor = constantOf(mul.getRhs()))
        return scale(mul, mul.getLhs(), *factor);
    if (auto shift = dyn_cast<arith::ShLIOp>(op))
      if (std::optional<uint64_t> amount = constantOf(shift.getRhs()); amount && *amount < 64)
        return scale(shift, shift.getLhs(), uint64_t(1) << *amount);
    if (auto inst = dyn_cast<InstructionOpInterface>(op))
      visitAccess(inst);
  }

private:
  DenseMap<Value, Sum> sums;

  Sum sumOf(Value value) const {
    auto it = sums.find(value);
    return it == sums.end() ? Sum{value} : it->second;
  }

  /// Replaces `op` by base + offset; only the sum with the offset is new if the
  /// operands had no offset themselves.
  void replace(Operation *op, Value base, uint64_t offset) {
    OpBuilder builder(op);
    Value sum = base;
    if (offset != 0) {
      Value constant = arith::ConstantOp::create(builder, op->getLoc(),
                                                 builder.getI64IntegerAttr(int64_t(offset)));
      sum = arith::AddIOp::create(builder, op->getLoc(), base, constant);
      sums[sum] = {base, offset};
    }
    op->getResult(0).replaceAllUsesWith(sum);
    op->erase();
  }

  void visitAdd(arith::AddIOp op) {
    if (!op.getType().isInteger(64))
      return;
    Sum left = sumOf(op.getLhs()), right = sumOf(op.getRhs());
    if (std::optional<uint64_t> constant = constantOf(op.getRhs())) {
      if (left.offset == 0)
        sums[op.getResult()] = {left.base, *constant};
      else
        replace(op, left.base, left.offset + *constant);
    } else if (left.offset != 0 || right.offset != 0) {
      OpBuilder builder(op);
      Value base = arith::AddIOp::create(builder, op.getLoc(), left.base, right.base);
      replace(op, base, left.offset + right.offset);
    }
  }

  void visitSub(arith::SubIOp op) {
    if (!op.getType().isInteger(64))
      return;
    Sum left = sumOf(op.getLhs()), right = sumOf(op.getRhs());
    if (left.offset == 0 && right.offset == 0)
      return;
    OpBuilder builder(op);
    Value base = arith::SubIOp::create(builder, op.getLoc(), left.base, right.base);
    replace(op, base, left.offset - right.offset);
  }

  void scale(Operation *op, Value value, uint64_t factor) {
    Sum sum = sumOf(value);
    if (sum.offset == 0)
      return;
    OpBuilder builder(op);
    IRMapping toBase;
    toBase.map(value, sum.base);
    Operation *scaled = builder.clone(*op, toBase);
    scaled->removeAttr("overflowFlags");
    if (auto mul = dyn_cast<arith::MulIOp>(scaled))
      mul.setOverflowFlags(arith::IntegerOverflowFlags::none);
    if (auto shift = dyn_cast<arith::ShLIOp>(scaled))
      shift.setOverflowFlags(arith::IntegerOverflowFlags::none);
    replace(op, scaled->getResult(0), sum.offset * factor);
  }

  /// Loads and stores at a + imm: the record names the two operands so.
  void visitAccess(InstructionOpInterface op) {
    const isa::Instruction &inst = op.getInstruction();
    if (inst.effect != isa::Effect::read && inst.effect != isa::Effect::write)
      return;
    const isa::Operand *immediate =
        llvm::find_if(inst.operands, [](const isa::Operand &o) { return o.name == "imm"; });
    if (immediate == inst.operands.end())
      return;
    OpOperand &address = op->getOpOperand(op->getNumOperands() - 1);
    Sum sum = sumOf(address.get());
    auto attr = op->getAttrOfType<IntegerAttr>("imm");
    int64_t offset = int64_t(uint64_t(attr.getInt()) + sum.offset);
    if (sum.offset == 0 || !isa::fits(*immediate, offset))
      return;
    address.set(sum.base);
    op->setAttr("imm", IntegerAttr::get(attr.getType(), offset));
  }
};

struct FoldOffsets : impl::D1FoldOffsetsBase<FoldOffsets> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
    Folder folder;
    for (Operation *op : ops)
      folder.visit(op);
  }
};

} // namespace
} // namespace dojo::d1
