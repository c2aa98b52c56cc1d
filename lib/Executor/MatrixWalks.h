//===- MatrixWalks.h - the addresses that a loop goes through ---*- C++ -*-===//
//
// A walk holds the addresses of a matrix loop's loads in each iteration, less the
// loop's pointers, and what the loop leaves in the scalars. It follows from the loop's
// numbers alone, so a loop that begins with the same numbers, on any node and with any
// pointers, is evaluated once. One table belongs to one host thread.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_MATRIXWALKS_H
#define DOJO_LIB_EXECUTOR_MATRIXWALKS_H

#include "MatrixLoops.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <memory>

namespace dojo::exec {

struct MatrixWalk {
  /// Bytes around a load's base.
  struct Extent {
    int64_t least, greatest;
  };
  struct Load {
    /// Pieces from the load's address.
    int64_t offsets[8];
    uint8_t pieces;
    /// Piece i stands at i times the offset of piece 1.
    bool uniform;
    /// By iteration, less the pointers.
    std::vector<int32_t> at;
    /// Of all pieces in the iterations of each phase.
    Extent extents[MatrixLoop::maxPhases];
  };

  /// Of an evaluated loop at least 1; 0 where only single steps will do.
  uint64_t trips = 0;
  /// No other walk of the table has it, nor has had it.
  uint64_t serial = 0;
  std::vector<Load> loads;
  /// When the loop is left, less the pointers.
  std::array<uint64_t, isa::numScalarRegs> scalars;
};

class MatrixWalks {
public:
  /// The loop's first instruction, the most iterations, and its numbers.
  using Key = llvm::SmallVector<uint64_t, 16>;

  /// The walk of `key`; evaluate(walk) makes it when it is new.
  template <class F>
  const MatrixWalk &find(const Key &key, F &&evaluate) {
    uint64_t hash = 0;
    for (uint64_t value : key) {
      hash = (hash ^ value) * 0x9e3779b97f4a7c15;
      hash ^= hash >> 32;
    }
    // The map keeps its two greatest keys for itself.
    std::unique_ptr<Entry> &entry = entries[hash >> 1];
    if (entry && entry->key == key)
      return entry->walk;
    auto made = std::make_unique<Entry>(Entry{key, {}});
    evaluate(made->walk);
    made->walk.serial = ++serials;
    held += made->walk.trips * made->walk.loads.size();
    if (held > mostAddresses) {
      entries.clear();
      held = 0;
      return (entries[hash >> 1] = std::move(made))->walk;
    }
    return (entry = std::move(made))->walk;
  }

private:
  /// 32 MiB.
  static constexpr uint64_t mostAddresses = uint64_t(1) << 23;

  struct Entry {
    Key key;
    MatrixWalk walk;
  };
  llvm::DenseMap<uint64_t, std::unique_ptr<Entry>> entries;
  uint64_t held = 0, serials = 0;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_MATRIXWALKS_H
