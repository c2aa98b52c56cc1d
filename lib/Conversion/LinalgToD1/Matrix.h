//===- Matrix.h - contractions on the matrix unit ---------------*- C++ -*-===//
//
// A contraction is a matrix product when some iterators play these parts:
//   n  parallel, in b and c only, with unit stride in both
//   k  reduction, in a and b, with unit stride in a
//   m  parallel, in a and c only: one iterator, or two of which the tile takes
//      4 x 2 or 2 x 4 points
// Every other iterator is a loop around tiles. A block holds several tiles in
// accumulators; k runs innermost, other reductions around it. Where two blocks have
// accumulators, each starts in its own while the block before it is stored.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_LINALGTOD1_MATRIX_H
#define DOJO_CONVERSION_LINALGTOD1_MATRIX_H

#include "Simd.h"
#include "dojo/Machine/Machine.h"

namespace dojo::kernels {

struct MatrixPlan {
  unsigned a, b; ///< inputs
  unsigned n, k;
  unsigned rowInner, rowOuter;       ///< the same where one iterator makes the rows
  int64_t rowsInner;                 ///< rows of a tile along rowInner
  llvm::SmallVector<int64_t> tile;   ///< points of each iterator in one tile
  llvm::SmallVector<int64_t> blocks; ///< and in one block
  unsigned banks;                    ///< blocks that have accumulators at once
};

/// The plan of the fewest estimated cycles. None where an extent, a stride or an
/// element type does not suit the unit.
std::optional<MatrixPlan> planMatrix(const Nest &nest, const Machine &machine);

void emitMatrix(Emitter &emitter, const Nest &nest, const MatrixPlan &plan, Inits inits);

} // namespace dojo::kernels

#endif // DOJO_CONVERSION_LINALGTOD1_MATRIX_H
