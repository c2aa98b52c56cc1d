//===- MoveParts.h - the bodies of the routines of moves --------*- C++ -*-===//
//
// Each builds its part at the insertion point of the geometry's builder, on arguments
// as MoveRoutines.h lists them.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_DOJOTOD1_MOVEPARTS_H
#define DOJO_LIB_CONVERSION_DOJOTOD1_MOVEPARTS_H

#include "MoveTransfer.h"

namespace dojo {

void emitReceive(MoveGeometry &g, Int ready);
void emitPull(MoveGeometry &g, Int dram, Int dst, Int descriptor);

void emitSend(MoveGeometry &g, mlir::ValueRange args);
void emitStore(MoveGeometry &g, Int src, Int dram, Int descriptor);

/// Skips nodes for whose index `i` lies outside `range`, or if it is empty.
void requireInside(MoveGeometry &g, Int i, Interval range);
void requireNonEmpty(MoveGeometry &g, Interval range);

/// Where a piece begins on both sides, as far as it is known.
struct Piece {
  Int src, dst;
};

/// Cuts a piece to `range` of dimension e, whose block begins at `start`.
void narrow(MoveGeometry &g, MoveTransfer &transfer, Piece &piece, unsigned e, Interval range,
            Int start);

} // namespace dojo

#endif // DOJO_LIB_CONVERSION_DOJOTOD1_MOVEPARTS_H
