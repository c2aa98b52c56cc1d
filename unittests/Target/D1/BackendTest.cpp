//===- BackendTest.cpp - emitted words do what scf and arith say ----------===//
#include "RandomLoop.h"
#include "RandomProgram.h"
#include "Reference.h"
#include "WordMachine.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/Pipelines/D1Backend.h"
#include "dojo/Target/D1/Emit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::test;

namespace {

class BackendTest : public ::testing::Test {
protected:
  BackendTest() : context(MLIRContext::Threading::DISABLED) {
    context.loadDialect<arith::ArithDialect, scf::SCFDialect, func::FuncDialect,
                        ::dojo::d1::D1Dialect>();
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        message = diagnostic.str();
    });
  }

  static Memory startMemory(unsigned seed) {
    Memory memory;
    for (uint64_t i = 0; i < memoryBytes; i += 8)
      memory.store(i, int64_t((i + seed) * 0x9e3779b97f4a7c15));
    return memory;
  }

  bool isRefusal() const {
    return StringRef(message).contains("registers") ||
           StringRef(message).contains("accumulators cannot be copied");
  }

  /// "" if words and reference leave the same memory, "refused" if registers
  /// were short or accumulators swapped, else what is wrong.
  std::string compare(ModuleOp module, unsigned seed) {
    if (failed(verify(module)))
      return "the program is invalid: " + message;
    Memory expected = startMemory(seed), found = startMemory(seed);
    evaluate(module, "step", expected);
    PassManager manager(&context);
    buildD1BackendPipeline(manager.nest<func::FuncOp>());
    if (failed(manager.run(module)))
      return isRefusal() ? "refused" : "the pipeline fails: " + message;
    llvm::Expected<::dojo::d1::CodeImage> image = ::dojo::d1::emitCode(module);
    if (!image)
      return "no code: " + llvm::toString(image.takeError());
    if (llvm::Error error = runWords(image->words, image->entries.at("step"), found))
      return "the code fails: " + llvm::toString(std::move(error));
    for (uint64_t i = 0; i < memoryBytes; ++i)
      if (expected.bytes[i] != found.bytes[i])
        return "memory differs at byte " + std::to_string(i);
    return "";
  }

  std::string compareText(StringRef text) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    return module ? compare(*module, 1) : "the text does not parse: " + message;
  }

  MLIRContext context;
  std::string message;
};

TEST_F(BackendTest, RandomProgramsLeaveTheMemoryOfTheirReference) {
  unsigned refused = 0, cases = 600;
  for (unsigned seed = 1; seed <= cases; ++seed) {
    OwningOpRef<ModuleOp> module = randomProgram(&context, seed);
    OwningOpRef<ModuleOp> original(module->clone());
    std::string result = compare(*module, seed);
    refused += result == "refused";
    if (result.empty() || result == "refused")
      continue;
    std::string text;
    llvm::raw_string_ostream(text) << *original;
    FAIL() << "seed " << seed << ": " << result << "\n" << text;
  }
  EXPECT_LT(refused, cases / 20);
}

TEST_F(BackendTest, RandomLoopsOverMemoryLeaveTheMemoryOfTheirReference) {
  unsigned cases = 600, overlapped = 0;
  for (unsigned seed = 1; seed <= cases; ++seed) {
    std::string text = randomLoop(seed);
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module) << message << "\n" << text;
    ASSERT_EQ(compare(*module, seed), "") << "seed " << seed << "\n" << text;
    module->walk([&](Operation *op) {
      if (auto stages = op->getAttrOfType<IntegerAttr>("d1.stages"))
        overlapped += stages.getInt() > 1;
    });
  }
  EXPECT_GT(overlapped, cases / 4);
}

} // namespace
