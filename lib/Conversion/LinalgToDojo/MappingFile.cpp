//===- MappingFile.cpp - mappings as a text that people edit --------------===//
#include "MappingFile.h"
#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "dojo/Support/File.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FileSystem.h"
#include <map>

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

/// Ops in the order of the module, by what stands left of the equals sign.
using OpsByKey = llvm::MapVector<std::string, linalg::LinalgOp, std::map<std::string, unsigned>>;

static OpsByKey opsByKey(ModuleOp module) {
  OpsByKey ops;
  llvm::StringMap<unsigned> counts;
  for (auto function : module.getOps<func::FuncOp>())
    function.walk([&](linalg::LinalgOp op) {
      if (isa<linalg::FillOp, linalg::TransposeOp>(op.getOperation()))
        return;
      auto name = op.getLoc()->findInstanceOf<NameLoc>();
      std::string key;
      llvm::raw_string_ostream os(key);
      os << function.getName() << " \"";
      llvm::printEscapedString(name ? name.getName().getValue() : "", os);
      os << '"';
      if (unsigned earlier = counts[key]++)
        os << '#' << earlier;
      ops[key] = op;
    });
  return ops;
}

LogicalResult ir::readMappings(ModuleOp module, StringRef path) {
  llvm::Expected<std::string> text = readFile(path);
  if (!text)
    return module.emitError(llvm::toString(text.takeError()));
  OpsByKey ops = opsByKey(module);
  unsigned number = 0;
  for (StringRef rest = *text; !rest.empty();) {
    StringRef line;
    std::tie(line, rest) = rest.split('\n');
    ++number;
    line = line.trim();
    if (line.empty() || line.starts_with("//"))
      continue;
    // A name may hold an equals sign, a mapping begins with the last '#dojo'.
    size_t at = line.rfind("#dojo.mapping");
    StringRef key = line.take_front(at).rtrim();
    if (at == StringRef::npos || !key.consume_back("="))
      return module.emitError(path)
             << ":" << number << ": expected FUNCTION \"NODE\" = #dojo.mapping<...>";
    auto *op = ops.find(key.rtrim().str());
    if (op == ops.end())
      return module.emitError(path) << ":" << number << ": the model has no op " << key.rtrim();
    auto mapping =
        dyn_cast_or_null<MappingAttr>(parseAttribute(line.drop_front(at), module.getContext()));
    if (!mapping)
      return module.emitError(path) << ":" << number << ": this is no mapping";
    op->second->setAttr(mappingAttrName, mapping);
  }
  return success();
}

LogicalResult ir::writeMappings(ModuleOp module, StringRef path) {
  OpsByKey ops = opsByKey(module);
  llvm::Error error = llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    for (auto &[key, op] : ops)
      if (auto mapping = op->getAttrOfType<MappingAttr>(mappingAttrName))
        os << key << " = " << mapping << '\n';
    return llvm::Error::success();
  });
  return error ? module.emitError(llvm::toString(std::move(error))) : success();
}
