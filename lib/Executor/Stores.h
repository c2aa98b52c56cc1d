//===- Stores.h - which blocks of SRAM a node has written -------*- C++ -*-===//
#ifndef DOJO_LIB_EXECUTOR_STORES_H
#define DOJO_LIB_EXECUTOR_STORES_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <cstring>
#include <vector>

namespace dojo::exec {

/// Bytes [begin, end) of a node's SRAM.
struct Bytes {
  uint64_t begin, end;
};

/// Marks blocks of SRAM as written; cheap to mark, since every store does.
class Stores {
public:
  explicit Stores(uint64_t sramBytes) : marks((sramBytes >> blockShift) + 1) {}

  void reset() { std::memset(marks.data(), 0, marks.size()); }

  /// `size` bytes at most are as long as a block.
  void mark(uint64_t address, uint64_t size) {
    marks[address >> blockShift] = 1;
    marks[(address + size - 1) >> blockShift] = 1;
  }

  /// Whether any block of these bytes has been marked.
  bool touch(llvm::ArrayRef<Bytes> ranges) const {
    for (auto [begin, end] : ranges)
      if (begin < end && std::memchr(marks.data() + (begin >> blockShift), 1,
                                     ((end - 1) >> blockShift) - (begin >> blockShift) + 1))
        return true;
    return false;
  }

private:
  static constexpr unsigned blockShift = 9;
  std::vector<uint8_t> marks;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_STORES_H
