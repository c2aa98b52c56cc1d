//===- MappingFile.cpp - mappings as a text that people edit --------------===//
#include "MappingFile.h"
#include "dojo/Conversion/LinalgToDojo/OperandLayouts.h"
#include "dojo/Conversion/LinalgToDojo/Passes.h"
#include "dojo/Support/File.h"
#include "dojo/Support/Names.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FileSystem.h"
#include <map>

namespace dojo::ir {
#define GEN_PASS_DEF_EXPORTMAPPING
#include "dojo/Conversion/LinalgToDojo/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

/// Behind the mapping of an op whose results lie in DRAM.
constexpr StringLiteral inDram = ", storage = \"dram\"";

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

namespace {

/// Sets the mapping of one line after another; what is wrong is said of the line.
class MappingReader {
public:
  MappingReader(ModuleOp module, const Coords &grid, StringRef path)
      : module(module), grid(grid), path(path), ops(opsByKey(module)) {}

  LogicalResult read(StringRef line, unsigned number);

private:
  InFlightDiagnostic error() { return module.emitError(path) << ":" << number << ": "; }
  std::string nearKeys(StringRef key) const;
  /// Sets the mapping and the storage that the text gives, unless they are none or break a rule.
  LogicalResult set(linalg::LinalgOp op, StringRef text);

  ModuleOp module;
  const Coords &grid;
  StringRef path;
  OpsByKey ops;
  llvm::StringMap<unsigned> seen; ///< the line of each key
  unsigned number = 0;
};

} // namespace

std::string MappingReader::nearKeys(StringRef key) const {
  std::vector<std::string> keys;
  for (auto &[known, op] : ops)
    keys.push_back(known);
  return nearNames(key, keys);
}

/// The mapping that the text begins with and its length; none, and why, if it breaks a rule.
static MappingAttr legalMapping(linalg::LinalgOp op, StringRef text, const Coords &grid,
                                size_t &length, std::string &reason) {
  ScopedDiagnosticHandler overhear(op.getContext(), [&](Diagnostic &diagnostic) {
    reason += (reason.empty() ? "" : "; ") + diagnostic.str();
    return success();
  });
  auto mapping = dyn_cast_or_null<MappingAttr>(parseAttribute(text, op.getContext(), {}, &length));
  return mapping && succeeded(MappedOp::get(op, mapping, grid)) ? mapping : MappingAttr{};
}

LogicalResult MappingReader::set(linalg::LinalgOp op, StringRef text) {
  std::string reason;
  size_t length = 0;
  MappingAttr mapping = legalMapping(op, text, grid, length, reason);
  if (!mapping)
    return error() << reason;
  op->setAttr(mappingAttrName, mapping);
  StringRef rest = text.drop_front(length);
  if (rest.empty())
    return success();
  if (rest != inDram)
    return error() << "behind a mapping stands '" << inDram << "' or nothing, not '" << rest << "'";
  op->setAttr(storageAttrName, StringAttr::get(module.getContext(), "dram"));
  return success();
}

LogicalResult MappingReader::read(StringRef line, unsigned lineNumber) {
  number = lineNumber;
  if (line.empty() || line.starts_with("//"))
    return success();
  // A name may hold an equals sign, a mapping begins with the last '#dojo'.
  size_t at = line.rfind("#dojo.mapping");
  StringRef key = line.take_front(at).rtrim();
  if (at == StringRef::npos || !key.consume_back("="))
    return error() << "expected FUNCTION \"NODE\" = #dojo.mapping<...>";
  key = key.rtrim();
  auto *op = ops.find(key.str());
  if (op == ops.end())
    return error() << "the model has no op " << key << nearKeys(key);
  auto [first, isNew] = seen.insert({key, number});
  if (!isNew)
    return error() << key << " has a mapping already, in line " << first->second;
  return set(op->second, line.drop_front(at));
}

LogicalResult ir::readMappings(ModuleOp module, const Coords &grid, StringRef path) {
  llvm::Expected<std::string> text = readFile(path);
  if (!text)
    return module.emitError(llvm::toString(text.takeError()));
  MappingReader reader(module, grid, path);
  unsigned number = 0;
  for (StringRef rest = *text; !rest.empty();) {
    StringRef line;
    std::tie(line, rest) = rest.split('\n');
    if (failed(reader.read(line.trim(), ++number)))
      return failure();
  }
  return success();
}

static void printMappings(ModuleOp module, llvm::raw_ostream &os) {
  for (auto &[key, op] : opsByKey(module))
    if (auto mapping = op->getAttrOfType<MappingAttr>(mappingAttrName))
      os << key << " = " << mapping << (op->hasAttr(storageAttrName) ? inDram : "") << '\n';
}

namespace {

struct ExportMappingPass : ir::impl::ExportMappingBase<ExportMappingPass> {
  using ExportMappingBase::ExportMappingBase;

  void runOnOperation() override {
    llvm::Error error = llvm::writeToOutput(file, [&](llvm::raw_ostream &os) {
      printMappings(getOperation(), os);
      return llvm::Error::success();
    });
    if (!error)
      return;
    getOperation().emitError(llvm::toString(std::move(error)));
    signalPassFailure();
  }
};

} // namespace
