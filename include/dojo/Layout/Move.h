//===- Move.h - the one movement of data ------------------------*- C++ -*-===//
//
// A move fills a destination layout from a source layout: the element at logical
// index j of the destination becomes the element at logical index i of the
// source, i[d] = coefficient * j[dstDim] + constant + symbol * symbolCoefficient.
// Where i lies outside the source nothing is written. Halo, transpose, slice,
// concatenation, broadcast and re-layout are all instances.
//
// Every copy of j in the destination (repeated axes, overlapping windows) is
// written. Its source is the block i[d] div step of each dimension (the last block
// where the quotient exceeds it); on an axis that repeats the source, the
// coordinate is the receiver's own; on a pinned axis it is 0; a digit that
// repeats, with `inner` the product of the counts of the digits after it, has the
// value (receiver's coordinate div inner) mod count.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LAYOUT_MOVE_H
#define DOJO_LAYOUT_MOVE_H

#include "dojo/Layout/Layout.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace dojo {

struct Move {
  /// One source dimension as a function of at most one destination dimension.
  struct Term {
    int dstDim;          ///< -1 for none
    int64_t coefficient; ///< >= 1 where dstDim is given
    int64_t constant;
    int64_t symbolCoefficient;
    bool operator==(const Term &) const = default;
  };

  Layout src;
  Layout dst;
  llvm::SmallVector<Term, 4> map; ///< one for each source dimension
  unsigned elementBytes;

  /// The move that changes layouts and keeps indices.
  static Move relayout(Layout src, Layout dst, unsigned elementBytes);

  bool usesSymbol() const;
  /// Whether the layouts alone make sure that each node's pieces come from itself: whatever
  /// spreads the source spreads the destination alike. False where that takes the sizes of the
  /// grid.
  bool staysOnNodes() const;
  /// Whether some local element of the destination, on some node, is written by no
  /// element of the source: padding, or places that the map takes outside at some
  /// symbol from 0 below `steps`.
  bool leavesGaps(int64_t steps = 1) const;
  /// Whether the map takes an index of the destination outside of source dimension `d`
  /// at some symbol from 0 below `steps`.
  bool leaves(unsigned d, int64_t steps) const;
  /// Whether both layouts fit the grid, the source owns every element exactly
  /// once a repetition, and no destination dimension serves two source dimensions.
  llvm::Error check(const Coords &grid) const;
};

/// A local copy or a push of one element, as the enumerator sees it.
struct ElementMove {
  Coords srcNode, dstNode;
  int64_t srcElement, dstElement; ///< numbers in the local pieces
};

/// Calls `visit` for every element that the move writes, by walking every local
/// index of every node. Too slow to use and too simple to be wrong: the
/// reference that lowered moves are tested against.
void enumerateMove(const Move &move, const Coords &grid, int64_t symbol,
                   llvm::function_ref<void(const ElementMove &)> visit);

/// Bytes that all nodes together receive, their own pieces included.
int64_t countReceivedBytes(const Move &move, const Coords &grid, int64_t symbol);

/// Bytes that cross from one node to another.
int64_t countRemoteBytes(const Move &move, const Coords &grid, int64_t symbol);

/// Bytes that cross at least, were the source's pieces on any nodes: each node wants the
/// distinct elements of its piece, and as many wants are met in place as the source holds
/// copies of elements. Never above countRemoteBytes.
int64_t boundRemoteBytes(const Move &move, const Coords &grid, int64_t symbol);

} // namespace dojo

#endif // DOJO_LAYOUT_MOVE_H
