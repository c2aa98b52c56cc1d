//===- LocalCopy.h - a move within the nodes --------------------*- C++ -*-===//
//
// A move in which every node that holds a piece of the destination takes all of it
// from its own piece of the source, by the same local indices on each node, is a
// copy that a kernel can do.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LAYOUT_LOCALCOPY_H
#define DOJO_LAYOUT_LOCALCOPY_H

#include "dojo/Layout/Move.h"

namespace dojo {

/// Local index j of the destination, first[e] <= j[e] < first[e] + count[e], becomes
/// local index i of the source: i[d] = sourceFirst[d] + coefficient * (j[e] - first[e])
/// with e and the coefficient from the move's map.
struct LocalCopy {
  llvm::SmallVector<int64_t, 4> first, count; ///< of each destination dimension
  llvm::SmallVector<int64_t, 4> sourceFirst;  ///< of each source dimension
};

/// The copy that `move` is on every node of its destination; none if any element comes
/// from another node, if nodes differ in what they copy, or if nothing is copied.
std::optional<LocalCopy> localCopyOf(const Move &move, const Coords &grid);

/// Elements that lie without a gap in both pieces, from any first one on.
int64_t runOf(const Move &move, const LocalCopy &copy);

} // namespace dojo

#endif // DOJO_LAYOUT_LOCALCOPY_H
