//===- Translations.cpp - d1 code as text ---------------------------------===//
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/ISA/Assembly.h"
#include "dojo/Target/D1/Emit.h"

#include "mlir/Tools/mlir-translate/Translation.h"

using namespace mlir;

namespace dojo::d1 {
namespace {

/// The disassembly, with routines, entries and marks as labels.
LogicalResult printAssembly(ModuleOp module, raw_ostream &os) {
  llvm::Expected<CodeImage> image = emitCode(module);
  if (!image)
    return module.emitError(llvm::toString(image.takeError()));
  std::map<uint32_t, std::string> names;
  for (auto [id, address] : image->marks)
    names[address] = "mark" + std::to_string(id);
  for (const auto &[name, range] : image->routines)
    names[range.begin] = name;
  for (const auto &[name, address] : image->entries)
    names[address] = name;
  os << isa::disassemble(image->words, 0, names);
  return success();
}

} // namespace

void registerD1Translations() {
  TranslateFromMLIRRegistration toAssembly(
      "d1-to-assembly", "disassembly of the code of allocated routines and entries", printAssembly,
      [](DialectRegistry &registry) { registry.insert<D1Dialect, func::FuncDialect>(); });
}

} // namespace dojo::d1
