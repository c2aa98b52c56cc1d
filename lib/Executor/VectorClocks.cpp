//===- VectorClocks.cpp ---------------------------------------------------===//
#include "VectorClocks.h"
#include <algorithm>

namespace dojo::exec {

VectorClocks::Clock VectorClocks::reset(unsigned first) {
  counts.assign(nodes, 0);
  holders.assign(1, first);
  unused.clear();
  return 0;
}

VectorClocks::Clock VectorClocks::copy(Clock clock) {
  if (unused.empty()) {
    unused.push_back(holders.size());
    holders.push_back(0);
    counts.resize(counts.size() + nodes);
  }
  const Clock fresh = unused.back();
  unused.pop_back();
  std::copy_n(&counts[size_t(clock) * nodes], nodes, &counts[size_t(fresh) * nodes]);
  holders[fresh] = 1;
  return fresh;
}

/// The later of two numbers, for every node.
#ifdef __x86_64__
[[gnu::target_clones("avx2", "default")]]
#endif
static void takeLater(Epoch *mine, const Epoch *its, size_t count) {
  for (size_t i = 0; i < count; ++i)
    mine[i] = std::max(mine[i], its[i]);
}

VectorClocks::Clock VectorClocks::join(Clock clock, Clock other, unsigned node, Epoch epoch) {
  if (holders[clock] > 1) {
    const Clock fresh = copy(clock);
    release(clock);
    clock = fresh;
  }
  Epoch *mine = &counts[size_t(clock) * nodes];
  if (clock != other)
    takeLater(mine, &counts[size_t(other) * nodes], nodes);
  mine[node] = std::max(mine[node], epoch);
  return clock;
}

} // namespace dojo::exec
