//===- Simd.h - structured operations on the SIMD unit ----------*- C++ -*-===//
//
// A plan says which points of the iteration space one straight block computes:
// blocks[j] consecutive points of iterator j, those of the vector iterator in the
// lanes of registers. Loops run over the blocks.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_LINALGTOD1_SIMD_H
#define DOJO_CONVERSION_LINALGTOD1_SIMD_H

#include "Body.h"

namespace dojo::kernels {

/// For each output the constant it is filled with before, or null.
using Inits = llvm::ArrayRef<mlir::TypedAttr>;

struct SimdPlan {
  /// The iterator in the lanes; without one all lanes do the same. The lanes of a
  /// reduction are partial results, combined when all its loops are done.
  std::optional<unsigned> vector;
  llvm::SmallVector<int64_t> blocks;
  llvm::SmallVector<unsigned> order; ///< iterators, outermost first, reductions last
  unsigned constants;                ///< registers for hoisted constants
  unsigned loads;                    ///< registers for loaded values
};

/// The plan with the least estimated cycles a point that fits the registers.
SimdPlan planSimd(const Nest &nest, const BodyCost &cost);

/// Emits the whole nest. Fails with an error for a body without lanes.
llvm::LogicalResult emitSimd(Emitter &emitter, const Nest &nest, Inits inits, bool &usesLanes);

/// Elements of an access in lanes, or one of them: in every lane when loaded, lane 0 stored.
mlir::Value loadElements(Emitter &emitter, const Access &access, Address address, bool lanes);
void storeElements(Emitter &emitter, const Access &access, Address address, bool lanes,
                   mlir::Value value);

/// The loop over the blocks of an iterator.
Loop loopOver(const Nest &nest, unsigned iterator, int64_t block);

} // namespace dojo::kernels

#endif // DOJO_CONVERSION_LINALGTOD1_SIMD_H
