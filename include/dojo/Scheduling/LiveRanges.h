//===- LiveRanges.h - when values of structured code live -------*- C++ -*-===//
//
// Step s reads at time 2s and writes at time 2s + 1. A value used in a loop that
// it enters from outside lives until the loop ends; one used in a single branch
// does not live in the other.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_SCHEDULING_LIVERANGES_H
#define DOJO_SCHEDULING_LIVERANGES_H

#include "dojo/Scheduling/RegisterAllocation.h"
#include <map>

namespace dojo::regalloc {

/// Disjoint half-open spans of time, begin to end.
class LiveRange {
public:
  /// Adds [begin, end), joining spans that touch or overlap.
  void add(unsigned begin, unsigned end);
  void add(const LiveRange &other);
  bool overlaps(const LiveRange &other) const;
  bool contains(unsigned time) const;
  bool empty() const { return spans.empty(); }
  unsigned begin() const { return spans.begin()->first; }
  unsigned length() const;
  const std::map<unsigned, unsigned> &getSpans() const { return spans; }

private:
  std::map<unsigned, unsigned> spans;
};

/// The range of every value. A value that is never used lives where it is written.
std::vector<LiveRange> liveRanges(const Problem &problem);

/// How many loops enclose each step.
std::vector<unsigned> loopDepths(const Problem &problem);

} // namespace dojo::regalloc

#endif // DOJO_SCHEDULING_LIVERANGES_H
