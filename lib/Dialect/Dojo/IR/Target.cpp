//===- Target.cpp - the machine of a module -------------------------------===//
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Machine/Grid.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

FailureOr<Target> Target::of(ModuleOp module) {
  auto attr = module->getAttrOfType<MachineAttr>(machineAttrName);
  if (!attr)
    return module.emitError("has no ")
           << machineAttrName << " attribute, such as #dojo.machine<\"d1-die\">";
  StringRef text = attr.getText();
  llvm::Expected<Machine> machine = text.starts_with("{") ? parseMachine(text) : loadMachine(text);
  if (!machine)
    return module.emitError(llvm::toString(machine.takeError()));
  Coords grid = logicalGrid(*machine).extents;
  auto code = module->getAttrOfType<IntegerAttr>(codeBytesAttrName);
  return Target{std::move(*machine), grid, code ? code.getInt() : 0};
}
