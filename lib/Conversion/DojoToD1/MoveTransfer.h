//===- MoveTransfer.h - one piece of a move as a block transfer -*- C++ -*-===//
//
// A piece is a box: a count for each destination dimension, with constant strides
// on both sides. Dimensions that follow one another in memory on both sides are one level;
// the innermost contiguous level is the run; levels beyond a descriptor's become
// loops. Everything but the counts that depend on the node is written once.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_DOJOTOD1_MOVETRANSFER_H
#define DOJO_LIB_CONVERSION_DOJOTOD1_MOVETRANSFER_H

#include "MoveGeometry.h"

namespace dojo {

class MoveTransfer {
public:
  /// The descriptor lies at this SRAM address.
  MoveTransfer(MoveGeometry &geometry, Int descriptor);

  /// Bytes between neighbours of destination dimension e, on either side (0
  /// where the source does not depend on it), and of source dimension d.
  int64_t dstStride(unsigned e) const { return dstStrides[e]; }
  int64_t srcStride(unsigned e) const;
  int64_t ownStride(unsigned d) const { return srcStrides[d]; }

  /// Writes what no count decides.
  void writeConstants();
  /// Writes the count of dimension e, unless it is known to be constant.
  void writeCount(unsigned e, Int count);

  /// Copies the piece that begins at `src` and `dst`; push has the global address
  /// in `dst`, pull in `src`.
  void push(Int src, Int dst);
  void pull(Int src, Int dst);

private:
  /// `factor` times the count of dimension `dim`, where one is given.
  struct Level {
    int64_t factor;
    int dim;
    int64_t src, dst;
  };
  void addLevel(unsigned e);
  /// Loops over the levels beyond the descriptor's; returns the piece's begin.
  std::pair<Int, Int> loopOuterLevels(Int src, Int dst);

  MoveGeometry &g;
  Int descriptor;
  llvm::SmallVector<int64_t, 4> srcStrides, dstStrides;
  llvm::SmallVector<Level> levels; ///< the run first
  llvm::SmallVector<Int> counts;   ///< of levels beyond the descriptor's
};

} // namespace dojo

#endif // DOJO_LIB_CONVERSION_DOJOTOD1_MOVETRANSFER_H
