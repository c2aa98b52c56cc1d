//===- OnExecutor.cpp - a routine through back end and executor -----------===//
#include "OnExecutor.h"
#include "dojo/Executor/Executor.h"
#include "dojo/Machine/Machine.h"
#include "dojo/Pipelines/D1Backend.h"
#include "dojo/Target/D1/Emit.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace dojo;

namespace {

/// Above any kernel's code: the block descriptor, then the test's memory.
constexpr int64_t descriptorAddress = 0x10000, memoryAddress = 0x10040;
constexpr uint64_t inputAddress = 0, outputAddress = uint64_t(1) << 24,
                   dramSpace = uint64_t(2) << 62;

/// An entry that pulls the memory, calls the routine and pushes the memory back.
std::string entry(func::FuncOp routine, ArrayRef<int64_t> arguments, int64_t bytes) {
  std::string text = "func.func @step() attributes {d1.entry} {\n";
  auto constant = [&](StringRef name, int64_t value) {
    text += llvm::formatv("  %{0} = arith.constant {1} : i64\n", name, value);
  };
  constant("zero", 0);
  constant("bytes", bytes);
  constant("descriptor", descriptorAddress);
  constant("memory", memoryAddress);
  constant("in", int64_t(dramSpace | inputAddress));
  constant("out", int64_t(dramSpace | outputAddress));
  for (int64_t at = 0; at < 64; at += 8)
    text += llvm::formatv("  d1.std %{0}, %descriptor, {1} : (i64, i64) -> ()\n",
                          at ? "zero" : "bytes", at);
  text += "  d1.pull %descriptor, %memory, %in : (i64, i64, i64) -> ()\n  d1.drain\n";
  std::string values, types;
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    constant("a" + std::to_string(i), memoryAddress + argument);
    values += llvm::formatv("{0}%a{1}", i ? ", " : "", i);
    types += i ? ", i64" : "i64";
  }
  text += llvm::formatv("  d1.call @{0}({1}) : ({2}) -> ()\n", routine.getName(), values, types);
  return text + "  d1.push %descriptor, %memory, %out : (i64, i64, i64) -> ()\n  d1.drain\n"
                "  return\n}\n";
}

llvm::Expected<binary::Program> link(const d1::CodeImage &image, int64_t bytes) {
  auto machine = loadMachine("d1-node");
  if (!machine)
    return machine.takeError();
  binary::Program program;
  program.machine = printMachine(*machine);
  const char *words = reinterpret_cast<const char *>(image.words.data());
  program.code.assign(words, words + image.words.size() * sizeof(uint32_t));
  for (const auto &[name, address] : image.entries)
    program.entries.push_back({name, address});
  program.inputs.push_back({"in", binary::ElementType::u8, {bytes}, inputAddress});
  program.outputs.push_back({"out", binary::ElementType::u8, {bytes}, outputAddress});
  return program;
}

llvm::Error execute(ModuleOp module, MutableArrayRef<uint8_t> memory) {
  auto image = d1::emitCode(module);
  if (!image)
    return image.takeError();
  auto program = link(*image, memory.size());
  if (!program)
    return program.takeError();
  auto executor = exec::Executor::create(*program);
  if (!executor)
    return executor.takeError();
  exec::Tensor in{"in",
                  binary::ElementType::u8,
                  {int64_t(memory.size())},
                  std::vector<char>(memory.begin(), memory.end())};
  auto outputs = (*executor)->step(in);
  if (!outputs)
    return outputs.takeError();
  llvm::copy(outputs->front().data, memory.begin());
  return llvm::Error::success();
}

} // namespace

std::string dojo::testing::runOnExecutor(ModuleOp module, ArrayRef<int64_t> arguments,
                                         MutableArrayRef<uint8_t> memory) {
  auto routine = *module.getOps<func::FuncOp>().begin();
  std::string text;
  llvm::raw_string_ostream os(text);
  routine->print(os);
  os << "\n" << entry(routine, arguments, memory.size());
  auto program = parseSourceString<ModuleOp>(text, module.getContext());
  if (!program)
    return "the entry does not parse";
  PassManager manager(module.getContext());
  buildD1BackendPipeline(manager.nest<func::FuncOp>());
  if (failed(manager.run(*program)))
    return "the back end refuses the routine";
  return llvm::toString(execute(*program, memory));
}
