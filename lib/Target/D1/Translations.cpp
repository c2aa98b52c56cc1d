//===- Translations.cpp - dojo-translate between d1 and its files ---------===//
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "dojo/ISA/Assembly.h"
#include "dojo/ISA/Codec.h"
#include "dojo/Target/D1/BuildProgram.h"
#include "dojo/Target/D1/Emit.h"

#include "mlir/InitAllDialects.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace dojo;

static LogicalResult reported(llvm::Error error, Location loc) {
  if (!error)
    return success();
  return emitError(loc, llvm::toString(std::move(error)));
}

static LogicalResult writeAssembly(ModuleOp module, llvm::raw_ostream &os) {
  auto image = d1::emitCode(module);
  if (!image)
    return reported(image.takeError(), module.getLoc());
  std::map<uint32_t, std::string> names;
  for (auto [id, address] : image->marks)
    names[address] = "mark" + std::to_string(id);
  for (auto &[name, range] : image->routines)
    names[range.begin] = name;
  for (auto &[name, address] : image->entries)
    names[address] = name;
  os << isa::disassemble(image->words, 0, names);
  return success();
}

static LogicalResult writeBinary(ModuleOp module, llvm::raw_ostream &os) {
  auto program = d1::buildProgram(module);
  if (!program)
    return reported(program.takeError(), module.getLoc());
  return reported(binary::write(*program, os), module.getLoc());
}

/// Tensors and buffers as comments, then the code.
static llvm::Error printProgram(const binary::Program &program, llvm::raw_ostream &os) {
  auto print = [&](StringRef role, ArrayRef<binary::Tensor> tensors) {
    for (const binary::Tensor &tensor : tensors) {
      os << "# " << role << " '" << tensor.name << "' " << binary::name(tensor.type) << " [";
      llvm::interleaveComma(tensor.shape, os);
      os << "] at DRAM " << tensor.address << '\n';
    }
  };
  print("input", program.inputs);
  print("output", program.outputs);
  print("count", program.counts);
  for (const binary::Buffer &buffer : program.buffers)
    os << "# buffer '" << buffer.name << "' of " << buffer.size << " bytes at " << buffer.address
       << " in " << buffer.entry << '\n';
  std::map<uint32_t, std::string> names;
  for (auto *labels : {&program.routines, &program.entries})
    for (const binary::Label &label : *labels)
      names[label.address] = label.name;
  auto words = isa::toWords(program.code);
  if (!words)
    return words.takeError();
  os << isa::disassemble(*words, 0, names);
  return llvm::Error::success();
}

static LogicalResult disassembleBinary(const std::shared_ptr<llvm::SourceMgr> &sources,
                                       llvm::raw_ostream &os, MLIRContext *context) {
  Location loc = UnknownLoc::get(context);
  StringRef bytes = sources->getMemoryBuffer(sources->getMainFileID())->getBuffer();
  auto program = binary::read(ArrayRef(bytes.data(), bytes.size()));
  if (!program)
    return reported(program.takeError(), loc);
  return reported(printProgram(*program, os), loc);
}

static LogicalResult assembleText(const std::shared_ptr<llvm::SourceMgr> &sources,
                                  llvm::raw_ostream &os, MLIRContext *context) {
  auto code = isa::assemble(sources->getMemoryBuffer(sources->getMainFileID())->getBuffer());
  if (!code)
    return reported(code.takeError(), UnknownLoc::get(context));
  std::vector<char> bytes = isa::toBytes(code->words);
  os.write(bytes.data(), bytes.size());
  return success();
}

void dojo::d1::registerD1Translations() {
  auto dialects = [](DialectRegistry &registry) {
    registerAllDialects(registry);
    registry.insert<D1Dialect, ir::DojoDialect>();
  };
  static TranslateFromMLIRRegistration assembly(
      "d1-to-assembly", "d1 code on numbered registers as assembly", writeAssembly, dialects);
  static TranslateFromMLIRRegistration toBinary("d1-to-binary", "a compiled module as a D1 binary",
                                                writeBinary, dialects);
  static TranslateRegistration fromBinary("binary-to-d1", "a D1 binary as assembly",
                                          disassembleBinary);
  static TranslateRegistration assembler("assemble-d1", "assembly as instruction words",
                                         assembleText);
}
