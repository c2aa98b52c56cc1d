//===- Place.cpp - an address for every buffer ----------------------------===//
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Dialect/Dojo/Transforms/Liveness.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "llvm/Support/MathExtras.h"

namespace dojo::ir {
#define GEN_PASS_DEF_PLACE
#include "dojo/Dialect/Dojo/Transforms/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

/// Images stand in DRAM one after the other, in the order of the module.
static void placeDram(ModuleOp module, const Machine &machine) {
  int64_t next = 0;
  for (auto dram : module.getOps<DramOp>()) {
    if (!dram.getAddress())
      dram.setAddress(next);
    auto type = cast<RankedTensorType>(dram.getType());
    int64_t bytes = type.getNumElements() * elementBytes(type.getElementType());
    next = llvm::alignTo(std::max<int64_t>(next, *dram.getAddress() + bytes), machine.vectorBytes);
  }
}

namespace {

struct PlacePass : ir::impl::PlaceBase<PlacePass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = Target::of(module);
    if (failed(target))
      return signalPassFailure();
    if (target->codeBytes > target->machine.codeBudgetBytes()) {
      module.emitError("the code of ")
          << target->codeBytes << " bytes exceeds the " << target->machine.codeBudgetBytes()
          << " bytes a node keeps for code";
      return signalPassFailure();
    }
    auto lifetimes = timelineOf(module).lifetimes;
    place::Problem problem = placementProblem(lifetimes, target->machine, target->codeBytes);
    llvm::Expected<place::Solution> solution = place::solve(problem);
    if (!solution) {
      module.emitError("no room in SRAM: ") << llvm::toString(solution.takeError());
      return signalPassFailure();
    }
    if (llvm::Error error = place::check(problem, *solution)) {
      module.emitError("the placement is wrong, which is a defect of the solver: ")
          << llvm::toString(std::move(error));
      return signalPassFailure();
    }
    for (auto [entry, offset] :
         llvm::zip(lifetimes, ArrayRef<int64_t>(solution->offsets).drop_front()))
      setAddress(entry.first, offset);
    placeDram(module, target->machine);
  }
};

} // namespace
