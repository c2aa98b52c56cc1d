//===- SetTarget.cpp - name the machine a module is compiled for ----------===//
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"

namespace dojo::ir {
#define GEN_PASS_DEF_SETTARGET
#include "dojo/Dialect/Dojo/Transforms/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

namespace {

struct SetTargetPass : ir::impl::SetTargetBase<SetTargetPass> {
  using SetTargetBase::SetTargetBase;

  void runOnOperation() override {
    llvm::Expected<Machine> machine = loadMachine(machineName);
    if (!machine) {
      getOperation().emitError(llvm::toString(machine.takeError()));
      return signalPassFailure();
    }
    bool isPreset = llvm::is_contained(machinePresets(), StringRef(machineName));
    std::string text = isPreset ? machineName.getValue() : printMachine(*machine);
    getOperation()->setAttr(machineAttrName, MachineAttr::get(&getContext(), text));
  }
};

} // namespace
