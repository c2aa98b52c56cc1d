//===- Replay.h - what the nodes did, in time -------------------*- C++ -*-===//
//
// Walks the records of every node and moves their messages over the mesh: each
// record takes the cycles of its code, a wait ends when its signal has arrived, a
// drain when the node's own transfers are through. One host thread; the result
// depends on the records and the machine alone.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_REPLAY_H
#define DOJO_LIB_EXECUTOR_REPLAY_H

#include "Clock.h"
#include "Trace.h"
#include "Traffic.h"

namespace dojo::exec {

/// Where a node stood still: cycles of each cause, by rows of its clock.
struct Stalls {
  std::vector<Causes> ofRow;
  uint64_t halted = 0;
};

class Replay {
public:
  Replay(const Topology &topology, const Machine &machine, llvm::ArrayRef<Clock> clocks,
         Trace *trace);

  /// Gives the cycle of the last halt or delivery.
  uint64_t run();

  llvm::ArrayRef<Stalls> stalls() const { return stallsOf; }
  const Traffic &traffic() const { return mesh; }

private:
  enum class State : uint8_t { runs, waits, drains, meets };
  struct Node {
    size_t next = 0;
    uint64_t cycle = 0;
    State state = State::runs;
    uint32_t row = 0;
    uint32_t semaphore = 0, count = 0;
    unsigned pulls = 0;
    /// The last own push has left, the last own pull has arrived.
    uint64_t left = 0, arrived = 0;
  };

  /// How far a node may be ahead of the mesh: it bounds the messages under way and
  /// changes no figure.
  static constexpr uint64_t lead = 256;

  void go(uint32_t number);
  /// Does one record that has had its cycles; false when the node stops at it.
  bool take(uint32_t number, const Record &record);
  bool wait(uint32_t number);
  bool drain(uint32_t number);
  /// At a barrier, from which alarms wake all nodes.
  void meet(uint32_t number);
  void send(uint32_t number, const Record &record, Message::Kind kind);
  void stall(uint32_t number, uint64_t until, uint64_t Causes::*cause);
  void signalled(const Message &message);
  void pulled(const Message &message);

  uint32_t &semaphore(uint32_t node, uint32_t number) {
    return semaphores[node * numSemaphores + number];
  }

  llvm::ArrayRef<Clock> clocks;
  Traffic mesh;
  Trace *trace;
  std::vector<Node> nodes;
  std::vector<Stalls> stallsOf;
  uint64_t numSemaphores;
  std::vector<uint32_t> semaphores;
  /// Nodes at the barrier, and the cycle behind the last one's instruction.
  unsigned met = 0;
  uint64_t lastMet = 0;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_REPLAY_H
