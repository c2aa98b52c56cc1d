//===- Lookup.h - rows of a table by run-time numbers -----------*- C++ -*-===//
//
// A lookup (isLookup in Transforms/Contraction.h) reads one row for each index, if
// the row is one of this node's own, and adds it to the output. The first of the
// rows' numbers says where this node's rows begin.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_LINALGTOD1_LOOKUP_H
#define DOJO_CONVERSION_LINALGTOD1_LOOKUP_H

#include "Simd.h"

namespace dojo::kernels {

/// Emits the whole nest of a lookup whose reduction has more than one row.
void emitLookup(Emitter &emitter, const Nest &nest, Inits inits);

} // namespace dojo::kernels

#endif // DOJO_CONVERSION_LINALGTOD1_LOOKUP_H
