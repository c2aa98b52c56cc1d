//===- IssueModel.h - cycles of straight-line code --------------*- C++ -*-===//
//
// One thread of a node, in order, as docs/Timing.md states it: an instruction
// issues in the first cycle in which its registers are ready, its unit has a
// slot left and the SRAM a port. What follows depends on the past only through
// PipelineState, which counts from the cycle that is being filled.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_ISSUEMODEL_H
#define DOJO_LIB_EXECUTOR_ISSUEMODEL_H

#include "dojo/Binary/Program.h"
#include "dojo/Executor/Timing.h"
#include "dojo/ISA/Issue.h"

namespace dojo::exec {

static_assert(Cost::numCounts - Cost::firstSlot == isa::numSlots, "Cost counts every slot");

struct PipelineState {
  /// Registers of the three kinds, and one entry for stores on their way.
  static constexpr unsigned numResults =
      isa::numScalarRegs + isa::numVectorRegs + isa::numAccRegs + 1;
  static constexpr unsigned stores = numResults - 1;

  /// Cycles until each result may be used.
  std::array<uint16_t, numResults> ready = {};
  /// Slots taken in the present cycle.
  std::array<uint8_t, isa::numSlots> taken = {};

  /// Goes on by `cycles`, of which the first at least is empty.
  void advance(uint64_t cycles);
};

/// How a stretch of straight code ends.
enum class BlockEnd : uint8_t { none, branch, fence };

class IssueModel {
public:
  IssueModel(const binary::Program &program, const Machine &machine);

  /// Issues the instructions from `first` up to and including the next branch or
  /// fence, and gives its index. A fence leaves `state` empty.
  uint32_t run(uint32_t first, PipelineState &state, Cost &cost) const;

  BlockEnd ends(uint32_t index) const { return ops[index].end; }
  uint64_t takenBranchCycles() const { return branchLatency; }

  /// The bound of a stretch by its fullest slot, in cycles.
  uint64_t bound(const Cost &cost) const;

private:
  struct Op {
    llvm::SmallVector<uint8_t, 4> awaits;
    llvm::SmallVector<uint8_t, 2> takes;
    int16_t result = -1;
    uint16_t latency = 0;
    BlockEnd end = BlockEnd::none;
    bool mmul = false, vfma = false;
  };

  void issue(const Op &op, PipelineState &state, Cost &cost) const;
  Op timed(uint32_t word, const Machine &machine) const;

  std::array<uint8_t, isa::numSlots> width;
  uint64_t branchLatency;
  std::vector<Op> ops;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_ISSUEMODEL_H
