//===- Grid.h - the logical grid around dead nodes --------------*- C++ -*-===//
//
// Code addresses a full rectangle of nodes on every die. Three walks yield one:
// row walks (every row keeps its first k live nodes, k the least number of any
// row), column walks alike, and the largest rectangle without a dead node. All
// dies of a tile use the same walk, cut to the smallest of them; the walk that
// keeps most nodes is taken.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_MACHINE_GRID_H
#define DOJO_MACHINE_GRID_H

#include "dojo/Machine/Machine.h"

namespace dojo {

enum class Walk { rows, columns, rectangle };

struct LogicalGrid {
  Walk walk;
  Place extents;               ///< dy, dx, y, x; y or x is 0 when no node is left
  std::vector<Place> physical; ///< of each logical node, x fastest

  int64_t numNodes() const { return physical.size(); }
  const Place &at(const Place &logical) const;
};

/// The grid of one walk, and the best of the three.
LogicalGrid walkGrid(const Machine &machine, Walk walk);
LogicalGrid logicalGrid(const Machine &machine);

} // namespace dojo

#endif // DOJO_MACHINE_GRID_H
