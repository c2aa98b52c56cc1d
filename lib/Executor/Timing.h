//===- Timing.h - the timed layer of the executor ---------------*- C++ -*-===//
//
// Owns what a timed run needs besides the mesh: the issue model, the clocks' names,
// the trace, and the reports of the entries that have run.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_TIMING_H
#define DOJO_LIB_EXECUTOR_TIMING_H

#include "Replay.h"

namespace dojo::exec {

class Timing {
public:
  /// `traced` gives the nodes that the trace shows; none of it without a value.
  Timing(const binary::Program &program, const Machine &machine, const Topology &topology,
         const std::optional<std::vector<unsigned>> &traced);

  const IssueModel &issueModel() const { return model; }

  /// Before and after the nodes have executed an entry.
  void begin(llvm::MutableArrayRef<Clock> clocks, uint32_t address) const;
  void finish(llvm::StringRef entry, llvm::ArrayRef<Clock> clocks);

  /// Of the last run of each entry.
  const std::vector<EntryTiming> &entries() const { return timings; }
  llvm::StringRef trace() const;

private:
  EntryTiming summary(llvm::ArrayRef<Clock> clocks, const Replay &replay, uint64_t cycles) const;
  void addRows(EntryTiming &timing, llvm::ArrayRef<Clock> clocks,
               llvm::ArrayRef<Stalls> stalls) const;

  Machine machine;
  const Topology &topology;
  IssueModel model;
  SourceMap map;
  std::optional<Trace> tracer;
  std::vector<EntryTiming> timings;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_TIMING_H
