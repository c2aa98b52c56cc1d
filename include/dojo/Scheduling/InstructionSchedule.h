//===- InstructionSchedule.h - when each instruction issues -----*- C++ -*-===//
//
// Issue cycles for a straight line or for the body of a loop whose iterations
// overlap (Rau, "Iterative Modulo Scheduling", MICRO 1994). Every instruction
// takes a slot of each of its resources in its cycle, and waits for others along
// edges. A loop's schedule repeats after `interval` cycles, whose lower bounds
// stand beside it. check() knows nothing of how a schedule was found.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_SCHEDULING_INSTRUCTIONSCHEDULE_H
#define DOJO_SCHEDULING_INSTRUCTIONSCHEDULE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>
#include <vector>

namespace dojo::sched {

/// Something of which so many instructions a cycle can have a share: an issue
/// slot, a port.
struct Resource {
  std::string name;
  unsigned perCycle;
};

/// A register file, and how many registers the problem's values may take.
struct File {
  std::string name;
  unsigned registers;
};

struct Instruction {
  std::string name;
  llvm::SmallVector<unsigned, 2> resources;
  std::optional<unsigned> file; ///< of its result
  bool kept = false;            ///< its result is used after the line
  bool given = false;           ///< a value from before the line that ends in it
};

/// `to` issues at least `latency` cycles after `from` did `distance` iterations
/// before; with latency 0 it may issue in the same cycle, but later in it. An edge
/// that is a value keeps the register of `from` taken until `to` issues.
struct Edge {
  unsigned from, to;
  unsigned latency;
  unsigned distance = 0;
  bool value = false;
};

/// Instructions stand in program order: edges of distance 0 lead forward. What is given
/// stands behind them, takes nothing but its register, and is there in cycle 0.
struct Problem {
  std::vector<Resource> resources;
  std::vector<File> files;
  std::vector<Instruction> instructions;
  std::vector<Edge> edges;
};

struct Solution {
  std::vector<int64_t> cycles;
  int64_t interval = 0; ///< 0 for a straight line
};

/// No loop repeats faster than its busiest resource allows, nor than the latency
/// around any circle of edges over its distance.
int64_t resourceBound(const Problem &problem);
int64_t recurrenceBound(const Problem &problem);
inline int64_t intervalBound(const Problem &problem) {
  return std::max(resourceBound(problem), recurrenceBound(problem));
}

/// Cycle by cycle, the longest path first; a value is not begun while its file is
/// full, if another instruction can go on. The shorter of two orders: values begun
/// as early as can be, or not much before they are read.
Solution scheduleLine(const Problem &problem);

/// The instructions of a straight line as they stand, each as early as that allows.
Solution scheduleInOrder(const Problem &problem);

/// The cycles from one iteration to the next of a loop whose body issues as it stands,
/// each iteration behind the one before.
int64_t intervalInOrder(const Problem &problem);

/// The least interval, up to `longest`, at which a schedule is found whose values
/// fit their files and live for one interval at most, so that each has one
/// register. Nothing if there is none. The search counts placements, not time.
std::optional<Solution> scheduleLoop(const Problem &problem, int64_t longest);

/// Instructions in the order in which they stand in the code: by cycle, for a loop
/// by cycle within the interval, along edges in equal cycles. Nothing where edges
/// of latency 0 go around in one cycle.
std::optional<std::vector<unsigned>> issueOrder(const Problem &problem, const Solution &solution);

/// The most registers of each file that the problem's values take at once.
std::vector<unsigned> registersTaken(const Problem &problem, const Solution &solution);

/// The first edge or resource that `solution` breaks, or nothing.
std::optional<std::string> check(const Problem &problem, const Solution &solution);

/// The text form, one line each:
///     resource NAME PER_CYCLE        file NAME REGISTERS
///     inst NAME [RESOURCE...] [-> FILE] [kept] [given] [@ CYCLE]
///     edge FROM TO LATENCY [DISTANCE] [value]        interval CYCLES
/// FROM and TO are names; the cycles and the interval are a solution, which is
/// complete or absent.
llvm::Expected<std::pair<Problem, std::optional<Solution>>> parseSchedule(llvm::StringRef text);
std::string printSchedule(const Problem &problem, const Solution *solution = nullptr);

} // namespace dojo::sched

#endif // DOJO_SCHEDULING_INSTRUCTIONSCHEDULE_H
