//===- Timing.h - modelled time of a run ------------------------*- C++ -*-===//
//
// What a timed run reports for one entry. All cycles are modelled: they follow
// from the machine description by the rules of docs/Timing.md and from nothing
// else, so they are equal on every host and for any number of host threads.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_EXECUTOR_TIMING_H
#define DOJO_EXECUTOR_TIMING_H

#include "llvm/Support/JSON.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace dojo::exec {

/// Cycles of a stretch of code and what it issued.
class Cost {
public:
  enum Count : unsigned {
    cycles,
    /// Cycles in which an access found its unit free but every port taken.
    portStalls,
    mmuls,
    vfmas,
    // What a cycle has a given number of, in the order of isa::Slot.
    address,
    integer,
    simd,
    matrix,
    branch,
    vectorReads,
    vectorWrites,
    scalarReads,
    scalarWrites,
    numCounts,
    firstSlot = address,
  };

  uint64_t &operator[](Count count) { return counts[count]; }
  uint64_t operator[](Count count) const { return counts[count]; }
  Cost &operator+=(const Cost &other) {
    for (unsigned i = 0; i < numCounts; ++i)
      counts[i] += other.counts[i];
    return *this;
  }
  /// Adds what has come since `earlier`, `times` times over.
  void addDifference(const Cost &earlier, uint64_t times) {
    for (unsigned i = 0; i < numCounts; ++i)
      counts[i] += (counts[i] - earlier.counts[i]) * times;
  }

private:
  std::array<uint64_t, numCounts> counts = {};
};

/// Where the cycles of a node went.
struct Causes {
  uint64_t compute = 0;
  uint64_t sramPort = 0;
  uint64_t network = 0;
  uint64_t dram = 0;
  uint64_t waiting = 0;

  uint64_t total() const { return compute + sramPort + network + dram + waiting; }
  Causes &operator+=(const Causes &other);
};

/// Sums over the nodes for one ONNX node, or for one routine.
struct TimingRow {
  std::string name;
  uint64_t calls = 0;
  /// Packets of its transfers, and the bytes in them.
  uint64_t packets = 0, packed = 0;
  Causes causes;
  /// The least cycles in which the machine's slots and ports issue what it issued.
  uint64_t bound = 0;
  uint64_t mmuls = 0;
};

struct EntryTiming {
  std::string entry;
  /// From the first instruction to the last halt and the last delivery.
  uint64_t cycles = 0;
  /// No schedule of the same instructions and transfers is shorter: the most
  /// that one node issues, one node's ports or one link carry, or the DIPs move.
  uint64_t bound = 0;
  uint64_t nodes = 0;
  double seconds = 0;
  /// Shares of the nodes' cycles in which the unit does multiply-accumulates.
  double macUtilisation = 0;
  double fmaUtilisation = 0;
  double busiestLinkUtilisation = 0;
  double dramUtilisation = 0;
  Causes causes;
  std::vector<TimingRow> byOnnxNode;
  std::vector<TimingRow> byRoutine;
};

llvm::json::Object toJSON(const EntryTiming &timing);

/// Adds "modelled", an object of each entry's figures, unless the run is not timed.
void addTiming(llvm::json::Object &report, llvm::ArrayRef<EntryTiming> timings);

} // namespace dojo::exec

#endif // DOJO_EXECUTOR_TIMING_H
