//===- Topology.h - the nodes as code addresses them ------------*- C++ -*-===//
#ifndef DOJO_LIB_EXECUTOR_TOPOLOGY_H
#define DOJO_LIB_EXECUTOR_TOPOLOGY_H

#include "dojo/Machine/Grid.h"

namespace dojo::exec {

/// The part of a machine that its execution depends on. Nodes are numbered
/// row-major by their logical place (dy, dx, y, x), x fastest.
class Topology {
public:
  Topology() = default;
  explicit Topology(const Machine &machine);

  unsigned nodes() const { return grid.physical.size(); }
  Place place(unsigned node) const;
  bool contains(const Place &logical) const {
    for (unsigned axis = 0; axis < 4; ++axis)
      if (logical[axis] < 0 || logical[axis] >= grid.extents[axis])
        return false;
    return true;
  }
  unsigned number(const Place &logical) const {
    unsigned node = 0;
    for (unsigned axis = 0; axis < 4; ++axis)
      node = node * grid.extents[axis] + logical[axis];
    return node;
  }
  const Place &physical(unsigned node) const { return grid.physical[node]; }
  /// "node (0,0,1,2)", with the physical place where that differs.
  std::string describe(unsigned node) const;

  /// A DRAM address has the DIP above the byte (binary::Tensor); its place among the
  /// bytes of all DIPs.
  static constexpr uint64_t dipShift = 40;
  uint64_t dramByte(uint64_t address) const {
    return (address >> dipShift) * dipBytes + (address & ((uint64_t(1) << dipShift) - 1));
  }

  uint64_t sramBytes = 0;
  uint64_t semaphores = 0;
  uint64_t dips = 0;
  uint64_t dipBytes = 0;
  uint64_t packetBytes = 0;

private:
  LogicalGrid grid;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_TOPOLOGY_H
