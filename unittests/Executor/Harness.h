//===- Harness.h - programs in assembly text, run on a small mesh -*- C++ -*-===//
#ifndef DOJO_UNITTESTS_EXECUTOR_HARNESS_H
#define DOJO_UNITTESTS_EXECUTOR_HARNESS_H

#include "dojo/Executor/Executor.h"
#include "dojo/ISA/Assembly.h"
#include "dojo/Machine/Machine.h"
#include "gtest/gtest.h"
#include <cstring>

namespace dojo::exec {

/// A die of `rows` x `cols` live nodes with one DIP.
inline Machine smallMachine(int rows = 1, int cols = 1) {
  Machine machine = llvm::cantFail(loadMachine("d1-node"));
  machine.dieRows = rows;
  machine.dieCols = cols;
  machine.deadNodes.clear();
  return machine;
}

/// A program of the labels `step` and, if it is there, `init`; every other
/// label is a routine.
inline binary::Program assembled(llvm::StringRef text, const Machine &machine = smallMachine()) {
  llvm::ExitOnError orExit;
  isa::AssembledCode code = orExit(isa::assemble(text));
  binary::Program program;
  program.machine = printMachine(machine);
  const char *bytes = reinterpret_cast<const char *>(code.words.data());
  program.code.assign(bytes, bytes + code.words.size() * sizeof(uint32_t));
  for (const auto &[name, address] : code.symbols)
    (name == "step" || name == "init" ? program.entries : program.routines)
        .push_back({name, address});
  return program;
}

/// DRAM addresses of the tensors that tests pass in and out.
constexpr uint64_t inputAddress = 0x10000, outputAddress = 0x20000;

/// Adds an input "in" and an output "out" of so many bytes.
inline void addInOut(binary::Program &program, int64_t inBytes, int64_t outBytes) {
  program.inputs.push_back({"in", binary::ElementType::u8, {inBytes}, inputAddress});
  program.outputs.push_back({"out", binary::ElementType::u8, {outBytes}, outputAddress});
}

/// Runs `step` once; the bytes of the first output, or the error's text.
struct Outcome {
  std::vector<char> out;
  std::string error;
  Stats stats;
};
inline Outcome runOnce(const binary::Program &program, llvm::ArrayRef<char> in = {},
                       const Options &options = {}) {
  auto executor = Executor::create(program, options);
  if (!executor)
    return {{}, llvm::toString(executor.takeError()), {}};
  std::vector<Tensor> inputs;
  if (!program.inputs.empty())
    inputs.push_back({"in", binary::ElementType::u8, {int64_t(in.size())}, in.vec()});
  auto outputs = (*executor)->step(inputs);
  if (!outputs)
    return {{}, llvm::toString(outputs.takeError()), (*executor)->stats()};
  return {outputs->empty() ? std::vector<char>() : outputs->front().data, "", (*executor)->stats()};
}

} // namespace dojo::exec

#endif // DOJO_UNITTESTS_EXECUTOR_HARNESS_H
