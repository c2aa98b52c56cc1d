//===- ScheduleProblem.h - d1 code as a scheduling problem ------*- C++ -*-===//
//
// Instructions of one block and what orders them: registers that one defines and
// another uses, accumulators that one updates and another still reads, bytes of
// SRAM that one writes and another touches. Slots, ports and latencies are the
// machine's (docs/Machine.md).
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_DIALECT_D1_TRANSFORMS_SCHEDULEPROBLEM_H
#define DOJO_DIALECT_D1_TRANSFORMS_SCHEDULEPROBLEM_H

#include "MemoryAccess.h"
#include "dojo/Machine/Machine.h"
#include "dojo/Scheduling/InstructionSchedule.h"

namespace dojo::d1 {

/// A use of a value of a loop's body: the instruction that defines it, how many
/// iterations before, and the carried value through which it comes, if any.
struct LoopSource {
  unsigned def;
  unsigned distance;
  std::optional<unsigned> carried;
};

class BlockProblem {
public:
  /// `registers[f]` of each file are free for what `ops` define.
  BlockProblem(const Machine &machine, llvm::ArrayRef<InstructionOpInterface> ops,
               std::array<unsigned, 3> registers);

  /// Adds the edges of a straight line, and the values that end in it.
  void addLineEdges(MemoryAccesses &memory);
  /// Adds those of the body of `loop`. False if it carries what no instruction of
  /// its body computes.
  bool addLoopEdges(MemoryAccesses &memory, RepeatOp loop);

  std::optional<LoopSource> sourceOf(mlir::Value value, RepeatOp loop) const;

  sched::Problem problem;

private:
  const Machine &machine;
  llvm::ArrayRef<InstructionOpInterface> ops;
  llvm::DenseMap<mlir::Operation *, unsigned> numbers;

  unsigned latency(unsigned i) const;
  void addUse(unsigned def, unsigned user, unsigned distance);
  bool endsInLine(mlir::Value value) const;
  void addGiven();
  void addUpdates();
  void addAccumulatorLives();
  void addCarriedAccumulators();
  void addMemory(MemoryAccesses &memory, RepeatOp loop);
};

} // namespace dojo::d1

#endif // DOJO_DIALECT_D1_TRANSFORMS_SCHEDULEPROBLEM_H
