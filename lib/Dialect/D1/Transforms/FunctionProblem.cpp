//===- FunctionProblem.cpp - a function's registers as a problem ----------===//
#include "FunctionProblem.h"
#include "Allocation.h"
#include "dojo/ISA/Abi.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using dojo::regalloc::StepKind;

namespace dojo::d1 {

static regalloc::RegisterSet registers(unsigned begin, unsigned end) {
  return ((regalloc::RegisterSet(1) << end) - 1) & ~((regalloc::RegisterSet(1) << begin) - 1);
}

/// The register files as a routine or an entry may use them, by isa::Kind.
static std::vector<regalloc::File> filesOf(bool isRoutine) {
  unsigned scalars = isRoutine ? isa::firstPreservedReg : isa::numScalarRegs;
  return {
      {registers(isa::linkReg + 1, scalars), registers(isa::firstPreservedReg, isa::numScalarRegs)},
      {registers(0, isa::numVectorRegs), 0},
      {registers(0, isa::numAccRegs), 0}};
}

FunctionProblem::FunctionProblem(func::FuncOp function) {
  problem.files = filesOf(function->hasAttr(routineAttr));
  for (auto [index, argument] : llvm::enumerate(function.getArguments()))
    problem.values[number(argument)].fixed = isa::firstArgumentReg + index;
  addBlock(function.getBody().front());
}

regalloc::ValueId FunctionProblem::number(Value value) {
  auto [it, isNew] = ids.try_emplace(value, values.size());
  if (isNew) {
    values.push_back(value);
    problem.values.push_back(
        {unsigned(*registerKind(value.getType())), registerNumber(value.getType())});
  }
  return it->second;
}

static bool takesPart(Value value) {
  return !isa_and_nonnull<ZeroOp>(value.getDefiningOp()) && registerKind(value.getType());
}

template <typename Uses, typename Defs>
void FunctionProblem::addStep(StepKind kind, Operation *op, Uses uses, Defs defs) {
  regalloc::Step step{kind, {}, {}};
  for (Value value : uses)
    if (takesPart(value))
      step.uses.push_back(number(value));
  for (Value value : defs)
    if (takesPart(value))
      step.defs.push_back(number(value));
  problem.steps.push_back(std::move(step));
  stepOps.push_back(op);
}

void FunctionProblem::addBlock(Block &block) {
  for (Operation &op : block)
    add(&op);
}

void FunctionProblem::add(Operation *op) {
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](RepeatOp repeat) { addRepeat(repeat); })
      .Case([&](IfOp branch) { addIf(branch); })
      .Case([&](CallOp call) { addStep(StepKind::call, op, op->getOperands(), op->getResults()); })
      .Case([&](InstructionOpInterface inst) { addInstruction(inst); })
      .Case<ZeroOp, MarkOp, YieldOp, func::ReturnOp>([](Operation *) {});
}

void FunctionProblem::addInstruction(InstructionOpInterface op) {
  SmallVector<Value> uses(op->getOperands());
  StepKind kind = isCopy(op) && takesPart(uses[0]) ? StepKind::copy : StepKind::op;
  if (std::optional<unsigned> updated = updatedOperand(op)) {
    std::rotate(uses.begin() + *updated, uses.begin() + *updated + 1, uses.end());
    kind = StepKind::update;
  }
  addStep(kind, op, uses, op->getResults());
}

void FunctionProblem::addRepeat(RepeatOp op) {
  addStep(StepKind::repeatBegin, op, op->getOperands(), op.getBody().getArguments());
  addBlock(op.getBody().front());
  SmallVector<Value> next = {op.getCounter()};
  llvm::append_range(next, op.getYield().getValues());
  addStep(StepKind::repeatEnd, op, next, op.getResults());
}

void FunctionProblem::addIf(IfOp op) {
  addStep(StepKind::ifBegin, op, op->getOperands(), ValueRange());
  addBlock(op.getThenRegion().front());
  addStep(StepKind::ifElse, op, op.getThenYield().getValues(), ValueRange());
  addBlock(op.getElseRegion().front());
  addStep(StepKind::ifEnd, op, op.getElseYield().getValues(), op.getResults());
}

} // namespace dojo::d1
