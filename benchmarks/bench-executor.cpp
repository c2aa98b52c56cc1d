//===- bench-executor.cpp - the executor's speed beside the host's --------===//
//
// Measures in one process the peak of FP32 fused multiply-adds of one host thread and
// the fastest of some runs: of a binary's `step` on made-up inputs, or without a binary
// of a loop of scalar integer instructions. Prints both as JSON.
//
//===----------------------------------------------------------------------===//
#include "dojo/Binary/Program.h"
#include "dojo/Executor/Executor.h"
#include "dojo/ISA/Assembly.h"
#include "dojo/Machine/Machine.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <cstring>
#include <ctime>
#include <random>

using namespace dojo;
namespace cl = llvm::cl;

namespace {

struct CommandLine {
  cl::OptionCategory category{"dojo-bench-executor options"};
  cl::opt<std::string> binary{cl::Positional, cl::desc("[FILE.d1]"), cl::cat(category)};
  cl::opt<unsigned> threads{"threads", cl::desc("host threads"), cl::init(1), cl::cat(category)};
  cl::opt<unsigned> runs{"runs", cl::desc("of which the fastest counts"), cl::init(5),
                         cl::cat(category)};
  cl::opt<bool> interpret{"interpret", cl::desc("every instruction by itself"), cl::cat(category)};
  cl::opt<bool> timing{"timing", cl::desc("model the time of the run"), cl::cat(category)};
};

/// Processor time of this process: what else runs on the host does not count.
double processorSeconds() { return double(std::clock()) / CLOCKS_PER_SEC; }

//===-- The host's peak ---------------------------------------------------===//

/// As many chains as hide the latency of every host's multiply-adds.
constexpr unsigned chains = 12, rounds = 1 << 20;

template <class Row>
[[gnu::always_inline]] inline float chainedProducts() {
  Row sums[chains] = {};
  volatile float half = 0.5f, one = 1.0f;
  const Row factor = Row{} + half, term = Row{} + one;
  for (unsigned round = 0; round < rounds; ++round)
    for (Row &sum : sums)
      sum = __builtin_elementwise_fma(sum, factor, term);
  Row total = {};
  for (Row sum : sums)
    total += sum;
  return total[0];
}

template <unsigned bytes>
using Floats = float __attribute__((vector_size(bytes)));

[[gnu::target("avx512f")]] float products512() { return chainedProducts<Floats<64>>(); }
[[gnu::target("avx2,fma")]] float products256() { return chainedProducts<Floats<32>>(); }
float products128() { return chainedProducts<Floats<16>>(); }

/// Multiply-adds a second of one thread: the best of some tries.
double peakRate() {
  const exec::Host host = exec::bestHost();
  const unsigned lanes = host == exec::Host::avx512 ? 16 : host == exec::Host::avx2 ? 8 : 4;
  double best = 0;
  for ([[maybe_unused]] unsigned attempt : llvm::seq(20)) {
    const double begin = processorSeconds();
    volatile float result = host == exec::Host::avx512 ? products512()
                            : host == exec::Host::avx2 ? products256()
                                                       : products128();
    (void)result;
    best = std::max(best, double(lanes) * chains * rounds / (processorSeconds() - begin));
  }
  return best;
}

//===-- Programs ----------------------------------------------------------===//

/// 300 million instructions of address arithmetic and branches.
constexpr char scalarLoop[] = R"(
step:
  lis x1, x0, 1831
  shli x1, x1, 14
outer:
  add x2, x2, x3
  shri x4, x2, 7
  xor x3, x3, x4
  addi x2, x2, 13
  andi x5, x2, 31
  slti x6, x5, 16
  add x3, x3, x6
  muli x7, x5, 24
  sub x3, x3, x7
  bdnz x1, outer
  halt
)";

binary::Program scalarProgram() {
  isa::AssembledCode code = llvm::cantFail(isa::assemble(scalarLoop));
  binary::Program program;
  program.machine = printMachine(llvm::cantFail(loadMachine("d1-node")));
  const char *bytes = reinterpret_cast<const char *>(code.words.data());
  program.code.assign(bytes, bytes + code.words.size() * sizeof(uint32_t));
  program.entries.push_back({"step", code.symbols.at("step")});
  return program;
}

/// Numbers of [-1, 1) where the program takes FP32, else zeros.
std::vector<exec::Tensor> inputsOf(const binary::Program &program) {
  std::mt19937 engine;
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<exec::Tensor> inputs;
  for (const binary::Tensor &tensor : program.inputs) {
    std::vector<char> data(tensor.bytes());
    if (tensor.type == binary::ElementType::f32)
      for (uint64_t at = 0; at < data.size(); at += sizeof(float)) {
        const float value = uniform(engine);
        memcpy(&data[at], &value, sizeof(value));
      }
    inputs.push_back({tensor.name, tensor.type, tensor.shape, std::move(data)});
  }
  return inputs;
}

llvm::Error measure(const CommandLine &line) {
  llvm::Expected<binary::Program> program = line.binary.empty()
                                                ? llvm::Expected<binary::Program>(scalarProgram())
                                                : binary::readFile(line.binary);
  if (!program)
    return program.takeError();
  exec::Options options;
  options.threads = line.threads;
  options.interpret = line.interpret;
  options.timing = line.timing;
  auto executor = exec::Executor::create(*program, options);
  if (!executor)
    return executor.takeError();
  if (llvm::Error error = (*executor)->runInit())
    return error;
  const std::vector<exec::Tensor> inputs = inputsOf(*program);
  const exec::Stats init = (*executor)->stats();
  double seconds = HUGE_VAL, processor = HUGE_VAL;
  for ([[maybe_unused]] unsigned run : llvm::seq<unsigned>(line.runs)) {
    const double before = (*executor)->stats().seconds, begin = processorSeconds();
    auto outputs = (*executor)->step(inputs);
    if (!outputs)
      return outputs.takeError();
    processor = std::min(processor, processorSeconds() - begin);
    seconds = std::min(seconds, (*executor)->stats().seconds - before);
  }
  const exec::Stats all = (*executor)->stats();
  llvm::json::Object result{
      {"seconds", seconds},
      {"processor_seconds", processor},
      {"instructions", int64_t((all.instructions - init.instructions) / line.runs)},
      {"macs", int64_t((all.macs - init.macs) / line.runs)},
      {"peak_fma_per_second", peakRate()}};
  llvm::outs() << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(result)));
  return llvm::Error::success();
}

} // namespace

int main(int argc, char **argv) {
  // libLLVM has an option of this name, of no use here.
  if (cl::Option *taken = cl::getRegisteredOptions().lookup("threads"))
    taken->removeArgument();
  CommandLine line;
  cl::HideUnrelatedOptions(line.category);
  cl::ParseCommandLineOptions(argc, argv, "measures the executor\n");
  if (llvm::Error error = measure(line)) {
    llvm::errs() << "dojo-bench-executor: " << llvm::toString(std::move(error)) << '\n';
    return 1;
  }
  return 0;
}
