//===- AnyOrder.h - nodes and transfers in an order that is drawn -*- C++ -*-===//
//
// One host thread runs a node that can go on for some instructions, then another; a
// transfer is put off until a signal or a drain asks for it or the dice do. Every run
// is one that docs/ISA.md allows, and what a program without races computes is the
// same in all of them.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_ANYORDER_H
#define DOJO_LIB_EXECUTOR_ANYORDER_H

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <vector>

namespace dojo::exec {

struct Mesh;

class AnyOrder {
public:
  AnyOrder(uint64_t seed, unsigned nodes) : random(seed), transfers(nodes) {}

  /// Runs all nodes, each at most `limit` instructions, until none can go on.
  void run(Mesh &mesh, int64_t limit);

  /// Does `transfer` later. Without a target it goes to or comes from DRAM.
  void putOff(unsigned node, std::optional<unsigned> target, std::function<void()> transfer);
  /// Those of the node to the target have to be done, or all of them.
  void arrive(unsigned node, unsigned target);
  void drain(unsigned node);

private:
  struct Transfer {
    std::optional<unsigned> target;
    std::function<void()> run;
  };

  uint64_t below(uint64_t bound) { return random() % bound; }

  std::mt19937_64 random;
  std::vector<std::vector<Transfer>> transfers;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_ANYORDER_H
