//===- Selector.cpp - values, constants and the walk ----------------------===//
#include "Selector.h"
#include "dojo/ISA/Abi.h"
#include "dojo/ISA/Codec.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace dojo::d1 {

std::optional<int64_t> constantOf(Value value) {
  APInt number;
  if (!matchPattern(value, m_ConstantInt(&number)))
    return std::nullopt;
  return value.getType().isInteger(1) ? number.getZExtValue() : number.getSExtValue();
}

/// An i1 has no order: true is 1 in a register.
static bool isComparison(Operation *op) {
  auto cmp = dyn_cast<arith::CmpIOp>(op);
  if (!cmp)
    return false;
  bool isEquality = cmp.getPredicate() == arith::CmpIPredicate::eq ||
                    cmp.getPredicate() == arith::CmpIPredicate::ne;
  return cmp.getLhs().getType().isInteger(64) ||
         (cmp.getLhs().getType().isInteger(1) && isEquality);
}

LogicalResult Selector::run() {
  bool isRoutine = function->hasAttr(routineAttr);
  if (function.getNumResults() != 0)
    return function.emitError() << "'" << function.getName()
                                << "' returns values; routines and entries return nothing";
  if (function.getNumArguments() > (isRoutine ? isa::maxArguments : 0))
    return function.emitError() << "'" << function.getName() << "' takes "
                                << function.getNumArguments() << " arguments; "
                                << (isRoutine ? "a routine takes 12 at most"
                                              : "an entry takes none");
  if (!function.getBody().hasOneBlock())
    return function.emitError() << "'" << function.getName() << "' must be one block of scf";

  findCallers();
  Block &old = function.getBody().front();
  Block *fresh = new Block;
  function.getBody().push_back(fresh);
  for (BlockArgument argument : old.getArguments()) {
    if (!argument.getType().isInteger(64))
      return function.emitError() << "'" << function.getName() << "' takes an argument of type "
                                  << argument.getType() << "; arguments are i64";
    selected[argument] = fresh->addArgument(convert(argument.getType()), argument.getLoc());
  }
  builder.setInsertionPointToStart(fresh);
  zeroReg = ZeroOp::create(builder, loc);
  if (failed(selectBlock(old)))
    return failure();
  func::ReturnOp::create(builder, old.getTerminator()->getLoc());
  if (zeroReg.use_empty())
    zeroReg.getDefiningOp()->erase();
  for (Operation &op : old)
    op.dropAllReferences();
  old.dropAllUses();
  old.erase();
  function.setFunctionType(builder.getFunctionType(fresh->getArgumentTypes(), {}));
  return success();
}

void Selector::findCallers() {
  function.walk([&](CallOp call) {
    for (Operation *op = call->getParentOp(); op != function && callers.insert(op).second;)
      op = op->getParentOp();
  });
}

Type Selector::convert(Type type) {
  return type.isSignlessInteger() ? ScalarRegType::get(type.getContext()) : type;
}

LogicalResult Selector::selectBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(select(&op)))
      return failure();
  return success();
}

LogicalResult Selector::select(Operation *op) {
  loc = op->getLoc();
  if (op->hasTrait<OpTrait::ConstantLike>() || isComparison(op))
    return success(); // Where it is used.
  if (auto inst = dyn_cast<InstructionOpInterface>(op))
    return selectInstruction(inst);
  if (llvm::isa<MarkOp>(op))
    return builder.clone(*op), success();
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return selectFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return selectIf(branch);
  if (auto call = dyn_cast<CallOp>(op))
    return selectCall(call);
  if (Value value = selectScalar(op)) {
    selected[op->getResult(0)] = value;
    return success();
  }
  return op->emitOpError("has no instruction on D1 for these types; d1 code is made of scf.for, "
                         "scf.if, calls, arith on i64, and d1 instructions");
}

LogicalResult Selector::selectInstruction(InstructionOpInterface op) {
  SmallVector<Value> operands = use(op->getOperands());
  Operation *copy = builder.clone(*op);
  copy->setOperands(operands);
  for (auto [from, to] : llvm::zip_equal(op->getResults(), copy->getResults())) {
    to.setType(convert(from.getType()));
    selected[from] = to;
  }
  return success();
}

Value Selector::use(Value value) {
  if (Value found = selected.lookup(value))
    return found;
  if (std::optional<int64_t> number = constantOf(value))
    return constant(*number);
  return compare(value.getDefiningOp<arith::CmpIOp>());
}

SmallVector<Value> Selector::use(ValueRange values) {
  return llvm::map_to_vector(values, [&](Value value) { return use(value); });
}

Value Selector::constant(int64_t number) {
  if (number == 0)
    return zero();
  OpenLoop *outermost = nullptr;
  for (OpenLoop &loop : llvm::reverse(loops)) {
    if (loop.calls)
      break;
    outermost = &loop;
  }
  if (!outermost)
    return ownConstant(number);
  Value &known = outermost->constants[number];
  if (!known) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(outermost->op);
    known = ownConstant(number);
  }
  return known;
}

/// number = high * 2^14 + low, or odd * 2^k where that is shorter.
Value Selector::ownConstant(int64_t number) {
  static const isa::Operand &wide = isa::get(isa::Opcode::LI).operands[1];
  static const isa::Operand &low = isa::get(isa::Opcode::LIS).operands[2];
  if (isa::fits(wide, number))
    return emit<LI>(number);
  unsigned zeros = llvm::countr_zero(uint64_t(number));
  if (isa::fits(wide, number >> zeros))
    return emit<SHLI>(emit<LI>(number >> zeros), int64_t(zeros));
  return emit<LIS>(ownConstant(number >> low.width), number & isa::maxValue(low));
}

/// A register that a tie may consume: constants are cheaper than copies, and x0
/// is no such register.
Value Selector::own(Value value) {
  std::optional<int64_t> number = constantOf(value);
  if (number && !selected.count(value))
    return ownConstant(*number);
  Value found = use(value);
  return found == zero() ? ownConstant(0) : found;
}

SmallVector<Value> Selector::own(ValueRange values) {
  return llvm::map_to_vector(values, [&](Value value) { return own(value); });
}

} // namespace dojo::d1
