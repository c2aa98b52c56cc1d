//===- AllocateRegisters.cpp - every value its register -------------------===//
#include "Allocation.h"
#include "dojo/Dialect/D1/Transforms/Passes.h"
#include "dojo/ISA/Abi.h"
#include "dojo/Scheduling/RegisterAllocation.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using dojo::regalloc::Failure;
using dojo::regalloc::StepKind;

namespace dojo::d1 {
#define GEN_PASS_DEF_D1ALLOCATEREGISTERS
#include "dojo/Dialect/D1/Transforms/Passes.h.inc"

namespace {

StringRef fileName(unsigned file) {
  static constexpr StringLiteral names[] = {"scalar", "vector", "accumulator"};
  return names[file];
}

regalloc::RegisterSet registers(unsigned begin, unsigned end) {
  return ((regalloc::RegisterSet(1) << end) - 1) & ~((regalloc::RegisterSet(1) << begin) - 1);
}

/// The register files as a routine or an entry may use them, by isa::Kind.
std::vector<regalloc::File> filesOf(bool isRoutine) {
  unsigned scalars = isRoutine ? isa::firstPreservedReg : isa::numScalarRegs;
  return {
      {registers(isa::linkReg + 1, scalars), registers(isa::firstPreservedReg, isa::numScalarRegs)},
      {registers(0, isa::numVectorRegs), 0},
      {registers(0, isa::numAccRegs), 0}};
}

/// A function as an allocation problem; x0 takes no part in it.
class FunctionProblem {
public:
  explicit FunctionProblem(func::FuncOp function) {
    problem.files = filesOf(function->hasAttr(routineAttr));
    for (auto [index, argument] : llvm::enumerate(function.getArguments()))
      problem.values[number(argument)].fixed = isa::firstArgumentReg + index;
    addBlock(function.getBody().front());
  }

  regalloc::Problem problem;
  std::vector<Value> values;
  std::vector<Operation *> stepOps;

private:
  DenseMap<Value, regalloc::ValueId> ids;

  regalloc::ValueId number(Value value) {
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
  void addStep(StepKind kind, Operation *op, Uses uses, Defs defs) {
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

  void addBlock(Block &block) {
    for (Operation &op : block)
      add(&op);
  }

  void add(Operation *op) {
    llvm::TypeSwitch<Operation *>(op)
        .Case([&](RepeatOp repeat) { addRepeat(repeat); })
        .Case([&](IfOp branch) { addIf(branch); })
        .Case(
            [&](CallOp call) { addStep(StepKind::call, op, op->getOperands(), op->getResults()); })
        .Case([&](InstructionOpInterface inst) { addInstruction(inst); })
        .Case<ZeroOp, MarkOp, YieldOp, func::ReturnOp>([](Operation *) {});
  }

  void addInstruction(InstructionOpInterface op) {
    SmallVector<Value> uses(op->getOperands());
    StepKind kind = isCopy(op) && takesPart(uses[0]) ? StepKind::copy : StepKind::op;
    if (std::optional<unsigned> updated = updatedOperand(op)) {
      std::rotate(uses.begin() + *updated, uses.begin() + *updated + 1, uses.end());
      kind = StepKind::update;
    }
    addStep(kind, op, uses, op->getResults());
  }

  void addRepeat(RepeatOp op) {
    addStep(StepKind::repeatBegin, op, op->getOperands(), op.getBody().getArguments());
    addBlock(op.getBody().front());
    SmallVector<Value> next = {op.getCounter()};
    llvm::append_range(next, op.getYield().getValues());
    addStep(StepKind::repeatEnd, op, next, op.getResults());
  }

  void addIf(IfOp op) {
    addStep(StepKind::ifBegin, op, op->getOperands(), ValueRange());
    addBlock(op.getThenRegion().front());
    addStep(StepKind::ifElse, op, op.getThenYield().getValues(), ValueRange());
    addBlock(op.getElseRegion().front());
    addStep(StepKind::ifEnd, op, op.getElseYield().getValues(), op.getResults());
  }
};

struct AllocateRegisters : impl::D1AllocateRegistersBase<AllocateRegisters> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!holdsCode(function))
      return;
    if (failed(checkConverted(function)))
      return signalPassFailure();
    isolateTies(function);
    if (failed(allocate(function)))
      signalPassFailure();
  }

  static LogicalResult checkConverted(func::FuncOp function) {
    WalkResult result = function.walk([&](Operation *op) {
      bool known = llvm::isa<InstructionOpInterface, RepeatOp, IfOp, CallOp, ZeroOp, MarkOp,
                             YieldOp, func::ReturnOp, func::FuncOp>(op);
      bool typed = llvm::all_of(op->getResultTypes(), registerKind) &&
                   llvm::all_of(op->getOperandTypes(), registerKind);
      if (known && typed)
        return WalkResult::advance();
      op->emitOpError("is not d1 code on registers; run --convert-scf-arith-to-d1 first");
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }

  /// Recomputing at one place may crowd another; each round settles the worst.
  static LogicalResult allocate(func::FuncOp function) {
    for (;;) {
      FunctionProblem code(function);
      auto result = regalloc::solve(code.problem);
      if (auto *solution = std::get_if<regalloc::Solution>(&result)) {
        assert(!regalloc::check(code.problem, *solution) && "the allocation proves itself");
        apply(function, code, *solution);
        return success();
      }
      const Failure &failure = std::get<Failure>(result);
      if (failure.reason == Failure::Reason::tie || !relieve(function, code, failure))
        return report(function, code, failure);
    }
  }

  static bool relieve(func::FuncOp function, const FunctionProblem &code, const Failure &failure) {
    return recomputeSome(function, code, failure) || sinkSome(code, failure);
  }

  template <typename Predicate>
  static SmallVector<Operation *> choose(const FunctionProblem &code, const Failure &failure,
                                         Predicate isCandidate) {
    SmallVector<bool> candidates;
    for (Value value : code.values)
      candidates.push_back(!registerNumber(value.getType()) && isCandidate(value.getDefiningOp()));
    SmallVector<Operation *> ops;
    for (regalloc::ValueId id : regalloc::chooseRecomputed(code.problem, failure, candidates))
      ops.push_back(code.values[id].getDefiningOp());
    return ops;
  }

  static bool recomputeSome(func::FuncOp function, const FunctionProblem &code,
                            const Failure &failure) {
    SmallVector<Operation *> ops =
        choose(code, failure, [](Operation *op) { return isRecomputable(op) && !isAtItsUse(op); });
    for (Operation *op : ops)
      recomputeAtUses(op);
    eraseDeadRecomputable(function);
    return !ops.empty();
  }

  /// Takes back what code motion has hoisted, with all that leads only there;
  /// values only ever move inwards.
  static bool sinkSome(const FunctionProblem &code, const Failure &failure) {
    SmallVector<Operation *> ops = choose(code, failure, isSinkable);
    SetVector<Operation *> pending(ops.begin(), ops.end());
    while (!pending.empty()) {
      Operation *op = pending.pop_back_val();
      SmallVector<Value> operands(op->getOperands());
      sink(op);
      for (Value operand : operands)
        if (isSinkable(operand.getDefiningOp()))
          pending.insert(operand.getDefiningOp());
    }
    return !ops.empty();
  }

  static LogicalResult report(func::FuncOp function, const FunctionProblem &code,
                              const Failure &failure) {
    Operation *op = code.stepOps[failure.step];
    InFlightDiagnostic error = emitError(op->getLoc()) << "'" << function.getName() << "' ";
    StringRef name = fileName(failure.file);
    switch (failure.reason) {
    case Failure::Reason::pressure:
      error << "needs " << failure.needed << " " << name << " registers ";
      if (auto call = dyn_cast<CallOp>(op); call && failure.available < isa::maxArguments)
        error << "that outlive the call of '" << call.getCallee() << "'";
      else
        error << "here";
      return error << ", " << failure.available
                   << " exist; carry fewer values, or cut the tile smaller";
    case Failure::Reason::shape:
      return error << "finds no place for a value among " << failure.available << " " << name
                   << " registers, of which " << failure.needed
                   << " are in use here; carry fewer values";
    case Failure::Reason::tie:
      error << "updates an accumulator here whose old contents are used again; accumulators "
               "cannot be copied, so start another with mzero";
      if (Operation *def = code.values[failure.values[0]].getDefiningOp())
        error.attachNote(def->getLoc()) << "the accumulator";
      return error;
    }
    llvm_unreachable("all reasons are above");
  }

  static void apply(func::FuncOp function, FunctionProblem &code,
                    const regalloc::Solution &solution) {
    MLIRContext *context = function.getContext();
    for (auto [value, reg] : llvm::zip_equal(code.values, solution))
      value.setType(registerType(context, *registerKind(value.getType()), reg));
    function.setFunctionType(
        FunctionType::get(context, function.getBody().front().getArgumentTypes(), {}));
    function.walk([](Operation *op) {
      if (!isCopy(op) || op->getOperand(0).getType() != op->getResult(0).getType())
        return;
      op->getResult(0).replaceAllUsesWith(op->getOperand(0));
      op->erase();
    });
  }
};

} // namespace
} // namespace dojo::d1
