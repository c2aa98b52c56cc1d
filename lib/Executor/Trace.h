//===- Trace.h - a timed run as Perfetto shows it ---------------*- C++ -*-===//
//
// A trace in Perfetto's protobuf format (https://perfetto.dev/docs): a track for
// each chosen node with the ONNX nodes, in them the routines, in these the stalls;
// and counters of the links and the DRAM. A nanosecond is a modelled cycle.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_TRACE_H
#define DOJO_LIB_EXECUTOR_TRACE_H

#include "Clock.h"
#include "Topology.h"
#include "Traffic.h"

namespace dojo::exec {

class Trace {
public:
  /// Of the nodes numbered in `chosen`, or of all if it is empty.
  Trace(const Topology &topology, const SourceMap &map, llvm::ArrayRef<unsigned> chosen);

  /// What follows happens in one entry, after all entries before it.
  void begin(llvm::ArrayRef<Clock> clocks);
  void called(uint32_t node, uint32_t row, uint64_t cycle);
  void returned(uint32_t node, uint64_t cycle);
  void stalled(uint32_t node, uint32_t row, uint64_t from, uint64_t to, uint64_t Causes::*cause);
  void halted(uint32_t node, uint64_t cycle);
  /// The entry took so many cycles.
  void end(const Traffic::Use &use, uint64_t cycles);

  const std::string &bytes() const { return trace; }

private:
  static constexpr uint32_t none = UINT32_MAX;
  struct Track {
    bool shown = false;
    /// Of the open slice of an ONNX node.
    uint32_t location = none;
  };

  void packet(llvm::StringRef body);
  void event(uint64_t cycle, llvm::StringRef body);
  void describeTrack(uint64_t track, llvm::StringRef name, bool isCounter);
  void slice(uint32_t node, uint64_t cycle, llvm::StringRef name, llvm::StringRef category);
  void endSlice(uint32_t node, uint64_t cycle);
  void counters(uint64_t track, llvm::ArrayRef<uint64_t> windows);
  void enter(uint32_t node, uint32_t location, uint64_t cycle);

  const SourceMap &map;
  llvm::ArrayRef<Clock> clocks;
  std::vector<Track> tracks;
  /// The cycle at which the present entry begins.
  uint64_t origin = 0;
  std::string trace;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_TRACE_H
