//===- Fit.cpp - keep in DRAM what does not fit into SRAM -----------------===//
#include "dojo/Conversion/LinalgToDojo/Passes.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "dojo/Pipelines/Passes.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Pass/PassManager.h"

namespace dojo {
#define GEN_PASS_DEF_FIT
#include "dojo/Pipelines/Passes.h.inc"
} // namespace dojo

using namespace mlir;

/// Globals by falling size, equal ones in the order of the module.
static SmallVector<ml_program::GlobalOp> globalsBySize(ModuleOp module) {
  auto globals = llvm::to_vector(module.getOps<ml_program::GlobalOp>());
  auto bytes = [](ml_program::GlobalOp global) {
    auto type = cast<RankedTensorType>(global.getType());
    return type.getNumElements() * dojo::ir::elementBytes(type.getElementType());
  };
  llvm::stable_sort(globals, [&](auto a, auto b) { return bytes(a) > bytes(b); });
  return globals;
}

static void keepInDram(ArrayRef<ml_program::GlobalOp> globals) {
  for (ml_program::GlobalOp global : globals)
    global->setAttr(dojo::ir::storageAttrName, StringAttr::get(global.getContext(), "dram"));
}

namespace {

struct FitPass : dojo::impl::FitBase<FitPass> {
  void runOnOperation() override {
    auto target = dojo::ir::Target::of(getOperation());
    if (failed(target))
      return signalPassFailure();
    codeBytes = target->machine.codeBudgetBytes();
    SmallVector<ml_program::GlobalOp> globals = globalsBySize(getOperation());
    // The fewest that fit; placement fits more easily the more are in DRAM.
    size_t low = 0, high = globals.size();
    while (low < high) {
      size_t middle = low == 0 && high == globals.size() ? 0 : (low + high) / 2;
      if (fits(middle))
        high = middle;
      else
        low = middle + 1;
    }
    keepInDram(ArrayRef(globals).take_front(low));
    if (low > 0)
      getOperation().emitRemark() << low << " of " << globals.size()
                                  << " weights stay in DRAM and are read in every step: SRAM "
                                     "does not hold them all";
  }

private:
  /// Whether a copy with the `count` largest globals in DRAM can be placed, beside
  /// the most code a node may have.
  bool fits(size_t count) {
    OwningOpRef<ModuleOp> copy = getOperation().clone();
    keepInDram(ArrayRef(globalsBySize(*copy)).take_front(count));
    Builder builder(&getContext());
    (*copy)->setAttr(dojo::ir::codeBytesAttrName, builder.getI64IntegerAttr(codeBytes));
    ScopedDiagnosticHandler silence(&getContext(), [](Diagnostic &) { return success(); });
    PassManager trial(&getContext());
    trial.addPass(dojo::ir::createPartition());
    trial.addPass(dojo::ir::createExpandCollectives());
    trial.addPass(dojo::ir::createBufferize());
    trial.addPass(dojo::ir::createOutlineKernels());
    trial.addPass(dojo::ir::createPlace());
    return succeeded(trial.run(*copy));
  }

  int64_t codeBytes = 0;
};

} // namespace
