//===- Descriptor.h - the blocks that a transfer moves ----------*- C++ -*-===//
//
// A block descriptor as it lies in SRAM (docs/ISA.md), and the bytes that one side
// of a transfer covers.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_DESCRIPTOR_H
#define DOJO_LIB_EXECUTOR_DESCRIPTOR_H

#include <algorithm>
#include <cstdint>
#include <optional>

namespace dojo::exec {

struct Descriptor {
  static constexpr unsigned maxLevels = 4;
  static constexpr unsigned bytes = 64;

  uint32_t run;
  uint32_t levels;
  uint32_t reserved[2];
  uint32_t counts[maxLevels];
  int32_t source[maxLevels];
  int32_t destination[maxLevels];
};
static_assert(sizeof(Descriptor) == Descriptor::bytes);

/// Calls `body` with the offsets of both sides, at every index of the levels from
/// `inner` on, until it gives false.
template <class F>
bool forEachIndex(const Descriptor &d, unsigned inner, F &&body) {
  uint32_t index[Descriptor::maxLevels] = {};
  int64_t source = 0, destination = 0;
  for (;;) {
    if (!body(source, destination))
      return false;
    unsigned level = inner;
    for (; level < d.levels; ++level) {
      source += d.source[level];
      destination += d.destination[level];
      if (++index[level] < d.counts[level])
        break;
      source -= int64_t(d.source[level]) * d.counts[level];
      destination -= int64_t(d.destination[level]) * d.counts[level];
      index[level] = 0;
    }
    if (level >= d.levels)
      return true;
  }
}

/// One side of a transfer.
struct Region {
  enum Side : bool { source, destination };

  uint64_t base;
  uint32_t run;
  uint32_t levels;
  uint32_t counts[Descriptor::maxLevels];
  int32_t strides[Descriptor::maxLevels];

  Region(const Descriptor &d, uint64_t base, Side side) : base(base), run(d.run), levels(d.levels) {
    std::copy_n(d.counts, Descriptor::maxLevels, counts);
    std::copy_n(side == source ? d.source : d.destination, Descriptor::maxLevels, strides);
  }

  /// Calls `body` with the begin and the end of every run, those that follow each
  /// other as one, until it gives false.
  template <class F>
  bool forEachRun(F &&body) const {
    uint64_t begin = base, end = base, at = base;
    uint32_t index[Descriptor::maxLevels] = {};
    for (;;) {
      if (at != end) {
        if (begin != end && !body(begin, end))
          return false;
        begin = at;
      }
      end = at + run;
      unsigned level = 0;
      for (; level < levels; ++level) {
        at += strides[level];
        if (++index[level] < counts[level])
          break;
        at -= int64_t(strides[level]) * counts[level];
        index[level] = 0;
      }
      if (level >= levels)
        return body(begin, end);
    }
  }

  /// A byte of [begin, end) that the side covers.
  std::optional<uint64_t> common(uint64_t begin, uint64_t end) const {
    std::optional<uint64_t> byte;
    forEachRun([&](uint64_t from, uint64_t to) {
      if (from < end && begin < to)
        byte = std::max(from, begin);
      return !byte;
    });
    return byte;
  }
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_DESCRIPTOR_H
