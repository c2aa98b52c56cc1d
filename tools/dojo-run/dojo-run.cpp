//===- dojo-run.cpp - runs a D1 binary on the executor --------------------===//
#include "dojo/Executor/Arrays.h"
#include "dojo/Machine/Machine.h"
#include "dojo/Support/Progress.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/WithColor.h"

using namespace dojo;
using llvm::Error;
using llvm::Expected;
namespace cl = llvm::cl;

namespace {

struct CommandLine {
  cl::OptionCategory category{"dojo-run options"};
  cl::opt<std::string> binary{cl::Positional, cl::Required, cl::desc("OUT.d1"), cl::cat(category)};
  cl::list<std::string> inputs{"input", cl::desc("value of an input, in numpy's format"),
                               cl::value_desc("NAME=FILE.npy"), cl::cat(category)};
  cl::opt<std::string> outputDir{"output-dir", cl::desc("write every output as DIR/NAME.npy"),
                                 cl::value_desc("DIR"), cl::cat(category)};
  cl::opt<std::string> machine{"machine",
                               cl::desc("run on this machine, which has other dead nodes"),
                               cl::value_desc("MACHINE"), cl::cat(category)};
  cl::opt<unsigned> threads{"threads", cl::desc("host threads (default: one a core)"),
                            cl::value_desc("N"), cl::init(0), cl::cat(category)};
  cl::opt<exec::Strict> strict{
      "strict", cl::desc("check the program while it runs"),
      cl::values(
          clEnumValN(exec::Strict::memory, "memory", "every SRAM access, by the buffer table"),
          clEnumValN(exec::Strict::race, "race",
                     "that, and that signals order accesses to the same bytes")),
      cl::init(exec::Strict::none), cl::cat(category)};
  cl::opt<bool> interpret{"interpret",
                          cl::desc("execute every instruction by itself, the reference"),
                          cl::cat(category)};
  cl::opt<bool> timing{"timing", cl::desc("model the time of the run; --report has the figures"),
                       cl::cat(category)};
  cl::opt<std::string> trace{"trace", cl::desc("write the modelled run as Perfetto opens it"),
                             cl::value_desc("FILE"), cl::cat(category)};
  cl::list<unsigned> traceNodes{"trace-nodes", cl::CommaSeparated,
                                cl::desc("nodes that the trace shows (default: all)"),
                                cl::value_desc("N,..."), cl::cat(category)};
  cl::opt<std::string> report{"report", cl::desc("write counters as JSON"),
                              cl::value_desc("FILE.json"), cl::cat(category)};
};

Error writeReport(const exec::Stats &init, const exec::Executor &executor, llvm::StringRef path) {
  llvm::json::Object report = exec::toJSON(executor.stats());
  report["init"] = exec::toJSON(init);
  exec::addTiming(report, executor.timing());
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    os << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(report)));
    return Error::success();
  });
}

Error writeTrace(llvm::StringRef trace, llvm::StringRef path) {
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    os << trace;
    return Error::success();
  });
}

Expected<binary::Program> readProgram(const CommandLine &line) {
  Expected<binary::Program> program = binary::readFile(line.binary);
  if (!program || line.machine.empty())
    return program;
  Expected<Machine> machine = loadMachine(line.machine);
  if (!machine)
    return machine.takeError();
  if (Error error = binary::retarget(*program, *machine))
    return error;
  return program;
}

Error runBinary(const CommandLine &line) {
  Expected<binary::Program> program = readProgram(line);
  if (!program)
    return program.takeError();
  Expected<std::vector<exec::Tensor>> inputs = exec::readInputs(*program, line.inputs);
  if (!inputs)
    return inputs.takeError();
  exec::Options options;
  options.threads = line.threads;
  options.strict = line.strict;
  options.interpret = line.interpret;
  options.timing = line.timing || !line.trace.empty();
  if (!line.trace.empty())
    options.tracedNodes.emplace(line.traceNodes.begin(), line.traceNodes.end());
  else if (!line.traceNodes.empty())
    return llvm::createStringError("--trace-nodes without --trace=FILE");
  auto executor = exec::Executor::create(*program, options);
  if (!executor)
    return executor.takeError();
  if (Error error = (*executor)->checkInputs(*inputs))
    return error;

  Progress progress("running " + line.binary);
  if (Error error = (*executor)->runInit())
    return error;
  exec::Stats init = (*executor)->stats();
  Expected<std::vector<exec::Tensor>> outputs = (*executor)->step(*inputs);
  if (!outputs)
    return outputs.takeError();
  if (!line.outputDir.empty())
    if (Error error = exec::writeOutputs(*outputs, line.outputDir))
      return error;
  if (!line.trace.empty())
    if (Error error = writeTrace((*executor)->trace(), line.trace))
      return error;
  return line.report.empty() ? Error::success() : writeReport(init, **executor, line.report);
}

} // namespace

int main(int argc, char **argv) {
  // libLLVM has an option of this name, of no use here.
  if (cl::Option *taken = cl::getRegisteredOptions().lookup("threads"))
    taken->removeArgument();
  CommandLine line;
  cl::HideUnrelatedOptions(line.category);
  cl::ParseCommandLineOptions(argc, argv, "runs a D1 binary on the executor\n");
  if (Error error = runBinary(line)) {
    llvm::WithColor::error(llvm::errs(), "dojo-run") << llvm::toString(std::move(error)) << '\n';
    return 1;
  }
  return 0;
}
