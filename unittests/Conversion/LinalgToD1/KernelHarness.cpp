//===- KernelHarness.cpp - a kernel against its plain meaning -------------===//
#include "KernelHarness.h"
#include "OnExecutor.h"
#include "Reference.h"
#include "RoutineInterpreter.h"
#include "dojo/Conversion/LinalgToD1/Passes.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace dojo::testing;

namespace {

/// Bytes between buffers, so that a store outside one is seen.
constexpr int64_t guardBytes = 128, alignment = 64;

class Run {
public:
  Run(StringRef text, unsigned seed, bool special) : random(seed), special(special) {
    context.loadDialect<func::FuncDialect, linalg::LinalgDialect, memref::MemRefDialect,
                        arith::ArithDialect, math::MathDialect, scf::SCFDialect,
                        dojo::d1::D1Dialect>();
    module = parseSourceString<ModuleOp>(text, &context);
  }

  KernelRun run() {
    if (!module)
      return {"does not parse", ""};
    auto kernel = *module->getOps<func::FuncOp>().begin();
    placeBuffers(kernel);
    std::vector<uint8_t> expected = memory;
    std::string error = evaluate(kernel, addresses, expected);
    if (!error.empty())
      return {"reference: " + error, ""};
    PassManager manager(&context);
    manager.addPass(dojo::ir::createSetTarget());
    manager.addPass(dojo::createConvertKernelsToD1());
    if (failed(manager.run(*module)))
      return {"does not convert", ""};
    auto routine = *module->getOps<func::FuncOp>().begin();
    std::string unit = routine->getAttrOfType<StringAttr>("d1.unit").str();
    std::vector<uint8_t> executed = memory;
    error = interpret(routine, addresses, memory);
    if (error.empty())
      error = compare(expected, memory);
    if (error.empty())
      error = runOnExecutor(*module, addresses, executed);
    if (error.empty())
      error = compare(expected, executed);
    return {error, unit};
  }

private:
  struct Buffer {
    MemRefType type;
    int64_t address;
  };

  Scalar randomNumber(Type type) {
    int64_t number = std::uniform_int_distribution<int64_t>(-16, 16)(random);
    unsigned dice = special ? random() % 8 : 8;
    static const double odd[] = {NAN, INFINITY, -INFINITY, -0.0, 2147483648.0};
    static const int64_t large[] = {INT32_MIN, INT32_MAX, -1, 1 << 24, 0x55555555};
    if (isa<FloatType>(type))
      return {dice < 5 ? odd[dice] : double(number) / 8, 0};
    return {0, dice < 5 ? large[dice] : number};
  }

  void fill(const Buffer &buffer) {
    Type element = buffer.type.getElementType();
    for (int64_t at = buffer.address, size = elementSize(element); at < int64_t(memory.size());
         at += size)
      writeElement(element, randomNumber(element), &memory[at]);
  }

  void placeBuffers(func::FuncOp kernel) {
    for (Type argument : kernel.getArgumentTypes()) {
      auto type = cast<MemRefType>(argument);
      auto [strides, offset] = type.getStridesAndOffset();
      int64_t last = offset;
      for (auto [size, stride] : llvm::zip_equal(type.getShape(), strides))
        last += (size - 1) * stride;
      int64_t address = (memory.size() + guardBytes + alignment - 1) / alignment * alignment;
      memory.resize(address, 0xa5);
      memory.resize(address + (last + 1) * elementSize(type.getElementType()));
      buffers.push_back({type, address});
      addresses.push_back(address);
      fill(buffers.back());
    }
    memory.resize(memory.size() + guardBytes, 0xa5);
  }

  /// One NaN is as good as another.
  void unifyNaNs(std::vector<uint8_t> &bytes) {
    for (const Buffer &buffer : buffers) {
      Type element = buffer.type.getElementType();
      auto [strides, offset] = buffer.type.getStridesAndOffset();
      int64_t count = offset + 1;
      for (auto [size, stride] : llvm::zip_equal(buffer.type.getShape(), strides))
        count += (size - 1) * stride;
      for (int64_t i = 0, size = elementSize(element); i < count && isa<FloatType>(element); ++i) {
        uint8_t *at = &bytes[buffer.address + i * size];
        if (std::isnan(readElement(element, at).f))
          writeElement(element, {NAN, 0}, at);
      }
    }
  }

  std::string compare(std::vector<uint8_t> expected, std::vector<uint8_t> found) {
    unifyNaNs(expected);
    unifyNaNs(found);
    for (size_t at = 0; at < found.size(); ++at)
      if (found[at] != expected[at])
        return describe(at, expected, found);
    return "";
  }

  std::string describe(size_t at, const std::vector<uint8_t> &expected,
                       const std::vector<uint8_t> &found) {
    for (auto [number, buffer] : llvm::enumerate(buffers)) {
      Type element = buffer.type.getElementType();
      int64_t size = elementSize(element), place = (int64_t(at) - buffer.address) / size;
      bool isLast = number + 1 == buffers.size() || int64_t(at) < buffers[number + 1].address;
      if (int64_t(at) < buffer.address || !isLast)
        continue;
      Scalar got = readElement(element, &found[buffer.address + place * size]);
      Scalar want = readElement(element, &expected[buffer.address + place * size]);
      return llvm::formatv("buffer {0}, element {1}: {2} {3}, expected {4} {5}", number, place,
                           got.f, got.i, want.f, want.i);
    }
    return "a guard byte has changed";
  }

  std::mt19937 random;
  bool special;
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::vector<uint8_t> memory;
  std::vector<Buffer> buffers;
  std::vector<int64_t> addresses;
};

} // namespace

KernelRun dojo::testing::runKernel(StringRef text, unsigned seed, bool special) {
  return Run(text, seed, special).run();
}
