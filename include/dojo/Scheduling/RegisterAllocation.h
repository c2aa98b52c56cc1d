//===- RegisterAllocation.h - registers for structured code -----*- C++ -*-===//
//
// Gives every value of a structured program a register, never spilling. The
// program is a list of steps in which loops and branches are brackets. A value
// that a bracket carries shares one register with its successor: that is a tie,
// not a wish. Copies are wishes: their two sides share a register where their
// lives allow it. check() knows none of this and walks the program instead.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_SCHEDULING_REGISTERALLOCATION_H
#define DOJO_SCHEDULING_REGISTERALLOCATION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace dojo::regalloc {

using ValueId = unsigned;
using RegisterSet = uint64_t;

enum class StepKind : uint8_t {
  op,
  copy,        ///< defs[0] = uses[0], of one file
  update,      ///< the last use is tied to the one def
  call,        ///< changes every register its file does not preserve
  repeatBegin, ///< uses: initial values, tied in order to defs: carried values
  repeatEnd,   ///< uses: the next carried values, tied in order to the carried
               ///< ones; defs: results, tied in order to the last uses
  ifBegin,
  ifElse, ///< uses: what the first branch yields
  ifEnd,  ///< uses: what the second branch yields; both are tied to defs
};

struct Step {
  StepKind kind = StepKind::op;
  llvm::SmallVector<ValueId, 4> uses;
  llvm::SmallVector<ValueId, 2> defs;
};

/// A register file. A value may stand in `allocatable` registers, or in the one
/// it is fixed to.
struct File {
  RegisterSet allocatable = 0;
  RegisterSet preserved = 0;
};

struct ValueInfo {
  unsigned file = 0;
  std::optional<unsigned> fixed;
};

/// Steps nest properly; every value has one def, before its uses, in a step
/// that encloses or precedes them; one that has no def is live from the start.
struct Problem {
  std::vector<File> files;
  std::vector<ValueInfo> values;
  std::vector<Step> steps;
};

/// The register of every value.
using Solution = std::vector<unsigned>;

struct Failure {
  enum class Reason {
    pressure, ///< more values live at `step` than registers
    shape,    ///< enough registers at every step, but no assignment was found
    tie,      ///< `values` must share a register and are live together
  };
  Reason reason;
  unsigned step;
  unsigned file = 0;
  unsigned needed = 0;
  unsigned available = 0;
  llvm::SmallVector<ValueId, 2> values = {};
};

/// First fit in the order of first definition, then by descending length, then
/// without joining copies. Deterministic.
std::variant<Solution, Failure> solve(const Problem &problem);

/// Which `candidates` to recompute nearer to their uses, cheapest and then longest life
/// first, so that no step has more values than registers (nor `failure` any
/// more). Empty when that would not help.
std::vector<ValueId> chooseRecomputed(const Problem &problem, const Failure &failure,
                                      llvm::ArrayRef<bool> candidates);

/// Runs the program on symbolic registers: every use must find its value. The
/// first reason why `solution` is wrong, or nothing.
std::optional<std::string> check(const Problem &problem, const Solution &solution);

} // namespace dojo::regalloc

#endif // DOJO_SCHEDULING_REGISTERALLOCATION_H
