//===- MatrixPanels.h - operands widened for loops that multiply *- C++ -*-===//
//
// A panel is a stream of operands (MatrixLoops.h) as FP32. The next loop that takes the
// same operands, the block beside or below, finds it again: it is kept until its node
// waits or moves something, or has stored into the bytes that it was made from. One table
// belongs to one host thread and holds panels of the node that the thread runs.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_MATRIXPANELS_H
#define DOJO_LIB_EXECUTOR_MATRIXPANELS_H

#include "Stores.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/SmallVector.h"
#include <memory>

namespace dojo::exec {

class MatrixPanels {
public:
  explicit MatrixPanels(uint64_t sramBytes) : stores(sramBytes) {}

  /// What a panel is made from, to the bit.
  using Key = llvm::SmallVector<uint64_t, 32>;

  struct Panel {
    float *at;
    /// It has what its key says; else the caller fills it.
    bool filled;
  };
  /// The panel of `key`, of `floats` floats, made from these bytes of SRAM.
  Panel find(const Key &key, uint32_t floats, llvm::ArrayRef<Bytes> from) {
    const uint64_t hash = llvm::hash_combine_range(key) >> 1;
    if (known.empty())
      stores.reset();
    else if (stores.touch(from))
      forgetAll();
    else if (auto found = known.find(hash); found != known.end() && found->second.key == key)
      return {found->second.at, true};
    float *at = lines[0].floats + used;
    used += (floats + lineFloats - 1) / lineFloats * lineFloats;
    known[hash] = {key, at};
    return {at, false};
  }

  /// Makes room for so many floats, in panels of whole cache lines: panels that are found
  /// from here on stay where they are until that is used up.
  void reserve(uint64_t floats) {
    if (used + floats <= numLines * lineFloats)
      return;
    known.clear();
    used = 0;
  }

  /// The node's SRAM may have changed.
  void forget() {
    if (known.empty())
      return;
    known.clear();
    used = 0;
  }

  /// What the node has stored.
  Stores stores;

private:
  static constexpr unsigned lineFloats = 16;
  struct alignas(64) Line {
    float floats[lineFloats];
  };
  struct Entry {
    Key key;
    float *at;
  };

  void forgetAll() {
    known.clear();
    stores.reset();
  }

  /// 2 MiB, of which the host provides what is used.
  static constexpr size_t numLines = (2 << 20) / sizeof(Line);
  std::unique_ptr<Line[]> lines = std::make_unique_for_overwrite<Line[]>(numLines);
  uint64_t used = 0;
  llvm::DenseMap<uint64_t, Entry> known;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_MATRIXPANELS_H
