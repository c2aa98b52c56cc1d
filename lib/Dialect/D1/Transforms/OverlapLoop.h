//===- OverlapLoop.h - iterations of a loop that overlap --------*- C++ -*-===//
#ifndef DOJO_DIALECT_D1_TRANSFORMS_OVERLAPLOOP_H
#define DOJO_DIALECT_D1_TRANSFORMS_OVERLAPLOOP_H

#include "ScheduleProblem.h"

namespace dojo::d1 {

/// Iterations under way at once.
int64_t numStages(const sched::Solution &schedule);

/// Rewrites `loop`, which runs `trips` >= numStages times, by the schedule of its
/// body `ops`, and gives the loop that is left. In
///     p0 | p1 k0 | p2 k1 e0 | ... | kn | en
/// each letter is one stage of an iteration: what stands before the first full
/// column is emitted in front of the loop, what stands behind the last one after it.
RepeatOp overlapLoop(RepeatOp loop, llvm::ArrayRef<InstructionOpInterface> ops,
                     const BlockProblem &block, const sched::Solution &schedule, int64_t trips);

} // namespace dojo::d1

#endif // DOJO_DIALECT_D1_TRANSFORMS_OVERLAPLOOP_H
