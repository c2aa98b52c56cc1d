//===- RegisterCheck.cpp - proves an allocation by walking the program ----===//
//
// A state says which value each register surely holds. A loop's body starts
// with what no step of it writes, and is walked once; after a branch stands
// what both sides agree on.
//
//===----------------------------------------------------------------------===//
#include "dojo/Scheduling/RegisterAllocation.h"

namespace dojo::regalloc {
namespace {

constexpr ValueId nothing = ~0u;
constexpr unsigned maxRegisters = 64;
using State = std::vector<std::array<ValueId, maxRegisters>>;

class Checker {
public:
  Checker(const Problem &problem, const Solution &solution)
      : problem(problem), solution(solution) {}

  std::optional<std::string> run() {
    if (solution.size() != problem.values.size())
      return "the solution has another number of values than the problem";
    State state(problem.files.size());
    for (auto &file : state)
      file.fill(nothing);
    std::vector<bool> defined(problem.values.size());
    for (const Step &step : problem.steps)
      for (ValueId value : step.defs)
        defined[value] = true;
    for (ValueId value = 0; value < problem.values.size(); ++value) {
      checkPlace(value);
      if (!defined[value])
        holds(state, value) = value;
    }
    for (unsigned at = 0; at < problem.steps.size() && !error;)
      at = walk(at, state);
    return error;
  }

private:
  const Problem &problem;
  const Solution &solution;
  std::optional<std::string> error;

  ValueId &holds(State &state, ValueId value) {
    return state[problem.values[value].file][solution[value]];
  }

  void fail(std::string reason) {
    if (!error)
      error = std::move(reason);
  }

  void checkPlace(ValueId value) {
    const ValueInfo &info = problem.values[value];
    RegisterSet bit = RegisterSet(1) << solution[value];
    if (info.fixed ? *info.fixed != solution[value] : !(problem.files[info.file].allocatable & bit))
      fail("value " + std::to_string(value) + " stands in register " +
           std::to_string(solution[value]) + ", which is not its own");
  }

  void read(unsigned at, State &state) {
    for (ValueId value : problem.steps[at].uses)
      if (holds(state, value) != value)
        fail("step " + std::to_string(at) + " does not find value " + std::to_string(value) +
             " in register " + std::to_string(solution[value]));
  }

  void write(unsigned at, State &state) {
    llvm::ArrayRef<ValueId> defs = problem.steps[at].defs;
    for (ValueId value : defs)
      holds(state, value) = value;
    for (ValueId value : defs)
      if (holds(state, value) != value)
        fail("step " + std::to_string(at) + " writes two values to one register");
  }

  void tied(unsigned at, llvm::ArrayRef<ValueId> left, llvm::ArrayRef<ValueId> right) {
    if (left.size() != right.size())
      return fail("step " + std::to_string(at) + " ties lists of different lengths");
    for (unsigned i = 0; i < left.size(); ++i)
      if (solution[left[i]] != solution[right[i]])
        fail("step " + std::to_string(at) + " ties values " + std::to_string(left[i]) + " and " +
             std::to_string(right[i]) + ", which stand in different registers");
  }

  void clobber(State &state) {
    for (unsigned file = 0; file < state.size(); ++file)
      for (unsigned reg = 0; reg < maxRegisters; ++reg)
        if (!(problem.files[file].preserved >> reg & 1))
          state[file][reg] = nothing;
  }

  /// The step that closes the bracket, or divides it, after `at`.
  unsigned next(unsigned at) {
    unsigned depth = 0;
    for (++at;; ++at) {
      StepKind kind = problem.steps[at].kind;
      if (kind == StepKind::repeatBegin || kind == StepKind::ifBegin)
        ++depth;
      else if (depth == 0 &&
               (kind == StepKind::repeatEnd || kind == StepKind::ifElse || kind == StepKind::ifEnd))
        return at;
      else if (kind == StepKind::repeatEnd || kind == StepKind::ifEnd)
        --depth;
    }
  }

  unsigned walk(unsigned at, State &state) {
    const Step &step = problem.steps[at];
    read(at, state);
    if (step.kind == StepKind::repeatBegin)
      return walkRepeat(at, state);
    if (step.kind == StepKind::ifBegin)
      return walkIf(at, state);
    if (step.kind == StepKind::update)
      tied(at, llvm::ArrayRef(step.uses).take_back(), step.defs);
    if (step.kind == StepKind::call)
      clobber(state);
    write(at, state);
    return at + 1;
  }

  unsigned walkRepeat(unsigned begin, State &state) {
    unsigned end = next(begin);
    for (unsigned at = begin + 1; at < end; ++at) {
      for (ValueId value : problem.steps[at].defs)
        holds(state, value) = nothing;
      if (problem.steps[at].kind == StepKind::call)
        clobber(state);
    }
    const Step &head = problem.steps[begin], &tail = problem.steps[end];
    tied(begin, head.uses, head.defs);
    tied(end, tail.uses, head.defs);
    tied(end, llvm::ArrayRef(tail.uses).take_back(tail.defs.size()), tail.defs);
    write(begin, state);
    for (unsigned at = begin + 1; at < end && !error;)
      at = walk(at, state);
    read(end, state);
    for (ValueId value : tail.uses)
      holds(state, value) = nothing;
    write(end, state);
    return end + 1;
  }

  unsigned walkIf(unsigned begin, State &state) {
    unsigned middle = next(begin), end = next(middle);
    State other = state;
    for (unsigned at = begin + 1; at < middle && !error;)
      at = walk(at, state);
    read(middle, state);
    for (unsigned at = middle + 1; at < end && !error;)
      at = walk(at, other);
    read(end, other);
    tied(middle, problem.steps[middle].uses, problem.steps[end].defs);
    tied(end, problem.steps[end].uses, problem.steps[end].defs);
    for (unsigned file = 0; file < state.size(); ++file)
      for (unsigned reg = 0; reg < maxRegisters; ++reg)
        if (state[file][reg] != other[file][reg])
          state[file][reg] = nothing;
    write(end, state);
    return end + 1;
  }
};

} // namespace

std::optional<std::string> check(const Problem &problem, const Solution &solution) {
  return Checker(problem, solution).run();
}

} // namespace dojo::regalloc
