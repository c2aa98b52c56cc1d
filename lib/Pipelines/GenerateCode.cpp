//===- GenerateCode.cpp - routines and entries through the back end -------===//
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "dojo/Pipelines/D1Backend.h"
#include "dojo/Pipelines/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"

namespace dojo {
#define GEN_PASS_DEF_GENERATECODE
#include "dojo/Pipelines/Passes.h.inc"
} // namespace dojo

using namespace mlir;

static constexpr llvm::StringLiteral allocatedAttr = "d1.allocated";

namespace {

struct GenerateCodePass : dojo::impl::GenerateCodeBase<GenerateCodePass> {
  void runOnOperation() override {
    OpPassManager manager(func::FuncOp::getOperationName());
    auto machine = getOperation()->getAttrOfType<dojo::ir::MachineAttr>(dojo::ir::machineAttrName);
    if (!machine) {
      getOperation().emitError("has no ") << dojo::ir::machineAttrName << "; run --dojo-set-target";
      return signalPassFailure();
    }
    dojo::buildD1BackendPipeline(manager, machine.getText());
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      bool isCode = function->hasAttr("d1.routine") || function->hasAttr("d1.entry");
      if (!isCode || function->hasAttr(allocatedAttr))
        continue;
      if (failed(runPipeline(manager, function)))
        return signalPassFailure();
      function->setAttr(allocatedAttr, UnitAttr::get(&getContext()));
    }
  }
};

} // namespace
