//===- AccessHistory.h - when a node last touched each byte -----*- C++ -*-===//
//
// The work of a node is cut into numbered segments, and each byte has the number of
// the last one that touched it. A line of 64 bytes has one number as long as a segment
// touches all of it, else a layer for each segment that was the last to touch some.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_ACCESSHISTORY_H
#define DOJO_LIB_EXECUTOR_ACCESSHISTORY_H

#include "VectorClocks.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace dojo::exec {

class AccessHistory {
public:
  static constexpr uint64_t lineBytes = 64;
  /// Zeroed host memory that a history takes.
  static uint64_t hostBytes(uint64_t sramBytes) { return countLines(sramBytes) * sizeof(Line); }

  AccessHistory(char *host, uint64_t sramBytes)
      : lines(reinterpret_cast<Line *>(host)), count(countLines(sramBytes)) {}

  /// Nothing has been touched yet, and no segment begun.
  void reset();
  /// The present segment ends; the next one has this number, which is higher.
  void begin(Epoch number) {
    now = number;
    idle = true;
  }
  /// Whether the present segment has touched nothing.
  bool isIdle() const { return idle; }

  /// The present segment touches [address, address + size), at least one byte.
  void mark(uint64_t address, uint64_t size) {
    idle = false;
    const uint64_t shift = address % lineBytes;
    uint64_t line = address / lineBytes;
    if (shift + size <= lineBytes)
      return markBytes(line, ones(size) << shift);
    markBytes(line, ~uint64_t(0) << shift);
    size -= lineBytes - shift;
    for (++line; size >= lineBytes; ++line, size -= lineBytes)
      markBytes(line, ~uint64_t(0));
    if (size)
      markBytes(line, ones(size));
  }

  /// The first of these bytes that a segment after `known` has touched.
  std::optional<uint64_t> firstAfter(Epoch known, uint64_t begin, uint64_t end) const;
  /// The last segment that touched the byte.
  Epoch last(uint64_t byte) const;

private:
  struct Line {
    /// The highest number of any byte.
    Epoch newest;
    /// One past the place of its layers, or 0 where all bytes are `newest`.
    uint32_t layers;
  };
  /// The bytes that a segment was the last to touch, a bit for each.
  struct Layer {
    uint64_t bytes;
    Epoch number;
  };
  /// Disjoint, and together the whole line; the newest stands last.
  using Layers = llvm::SmallVector<Layer, 3>;

  static uint64_t countLines(uint64_t sramBytes) { return sramBytes / lineBytes + 1; }
  static uint64_t ones(uint64_t count) { return ~uint64_t(0) >> (lineBytes - count); }
  void markBytes(uint64_t at, uint64_t bytes) {
    Line &line = lines[at];
    if (line.layers || (~bytes && line.newest != now))
      markLayer(line, bytes);
    line.newest = now;
  }
  void markLayer(Line &line, uint64_t bytes);
  void release(Line &line);
  /// The bytes that a segment after `known` has touched.
  uint64_t bytesAfter(const Line &line, Epoch known) const;

  Line *lines;
  uint64_t count;
  Epoch now = 0;
  bool idle = true;
  std::vector<Layers> layers;
  std::vector<uint32_t> unused;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_ACCESSHISTORY_H
