//===- dojo-test-races.cpp - mutants of a program, for tests --------------===//
//
// usage: dojo-test-races PROGRAM.d1 [MUTANT.d1...]
//
// A program without races gives the same outputs in every order that is drawn. Then
// each of its waits, signals and drains is taken away, and each call of a routine
// that does nothing else; the files are further mutants. A line says of each
// whether --strict=race finds it, and how many of the drawn orders end with other
// outputs. Exit status 1: a mutant was not found that ends with others.
//
//===----------------------------------------------------------------------===//
#include "dojo/Executor/Executor.h"
#include "dojo/ISA/Assembly.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <map>
#include <random>

using namespace dojo;
using isa::Opcode;

static llvm::ExitOnError orExit("dojo-test-races: ");

namespace {

constexpr unsigned numOrders = 20;

struct Outcome {
  std::vector<exec::Tensor> outputs;
  std::string error;
  bool operator==(const Outcome &other) const {
    return error.empty() && other.error.empty() &&
           llvm::equal(outputs, other.outputs,
                       [](const auto &a, const auto &b) { return a.data == b.data; });
  }
};

struct Mutant {
  std::string name;
  binary::Program program;
};

} // namespace

static std::vector<exec::Tensor> inputsOf(const binary::Program &program) {
  std::mt19937 random(1);
  std::vector<exec::Tensor> inputs;
  for (const binary::Tensor &input : program.inputs) {
    exec::Tensor tensor = {input.name, input.type, input.shape, std::vector<char>(input.bytes())};
    if (input.type == binary::ElementType::f32)
      for (size_t i = 0; i < tensor.data.size(); i += sizeof(float)) {
        const float value = float(random() % 2001) / 1000 - 1;
        memcpy(&tensor.data[i], &value, sizeof(value));
      }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

static Outcome run(const binary::Program &program, exec::Strict strict,
                   std::optional<uint64_t> order) {
  exec::Options options;
  options.threads = 1;
  options.strict = strict;
  options.order = order;
  options.instructionLimit = uint64_t(1) << 26;
  auto executor = exec::Executor::create(program, options);
  if (!executor)
    return {{}, llvm::toString(executor.takeError())};
  auto outputs = (*executor)->step(inputsOf(program));
  if (!outputs)
    return {{}, llvm::toString(outputs.takeError())};
  return {std::move(*outputs), ""};
}

static unsigned othersIn(const binary::Program &program, const Outcome &expected) {
  unsigned others = 0;
  for (unsigned order = 0; order < numOrders; ++order)
    others += !(run(program, exec::Strict::none, order) == expected);
  return others;
}

static std::optional<isa::Decoded> instruction(const binary::Program &program, uint32_t address) {
  auto decoded = isa::decode(llvm::support::endian::read32le(program.code.data() + address));
  if (decoded)
    return std::move(*decoded);
  llvm::consumeError(decoded.takeError());
  return std::nullopt;
}

/// Whether the routine at that address has waits or signals, but moves nothing.
static bool onlySynchronises(const binary::Program &program, uint32_t address) {
  uint32_t end = program.code.size();
  for (const auto &label : llvm::concat<const binary::Label>(program.entries, program.routines))
    if (label.address > address)
      end = std::min(end, label.address);
  bool synchronises = false;
  for (; address < end; address += isa::wordBytes)
    if (auto inst = instruction(program, address)) {
      if (inst->inst->opcode == Opcode::PUSH || inst->inst->opcode == Opcode::PULL)
        return false;
      synchronises |= inst->inst->opcode == Opcode::WAIT || inst->inst->opcode == Opcode::SIGNAL;
    }
  return synchronises;
}

static bool isSynchronisation(const binary::Program &program, uint32_t address) {
  auto inst = instruction(program, address);
  if (!inst)
    return false;
  switch (inst->inst->opcode) {
  case Opcode::WAIT:
  case Opcode::SIGNAL:
  case Opcode::DRAIN:
  case Opcode::BARRIER:
    return true;
  case Opcode::JAL:
    return inst->operands[0] != 0 &&
           onlySynchronises(program, address + int32_t(inst->operands[1]) * isa::wordBytes);
  default:
    return false;
  }
}

static std::vector<Mutant> mutantsOf(const binary::Program &program) {
  const uint32_t nothing = orExit(isa::assemble("addi x0, x0, 0")).words.front();
  std::vector<Mutant> mutants;
  for (uint32_t address = 0; address < program.code.size(); address += isa::wordBytes) {
    if (!isSynchronisation(program, address))
      continue;
    std::string name = isa::toString(*instruction(program, address));
    mutants.push_back(
        {llvm::formatv("{0:x} '{1}' {2} taken away", address, name, program.location(address)),
         program});
    llvm::support::endian::write32le(mutants.back().program.code.data() + address, nothing);
  }
  return mutants;
}

/// What --strict=race says, in a word.
static llvm::StringRef wordFor(const Outcome &outcome) {
  llvm::StringRef error = outcome.error;
  return error.empty()                             ? "nothing"
         : error.starts_with("deadlock")           ? "deadlock"
         : error.contains("nobody has waited for") ? "signals left"
         : error.contains(" orders ") || error.contains(" lies between") ||
                 error.contains("for a signal of another node")
             ? "race"
             : "memory";
}

int main(int argc, char **argv) {
  const binary::Program program = orExit(binary::readFile(argv[1]));
  std::vector<Mutant> mutants = mutantsOf(program);
  for (int i = 2; i < argc; ++i)
    mutants.push_back({argv[i], orExit(binary::readFile(argv[i]))});

  const Outcome expected = run(program, exec::Strict::none, std::nullopt);
  const Outcome checked = run(program, exec::Strict::race, std::nullopt);
  if (!(expected == checked) || othersIn(program, expected)) {
    llvm::errs() << "the program itself: " << expected.error << checked.error << '\n';
    return 1;
  }
  std::map<std::string, unsigned> counts;
  unsigned missed = 0;
  for (const Mutant &mutant : mutants) {
    const Outcome outcome = run(mutant.program, exec::Strict::race, std::nullopt);
    const unsigned others = othersIn(mutant.program, expected);
    const llvm::StringRef word = wordFor(outcome);
    ++counts[word.str()];
    missed += others && outcome.error.empty();
    llvm::outs() << mutant.name << ": " << word << ", " << others << " of " << numOrders
                 << " orders end with others\n";
  }
  for (const auto &[word, count] : counts)
    llvm::outs() << word << ' ' << count << '\n';
  llvm::outs() << "missed " << missed << '\n';
  return missed != 0;
}
