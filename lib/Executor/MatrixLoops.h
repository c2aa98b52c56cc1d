//===- MatrixLoops.h - loops that multiply matrices -------------*- C++ -*-===//
//
// A loop whose body is one straight line of vector loads, scalar arithmetic and
// matrix multiplies writes no memory. Its addresses follow from the scalars with
// which it begins (MatrixWalks.h), so MatrixKernel.h runs it as a whole: each accumulator
// gets its own products in their order, and the order between accumulators, which
// nothing can see, is free.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_MATRIXLOOPS_H
#define DOJO_LIB_EXECUTOR_MATRIXLOOPS_H

#include "Op.h"
#include <array>
#include <optional>
#include <vector>

namespace dojo::exec {

struct MatrixLoop {
  struct Step {
    isa::Opcode opcode;
    Op op;
  };

  /// Scalar registers as a set, bit by bit.
  using Registers = uint32_t;

  /// In the first iterations registers may hold what the code before the loop left
  /// there. A phase is such an iteration; the last phase stands for all that follow.
  /// Each load's address is a sum of pointers and a number that pointers do not
  /// change; so is what a register holds when an iteration begins.
  struct Phase {
    std::vector<Registers> pointersOfLoads;
    std::array<Registers, isa::numScalarRegs + 1> pointers;
  };
  static constexpr unsigned maxPhases = 4;

  /// What a vector register holds at a multiply: what load number `load` of the
  /// body brought in this iteration or in the one before; without a load, what it
  /// held when the loop began.
  struct Operand {
    int16_t load;
    uint8_t v;
    bool before;
    bool operator==(const Operand &) const = default;
  };
  /// One right operand, or two side by side.
  struct Right {
    Operand operands[2];
    unsigned count;
    /// Floats from the start of an iteration's panel.
    uint32_t offset;
  };
  struct Left {
    Operand operand;
    uint32_t offset;
  };

  /// One accumulator, or two that are multiplied by the same left operands.
  struct Tile {
    uint8_t acc[2];
    unsigned count;
    /// Offsets of left and right in a panel, in the order of the body.
    std::vector<std::pair<uint32_t, uint32_t>> factors;
  };

  static constexpr unsigned maxLoads = 64;
  /// Iterations that run as one piece; more are run piece by piece.
  static constexpr uint64_t maxTrips = 1 << 16;
  /// Of widened operands, for as many iterations as fit.
  static constexpr unsigned panelFloats = 4096;

  /// The plain handler of the first instruction.
  Handler plain;
  uint8_t counter;
  /// Instructions of the body, the branch included.
  uint32_t length;
  uint32_t multiplies;
  /// Scalar instructions and loads in order.
  std::vector<Step> steps;
  unsigned loads;
  std::vector<Phase> phases;
  /// What the body reads before it writes it, but for pointers.
  Registers numbers;
  Registers written;
  std::vector<Left> lefts;
  std::vector<Right> rights;
  std::vector<Tile> tiles;
  /// Of one iteration.
  uint32_t floats;
};

/// The loop that ends in the instruction of number `branch`, unless it is none of
/// these. `insts` is null where a word is no instruction.
std::optional<MatrixLoop> matrixLoop(llvm::ArrayRef<Op> code,
                                     llvm::ArrayRef<const isa::Instruction *> insts,
                                     uint32_t branch);

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_MATRIXLOOPS_H
