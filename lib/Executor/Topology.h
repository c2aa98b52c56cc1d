//===- Topology.h - what the executor must know of a machine ----*- C++ -*-===//
#ifndef DOJO_LIB_EXECUTOR_TOPOLOGY_H
#define DOJO_LIB_EXECUTOR_TOPOLOGY_H

#include "llvm/Support/Error.h"
#include <array>
#include <string>

namespace dojo::exec {

/// dy, dx, y, x.
using Coordinate = std::array<unsigned, 4>;

struct Topology {
  /// The logical grid; nodes are numbered row-major, x fastest.
  Coordinate grid;
  uint64_t sramBytes;
  unsigned semaphores;
  unsigned dips;
  uint64_t dipBytes;

  unsigned nodes() const { return grid[0] * grid[1] * grid[2] * grid[3]; }
  Coordinate coordinate(unsigned node) const;
  bool contains(const Coordinate &c) const;
  unsigned number(const Coordinate &c) const;
  /// "node (dy,dx,y,x)", followed by the physical place where it differs.
  std::string describe(unsigned node) const;
};

/// From the machine description of a binary.
llvm::Expected<Topology> readTopology(llvm::StringRef machine);

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_TOPOLOGY_H
