//===- AccessHistory.cpp - when a node last touched each byte -------------===//
#include "AccessHistory.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <bit>

namespace dojo::exec {

void AccessHistory::reset() {
  std::fill_n(lines, count, Line());
  layers.clear();
  unused.clear();
  begin(0);
}

void AccessHistory::release(Line &line) {
  unused.push_back(line.layers);
  line.layers = 0;
}

void AccessHistory::markLayer(Line &line, uint64_t bytes) {
  if (!~bytes)
    return release(line);
  if (!line.layers) {
    if (unused.empty()) {
      layers.emplace_back();
      unused.push_back(layers.size());
    }
    line.layers = unused.back();
    unused.pop_back();
    layers[line.layers - 1].assign({{~bytes, line.newest}, {bytes, now}});
    return;
  }
  Layers &all = layers[line.layers - 1];
  if (all.back().number == now) {
    if (!(bytes & ~all.back().bytes))
      return;
    bytes |= all.pop_back_val().bytes;
  }
  llvm::erase_if(all, [&](Layer &layer) { return (layer.bytes &= ~bytes) == 0; });
  all.push_back({bytes, now});
  if (all.size() == 1)
    release(line);
}

uint64_t AccessHistory::bytesAfter(const Line &line, Epoch known) const {
  if (!line.layers)
    return ~uint64_t(0);
  uint64_t bytes = 0;
  for (const Layer &layer : layers[line.layers - 1])
    if (layer.number > known)
      bytes |= layer.bytes;
  return bytes;
}

std::optional<uint64_t> AccessHistory::firstAfter(Epoch known, uint64_t begin, uint64_t end) const {
  for (uint64_t at = begin / lineBytes; at * lineBytes < end; ++at) {
    if (lines[at].newest <= known)
      continue;
    const uint64_t start = std::max(begin, at * lineBytes),
                   stop = std::min(end, (at + 1) * lineBytes);
    if (uint64_t late = bytesAfter(lines[at], known) & ones(stop - start) << start % lineBytes)
      return at * lineBytes + std::countr_zero(late);
  }
  return std::nullopt;
}

Epoch AccessHistory::last(uint64_t byte) const {
  const Line &line = lines[byte / lineBytes];
  if (line.layers)
    for (const Layer &layer : layers[line.layers - 1])
      if (layer.bytes >> byte % lineBytes & 1)
        return layer.number;
  return line.newest;
}

} // namespace dojo::exec
