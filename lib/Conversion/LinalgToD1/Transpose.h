//===- Transpose.h - copies that exchange two iterators ---------*- C++ -*-===//
//
// A copy whose neighbours in memory are neighbours along one iterator in the source
// and along another in the destination. Tiles of the two are gathered row by row,
// transposed in their register, and scattered row by row. Where tiles do not divide
// an extent, the last ones overlap those before them.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_LINALGTOD1_TRANSPOSE_H
#define DOJO_CONVERSION_LINALGTOD1_TRANSPOSE_H

#include "Emitter.h"

namespace dojo::kernels {

/// The rows of a tile run along `down`, in which the destination has unit stride; each
/// row runs along `along`, in which the source has.
struct TransposePlan {
  unsigned down, along;
};

/// None where the nest is no such copy or smaller than a tile.
std::optional<TransposePlan> planTranspose(const Nest &nest);

void emitTranspose(Emitter &emitter, const Nest &nest, const TransposePlan &plan);

} // namespace dojo::kernels

#endif // DOJO_CONVERSION_LINALGTOD1_TRANSPOSE_H
