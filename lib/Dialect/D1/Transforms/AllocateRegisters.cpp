//===- AllocateRegisters.cpp - every value its register -------------------===//
#include "Allocation.h"
#include "FunctionProblem.h"
#include "dojo/Dialect/D1/Transforms/Passes.h"
#include "dojo/ISA/Abi.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using dojo::regalloc::Failure;

namespace dojo::d1 {
#define GEN_PASS_DEF_D1ALLOCATEREGISTERS
#include "dojo/Dialect/D1/Transforms/Passes.h.inc"

namespace {

StringRef fileName(unsigned file) {
  static constexpr StringLiteral names[] = {"scalar", "vector", "accumulator"};
  return names[file];
}

template <typename Predicate>
SmallVector<Operation *> choose(const FunctionProblem &code, const Failure &failure,
                                Predicate isCandidate) {
  SmallVector<bool> candidates;
  for (Value value : code.values)
    candidates.push_back(!registerNumber(value.getType()) && isCandidate(value.getDefiningOp()));
  SmallVector<Operation *> ops;
  for (regalloc::ValueId id : regalloc::chooseRecomputed(code.problem, failure, candidates))
    ops.push_back(code.values[id].getDefiningOp());
  return ops;
}

bool recomputeSome(func::FuncOp function, const FunctionProblem &code, const Failure &failure) {
  SmallVector<Operation *> ops =
      choose(code, failure, [](Operation *op) { return isRecomputable(op) && !isAtItsUse(op); });
  if (ops.empty())
    return false;
  Stretches stretches(function);
  for (Operation *op : ops)
    stretches.recomputeAtUses(op);
  eraseDeadRecomputable(function);
  return true;
}

/// Takes back what code motion has hoisted, with all that leads only there;
/// values only ever move inwards.
bool sinkSome(const FunctionProblem &code, const Failure &failure) {
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

bool relieve(func::FuncOp function, const FunctionProblem &code, const Failure &failure) {
  return recomputeSome(function, code, failure) || sinkSome(code, failure);
}

void report(func::FuncOp function, const FunctionProblem &code, const Failure &failure) {
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
    error << ", " << failure.available << " exist; carry fewer values, or cut the tile smaller";
    return;
  case Failure::Reason::shape:
    error << "finds no place for a value among " << failure.available << " " << name
          << " registers, of which " << failure.needed << " are in use here; carry fewer values";
    return;
  case Failure::Reason::tie:
    error << "updates an accumulator here whose old contents are used again; accumulators "
             "cannot be copied, so start another with mzero";
    if (Operation *def = code.values[failure.values[0]].getDefiningOp())
      error.attachNote(def->getLoc()) << "the accumulator";
    return;
  }
  llvm_unreachable("all reasons are above");
}

void apply(func::FuncOp function, FunctionProblem &code, const regalloc::Solution &solution) {
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

/// What is left of a function without registers, and why it has none: the failure of the
/// solver, or what the checker says of its solution.
struct Refusal {
  FunctionProblem code;
  std::variant<Failure, std::string> why;
};

/// Recomputing at one place may crowd another; each round settles the worst.
/// Applies the allocation once the checker has seen it.
std::optional<Refusal> allocate(func::FuncOp function) {
  for (;;) {
    FunctionProblem code(function);
    auto result = regalloc::solve(code.problem);
    if (auto *solution = std::get_if<regalloc::Solution>(&result)) {
      if (std::optional<std::string> wrong = regalloc::check(code.problem, *solution))
        return Refusal{std::move(code), std::move(*wrong)};
      apply(function, code, *solution);
      return std::nullopt;
    }
    const Failure &failure = std::get<Failure>(result);
    if (failure.reason == Failure::Reason::tie || !relieve(function, code, failure))
      return Refusal{std::move(code), failure};
  }
}

struct AllocateRegisters : impl::D1AllocateRegistersBase<AllocateRegisters> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!holdsCode(function))
      return;
    if (failed(checkConverted(function)))
      return signalPassFailure();
    isolateTies(function);
    if (std::optional<Refusal> refusal = allocate(function)) {
      if (auto *failure = std::get_if<Failure>(&refusal->why))
        report(function, refusal->code, *failure);
      else
        function.emitError("has its registers allocated wrongly: ")
            << std::get<std::string>(refusal->why);
      signalPassFailure();
    }
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
};

} // namespace

bool fitsRegisters(func::FuncOp function) {
  func::FuncOp copy = function.clone();
  isolateTies(copy);
  bool fits = !allocate(copy);
  copy.erase();
  return fits;
}

} // namespace dojo::d1
