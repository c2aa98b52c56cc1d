//===- Clock.h - what a node did, for the replay in time --------*- C++ -*-===//
//
// No instruction observes time, so a node does the same whatever it costs: it is
// executed first, and its clock notes the cycles of the code between two events,
// an event being a call, a return or an instruction of the network. The replay
// (Replay.h) then gives each event its time.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_CLOCK_H
#define DOJO_LIB_EXECUTOR_CLOCK_H

#include "BlockTimes.h"
#include "llvm/ADT/DenseMap.h"

namespace dojo::exec {

/// One 64-byte packet at a time crosses the network.
struct Transfer {
  /// The other node, or the DIP.
  uint32_t peer = 0;
  bool toDram = false;
  /// Packets; for a signal the number of the semaphore.
  uint32_t amount = 0;
  uint64_t bytes = 0;
};

struct Record {
  enum Kind : uint32_t { run, call, ret, push, store, pull, signal, wait, drain, barrier, halt };

  /// Since the record before, up to and including the instruction of this one.
  uint32_t cycles;
  Kind kind : 4;
  /// Of the clock's rows: whose these cycles are; for a call, whose follow.
  uint32_t row : 28;
  /// Node or DIP; for a wait its semaphore.
  uint32_t peer;
  /// Packets; semaphore of a signal; count of a wait.
  uint32_t amount;
};

/// Names for what code addresses belong to.
struct SourceMap {
  explicit SourceMap(const binary::Program &program);

  std::vector<std::string> locations, routines;
  /// Of every instruction.
  std::vector<uint32_t> locationOf, routineOf;
};

class Clock {
public:
  /// Code of one ONNX node in one routine.
  struct Row {
    uint32_t location, routine;
    uint64_t calls = 0;
    /// That transfers of the row fill, and the bytes in them.
    uint64_t packets = 0, packed = 0;
    Cost cost;
  };

  void begin(const SourceMap &map, uint32_t first);
  /// The table of the host thread that runs the node from now on.
  void runBy(BlockTimes &times) { table = &times; }

  /// A branch of the present stretch went to instruction `next`.
  void branch(uint32_t next) {
    if (!moment)
      moment = table->start(first);
    cost += moment->cost;
    for (const Moment::Edge &edge : moment->edges)
      if (edge.next == next)
        return enter(edge);
    enter(table->follow(*moment, next));
  }
  /// The present stretch and those after it went to instruction `first`, `times`
  /// in all; the last of them went to `next`.
  void looped(uint32_t first, uint64_t times, uint32_t next);
  void called(uint32_t callSite, uint32_t callee);
  void returned();

  /// An instruction of the network is next; it may have to wait.
  void arrive();
  /// It has been executed.
  void passed(uint32_t index, Record::Kind kind, const Transfer &transfer);

  std::vector<Record> records;
  std::vector<Row> rows;

private:
  void enter(const Moment::Edge &edge) {
    cost[Cost::cycles] += edge.cycles;
    moment = edge.to;
  }
  uint32_t row(uint32_t location, uint32_t routine);
  void note(uint32_t ofRow, Record::Kind kind, uint32_t noted, uint32_t peer, uint32_t amount);

  static constexpr uint32_t outside = UINT32_MAX;

  const SourceMap *map = nullptr;
  BlockTimes *table = nullptr;
  /// Null where the pipeline is empty, at instruction `first`.
  Moment *moment = nullptr;
  uint32_t first = 0;
  Cost cost;
  /// The row of the present call, or `outside`.
  uint32_t current = outside;
  llvm::DenseMap<uint64_t, uint32_t> rowOf;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_CLOCK_H
