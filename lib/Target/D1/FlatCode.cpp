//===- FlatCode.cpp - loops and branches as jumps -------------------------===//
//
//   d1.repeat n           d1.if lt a, b
//     body:  ...            bge a, b, else
//     bdnz n, body          ...
//                           jal x0, end
//                     else: ...
//                     end:
// A bracket's inside is flat before its branch is encoded, so that every
// distance is known; where it exceeds the field, the opposite branch skips a jal.
//
//===----------------------------------------------------------------------===//
#include "FlatCode.h"
#include "dojo/ISA/Abi.h"
#include "dojo/ISA/Codec.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace dojo::d1 {

StringRef nameOf(Location location) {
  StringRef name;
  location->walk([&](Location part) {
    if (auto named = dyn_cast<NameLoc>(part)) {
      name = named.getName();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return name;
}

Error errorAt(Operation *op, const Twine &text) {
  std::string where;
  llvm::raw_string_ostream stream(where);
  if (StringRef name = nameOf(op->getLoc()); !name.empty())
    stream << name << ": ";
  stream << "'" << op->getName() << "' " << text;
  return llvm::createStringError(where);
}

namespace {

class Flattener {
public:
  explicit Flattener(func::FuncOp function) : isEntry(function->hasAttr(entryAttr)) {}

  Error run(Block &block) {
    for (Operation &op : block)
      if (Error error = add(op))
        return error;
    return Error::success();
  }

  FlatCode code;

private:
  bool isEntry;

  Error word(Operation *op, isa::Opcode opcode, ArrayRef<int64_t> operands) {
    Expected<uint32_t> encoded = isa::encode(opcode, operands);
    if (!encoded)
      return errorAt(op, llvm::toString(encoded.takeError()));
    code.words.push_back(*encoded);
    code.locations.push_back(op->getLoc());
    return Error::success();
  }

  Expected<int64_t> numberOf(Operation *op, Value value) {
    if (std::optional<unsigned> number = registerNumber(value.getType()))
      return *number;
    return errorAt(op, "uses a register without a number; run --d1-allocate-registers first");
  }

  Error add(Operation &op) {
    return llvm::TypeSwitch<Operation *, Error>(&op)
        .Case([&](InstructionOpInterface inst) { return addInstruction(inst); })
        .Case([&](RepeatOp repeat) { return addRepeat(repeat); })
        .Case([&](IfOp branch) { return addIf(branch); })
        .Case([&](CallOp call) {
          code.calls.push_back({uint32_t(code.words.size()), call});
          return word(call, isa::Opcode::JAL, {isa::linkReg, 0});
        })
        .Case([&](MarkOp mark) {
          code.marks.push_back({mark.getId(), uint32_t(code.words.size())});
          return Error::success();
        })
        .Case([&](func::ReturnOp end) {
          return isEntry ? word(end, isa::Opcode::HALT, {})
                         : word(end, isa::Opcode::JALR, {isa::zeroReg, isa::linkReg, 0});
        })
        .Case<ZeroOp, YieldOp>([](Operation *) { return Error::success(); })
        .Default([](Operation *other) {
          return errorAt(other, "is not d1 code; run --convert-scf-arith-to-d1 first");
        });
  }

  Error addInstruction(InstructionOpInterface op) {
    SmallVector<int64_t> operands;
    unsigned nextUse = 0;
    for (const isa::Operand &operand : op.getInstruction().operands) {
      if (operand.kind == isa::Kind::imm) {
        operands.push_back(op->getAttrOfType<IntegerAttr>(operand.name).getInt());
        continue;
      }
      Value value = operand.role == isa::Role::def ? op->getResult(0) : op->getOperand(nextUse++);
      Expected<int64_t> number = numberOf(op, value);
      if (!number)
        return number.takeError();
      operands.push_back(*number);
      if (operand.role == isa::Role::update && op->getResult(0).getType() != value.getType())
        return errorAt(op, "updates one register and gives another");
    }
    return word(op, op.getInstruction().opcode, operands);
  }

  Error addRepeat(RepeatOp op) {
    Expected<int64_t> counter = numberOf(op, op.getCounter());
    if (!counter)
      return counter.takeError();
    int64_t body = code.words.size();
    if (Error error = run(op.getBody().front()))
      return error;
    return word(op, isa::Opcode::BDNZ, {*counter, body - int64_t(code.words.size())});
  }

  /// The code of one branch, by itself.
  Expected<FlatCode> branch(Region &region) {
    FlatCode outer = std::exchange(code, {});
    Error error = run(region.front());
    FlatCode inner = std::exchange(code, std::move(outer));
    if (error)
      return std::move(error);
    return inner;
  }

  void append(FlatCode &&part) {
    uint32_t base = code.words.size();
    llvm::append_range(code.words, part.words);
    llvm::append_range(code.locations, part.locations);
    for (auto [word, op] : part.calls)
      code.calls.push_back({base + word, op});
    for (auto [id, word] : part.marks)
      code.marks.push_back({id, base + word});
  }

  Error addIf(IfOp op) {
    Expected<FlatCode> yes = branch(op.getThenRegion());
    if (!yes)
      return yes.takeError();
    Expected<FlatCode> no = branch(op.getElseRegion());
    if (!no)
      return no.takeError();
    if (yes->words.empty()) {
      if (Error error = jumpUnless(op, opposite(op.getCondition()), no->words.size()))
        return error;
    } else {
      bool hasElse = !no->words.empty();
      if (Error error = jumpUnless(op, op.getCondition(), yes->words.size() + hasElse))
        return error;
      append(std::move(*yes));
      if (hasElse)
        if (Error error = word(op, isa::Opcode::JAL, {isa::zeroReg, int64_t(no->words.size()) + 1}))
          return error;
    }
    append(std::move(*no));
    return Error::success();
  }

  static Condition opposite(Condition condition) {
    switch (condition) {
    case Condition::eq:
      return Condition::ne;
    case Condition::ne:
      return Condition::eq;
    case Condition::lt:
      return Condition::ge;
    case Condition::ge:
      return Condition::lt;
    }
    llvm_unreachable("all conditions are above");
  }

  static isa::Opcode branchOn(Condition condition) {
    switch (condition) {
    case Condition::eq:
      return isa::Opcode::BEQ;
    case Condition::ne:
      return isa::Opcode::BNE;
    case Condition::lt:
      return isa::Opcode::BLT;
    case Condition::ge:
      return isa::Opcode::BGE;
    }
    llvm_unreachable("all conditions are above");
  }

  /// Skips `count` words unless `condition` holds.
  Error jumpUnless(IfOp op, Condition condition, int64_t count) {
    Expected<int64_t> lhs = numberOf(op, op.getLhs());
    if (!lhs)
      return lhs.takeError();
    Expected<int64_t> rhs = numberOf(op, op.getRhs());
    if (!rhs)
      return rhs.takeError();
    static const isa::Operand &distance = isa::get(isa::Opcode::BEQ).operands.back();
    if (isa::fits(distance, count + 1))
      return word(op, branchOn(opposite(condition)), {*lhs, *rhs, count + 1});
    if (Error error = word(op, branchOn(condition), {*lhs, *rhs, 2}))
      return error;
    return word(op, isa::Opcode::JAL, {isa::zeroReg, count + 1});
  }
};

} // namespace

Expected<FlatCode> flatten(func::FuncOp function) {
  Flattener flattener(function);
  if (Error error = flattener.run(function.getBody().front()))
    return std::move(error);
  return std::move(flattener.code);
}

} // namespace dojo::d1
