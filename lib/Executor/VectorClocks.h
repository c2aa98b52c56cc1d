//===- VectorClocks.h - what nodes know of each other -----------*- C++ -*-===//
//
// A clock holds, for every node, the last of its segments that lies before. Nodes and the
// signals under way share clocks; the last holder of one may change it in place.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_VECTORCLOCKS_H
#define DOJO_LIB_EXECUTOR_VECTORCLOCKS_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dojo::exec {

/// Number of a segment of a node in an entry; 0 comes before all.
using Epoch = uint32_t;

class VectorClocks {
public:
  using Clock = uint32_t;

  explicit VectorClocks(unsigned nodes) : nodes(nodes) {}

  /// Forgets every clock; the answer is one that knows nothing, for `holders`.
  Clock reset(unsigned holders);

  Epoch of(Clock clock, unsigned node) const { return counts[size_t(clock) * nodes + node]; }
  Clock share(Clock clock) {
    ++holders[clock];
    return clock;
  }
  void release(Clock clock) {
    if (--holders[clock] == 0)
      unused.push_back(clock);
  }

  /// What its holder holds instead of `clock` once all that `other` knows lies before,
  /// and segment `epoch` of `node`.
  Clock join(Clock clock, Clock other, unsigned node, Epoch epoch);

private:
  Clock copy(Clock clock);

  unsigned nodes;
  /// Of each clock, one number a node.
  std::vector<Epoch> counts;
  std::vector<uint32_t> holders;
  std::vector<Clock> unused;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_VECTORCLOCKS_H
