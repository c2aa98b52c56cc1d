//===- MoveGeometry.h - which indices and blocks meet in a move -*- C++ -*-===//
//
// Notation: j is an index of a destination dimension, i of a source dimension,
// i = a * j + c. All intervals are half open. Values are computed afresh where
// they are asked for: a few instructions from the node's coordinates cost less
// than registers that live across loops. Only what grows by a constant from one
// partner to the next is carried.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_DOJOTOD1_MOVEGEOMETRY_H
#define DOJO_LIB_CONVERSION_DOJOTOD1_MOVEGEOMETRY_H

#include "MoveCensus.h"
#include "ScalarBuilder.h"
#include "dojo/Layout/Move.h"

namespace dojo {

struct Interval {
  Int lo, hi;
};

/// A digit of an axis: value = coordinate div inner mod count.
struct DigitPlace {
  unsigned axis;
  unsigned dim; ///< or Layout::Digit::none
  int64_t inner, count;
};

/// The digits of a layout, or of one dimension (or none) of it, outermost first, axes in order.
llvm::SmallVector<DigitPlace> digitsOf(const Layout &layout);
llvm::SmallVector<DigitPlace> digitsOf(const Layout &layout, unsigned dim);

/// Whether an axis without digits repeats the layout at every coordinate.
bool repeatsAxis(const Layout &layout, unsigned axis);

class MoveGeometry : public ScalarBuilder {
public:
  MoveGeometry(mlir::OpBuilder &b, mlir::Location loc, const Move &move, const Coords &grid,
               Int symbol)
      : ScalarBuilder(b, loc), move(move), grid(grid), census(takeCensus(move)), symbol(symbol) {}

  const Move &move;
  const Coords &grid;
  const llvm::SmallVector<Census, 4> census; ///< of each destination dimension

  /// The source dimension that depends on destination dimension e, or -1.
  int sourceOf(unsigned e) const { return sourceDimOf(move, e); }
  /// c of source dimension d.
  Int shift(unsigned d);

  // Places
  Int coord(unsigned axis);
  /// A digit of a coordinate below `bound`.
  Int digit(const DigitPlace &place, Int coordinate, int64_t bound);
  Int ownDigit(const DigitPlace &place) {
    return digit(place, coord(place.axis), grid[place.axis]);
  }
  /// A coordinate's (or a digit's) part of a global address.
  Int inAddress(unsigned axis, Int coordinate, int64_t inner = 1);
  /// Skips nodes outside the used coordinates of a layout.
  void requireUsed(const Layout &layout);
  /// The node's own block of a dimension, and where it starts.
  Int ownBlock(const Layout &layout, unsigned dim);
  Int start(const Layout &layout, unsigned dim, Int block);
  /// A block's part of the address of the nodes that hold it.
  Int blockInAddress(const Layout &layout, unsigned dim, Int block);
  Int ownStart(const Layout &layout, unsigned dim) {
    return start(layout, dim, ownBlock(layout, dim));
  }

  // Intervals
  /// i that source block `block` owns.
  Interval owned(unsigned d, Int block);
  /// j whose source is in `range`, a subset of what d has, cut to what e has.
  Interval wantedFrom(unsigned e, Interval range);
  /// j whose source the node owns, all j where e has no source dimension; only those
  /// that are held where e is not cut into blocks.
  Interval wanted(unsigned e);
  /// Whether that is the same on every node.
  bool wantedIsConstant(unsigned e) const;
  /// j that the node holds and that have a source.
  Interval held(unsigned e);
  /// Destination blocks that meet the non-empty j in `range`.
  Interval blocksMeeting(unsigned e, Interval range);
  /// Source blocks between those of the first and the last of non-empty j.
  Interval sourceBlocks(unsigned e, Interval range);
  Interval intersect(Interval a, Interval c) { return {max(a.lo, c.lo), min(a.hi, c.hi)}; }

private:
  /// The j of `range` that the block of e beginning at `start` holds.
  Interval cutToWindow(unsigned e, Interval range, Int start);

  Int symbol;
};

} // namespace dojo

#endif // DOJO_LIB_CONVERSION_DOJOTOD1_MOVEGEOMETRY_H
