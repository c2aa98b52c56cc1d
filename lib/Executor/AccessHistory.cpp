//===- AccessHistory.cpp - when a node last touched each byte -------------===//
#include "AccessHistory.h"
#include <algorithm>
#include <bit>
#include <utility>

namespace dojo::exec {

void AccessHistory::close(Epoch number) {
  for (uint32_t at : touched) {
    Line &line = lines[at];
    const uint64_t bits = std::exchange(line.touched, 0);
    if (~bits) {
      closeParts(line, bits, number);
    } else if (line.parts) {
      unused.push_back(line.parts);
      line.parts = 0;
    }
    line.newest = number;
  }
  touched.clear();
}

void AccessHistory::closeParts(Line &line, uint64_t bits, Epoch number) {
  if (!line.parts) {
    if (unused.empty()) {
      parts.emplace_back();
      unused.push_back(parts.size());
    }
    line.parts = unused.back();
    unused.pop_back();
    parts[line.parts - 1].fill(line.newest);
  }
  Bytes &numbers = parts[line.parts - 1];
  for (; bits; bits &= bits - 1)
    numbers[std::countr_zero(bits)] = number;
}

std::optional<uint64_t> AccessHistory::firstAfter(Epoch known, uint64_t begin, uint64_t end) const {
  for (uint64_t at = begin / lineBytes; at * lineBytes < end; ++at) {
    const Line &line = lines[at];
    if (!line.touched && line.newest <= known)
      continue;
    const uint64_t stop = std::min(end, (at + 1) * lineBytes);
    for (uint64_t byte = std::max(begin, at * lineBytes); byte < stop; ++byte)
      if (line.touched >> byte % lineBytes & 1 || numberOf(line, byte) > known)
        return byte;
  }
  return std::nullopt;
}

std::optional<Epoch> AccessHistory::last(uint64_t byte) const {
  const Line &line = lines[byte / lineBytes];
  if (line.touched >> byte % lineBytes & 1)
    return std::nullopt;
  return numberOf(line, byte);
}

} // namespace dojo::exec
