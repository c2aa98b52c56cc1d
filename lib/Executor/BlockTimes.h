//===- BlockTimes.h - each stretch of code is timed once --------*- C++ -*-===//
//
// The cycles of a stretch of straight code follow from its first instruction and
// the state of the pipeline there. Such a pair is a Moment; moments are timed
// when they are first met and linked as the code is walked, so that a walk costs
// a few additions a branch. One table belongs to one host thread.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_BLOCKTIMES_H
#define DOJO_LIB_EXECUTOR_BLOCKTIMES_H

#include "IssueModel.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include <deque>

namespace dojo::exec {

struct Moment {
  struct Edge {
    uint32_t next = UINT32_MAX;
    Moment *to = nullptr;
    uint64_t cycles = 0;
  };

  /// Up to and including the instruction that ends the stretch.
  Cost cost;
  /// The two ways out that were met first.
  Edge edges[2];
  uint32_t last;
  PipelineState after;
};

class BlockTimes {
public:
  explicit BlockTimes(const IssueModel &model) : model(model) {}

  /// The moment of an empty pipeline at instruction `first`.
  Moment *start(uint32_t first) {
    Moment *&known = starts[first];
    return known ? known : known = moment(first, {});
  }
  /// The way from `from`, which ends in a branch, to instruction `next`.
  Moment::Edge follow(Moment &from, uint32_t next);

private:
  Moment *moment(uint32_t first, const PipelineState &state);

  const IssueModel &model;
  llvm::StringMap<Moment *> known;
  llvm::DenseMap<uint32_t, Moment *> starts;
  /// The ways out of moments that have more than they hold, as after a routine.
  llvm::DenseMap<std::pair<Moment *, uint32_t>, Moment::Edge> more;
  std::deque<Moment> moments;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_BLOCKTIMES_H
