//===- MoveCensus.h - what all pairs of blocks have in common ---*- C++ -*-===//
//
// Most moves are even: every block meets some partner, and all pieces have the
// same count and begin in a dimension. Then code need not test, descriptors are constant
// and addresses grow by constants.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_DOJOTOD1_MOVECENSUS_H
#define DOJO_LIB_CONVERSION_DOJOTOD1_MOVECENSUS_H

#include "dojo/Layout/Move.h"

namespace dojo {

/// What is known of one destination dimension on every node.
struct Census {
  bool everySenderSends = false;      ///< no source block is without a partner
  bool everyReceiverReceives = false; ///< no destination block is
  std::optional<int64_t> count;       ///< of all pieces, if it is the same
  std::optional<int64_t> begin;       ///< of all pieces in their destination block, likewise
};

/// Tries all pairs of blocks that meet, for each destination dimension. Nothing is
/// known where a symbol decides.
llvm::SmallVector<Census, 4> takeCensus(const Move &move);

/// The source dimension that depends on destination dimension e, or -1.
int sourceDimOf(const Move &move, unsigned e);

} // namespace dojo

#endif // DOJO_LIB_CONVERSION_DOJOTOD1_MOVECENSUS_H
