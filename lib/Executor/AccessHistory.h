//===- AccessHistory.h - when a node last touched each byte -----*- C++ -*-===//
//
// The work of a node is cut into numbered segments. What the present one touches
// is a bit for each byte; when it is closed, its number goes to those bytes. Lines
// of 64 bytes that were touched in parts have a number for each byte beside the
// newest of them.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_ACCESSHISTORY_H
#define DOJO_LIB_EXECUTOR_ACCESSHISTORY_H

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace dojo::exec {

/// Number of a segment; 0 comes before all.
using Epoch = uint64_t;

class AccessHistory {
public:
  static constexpr uint64_t lineBytes = 64;
  /// Zeroed host memory that a history takes.
  static uint64_t hostBytes(uint64_t sramBytes) {
    return (sramBytes / lineBytes + 1) * sizeof(Line);
  }

  explicit AccessHistory(char *host) : lines(reinterpret_cast<Line *>(host)) {}

  /// The present segment touches [address, address + size), at least one byte.
  void mark(uint64_t address, uint64_t size) {
    const uint64_t shift = address % lineBytes;
    uint64_t line = address / lineBytes;
    if (shift + size <= lineBytes)
      return markLine(line, ones(size) << shift);
    markLine(line, ~uint64_t(0) << shift);
    size -= lineBytes - shift;
    for (++line; size >= lineBytes; ++line, size -= lineBytes)
      markLine(line, ~uint64_t(0));
    if (size)
      markLine(line, ones(size));
  }

  /// Whether the present segment has touched nothing.
  bool isIdle() const { return touched.empty(); }

  /// Ends the present segment, which has this number.
  void close(Epoch number);

  /// The first of these bytes that a closed segment after `known`, or the present
  /// one, has touched.
  std::optional<uint64_t> firstAfter(Epoch known, uint64_t begin, uint64_t end) const;
  /// The last closed segment that touched the byte; nullopt for the present one.
  std::optional<Epoch> last(uint64_t byte) const;

private:
  struct Line {
    /// Of the present segment, a bit for each byte.
    uint64_t touched;
    /// The newest number of any byte.
    Epoch newest;
    /// One past the place of the bytes' numbers, or 0 where all are `newest`.
    uint64_t parts;
  };
  using Bytes = std::array<Epoch, lineBytes>;

  static uint64_t ones(uint64_t count) { return ~uint64_t(0) >> (lineBytes - count); }
  void markLine(uint64_t line, uint64_t bits) {
    if (!lines[line].touched)
      touched.push_back(uint32_t(line));
    lines[line].touched |= bits;
  }
  void closeParts(Line &line, uint64_t bits, Epoch number);
  Epoch numberOf(const Line &line, uint64_t byte) const {
    return line.parts ? parts[line.parts - 1][byte % lineBytes] : line.newest;
  }

  Line *lines;
  /// Those that have bits.
  std::vector<uint32_t> touched;
  std::vector<Bytes> parts;
  std::vector<uint64_t> unused;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_ACCESSHISTORY_H
