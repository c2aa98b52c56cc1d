//===- Placement.h - an address for every buffer ----------------*- C++ -*-===//
//
// A buffer needs `size` contiguous bytes during [lower, upper). A solution gives
// each an offset so that no two buffers alive at once overlap, none ends past
// the capacity, every alignment holds and fixed offsets stay. The checker is
// dumber than any solver on purpose. The text form is the CSV of MiniMalloc:
//     id,lower,upper,size[,alignment][,offset]
// with a header that names the columns in any order; an empty cell of the last
// two means 1 and not fixed (in a problem).
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_PLACEMENT_PLACEMENT_H
#define DOJO_PLACEMENT_PLACEMENT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dojo::place {

struct Buffer {
  std::string name;
  int64_t size;
  int64_t lower, upper; ///< alive in [lower, upper)
  int64_t alignment = 1;
  std::optional<int64_t> fixed = std::nullopt;

  bool meets(const Buffer &other) const { return lower < other.upper && other.lower < upper; }
};

struct Problem {
  int64_t capacity;
  std::vector<Buffer> buffers;
};

struct Solution {
  std::vector<int64_t> offsets; ///< one for each buffer

  /// The end of the highest buffer.
  int64_t peak(const Problem &problem) const;
};

/// Largest sum of the sizes alive at one time: no solution needs less.
int64_t liveBound(const Problem &problem);

/// Whether the solution is one; the error names the buffers that disagree.
llvm::Error check(const Problem &problem, const Solution &solution);

/// Best fit under several orders of the buffers; the lowest peak wins, the first
/// order among equals. Never fails where `capacity` is large enough for what it
/// finds; the error names the buffer, the peak, the bound, the largest buffers
/// alive with it, and the shortfall.
llvm::Expected<Solution> solve(const Problem &problem);

/// The text form; a problem reads `offset` as a fixed offset.
llvm::Expected<Problem> parseProblem(llvm::StringRef csv, int64_t capacity);
std::string printProblem(const Problem &problem);
std::string printSolution(const Problem &problem, const Solution &solution);

} // namespace dojo::place

#endif // DOJO_PLACEMENT_PLACEMENT_H
