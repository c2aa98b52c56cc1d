//===- MatrixLoops.h - loops that multiply matrices -------------*- C++ -*-===//
//
// A loop whose body is one straight line of vector loads and copies, scalar arithmetic
// and matrix multiplies writes no memory. Its addresses follow from the scalars with
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

  /// What a vector register holds in an iteration: what load number `load` of the body
  /// brought `delay` iterations before, copied from register to register since. In
  /// iterations t < delay it holds what register kept[t] held when the loop began;
  /// without a load it holds that of kept[delay] from then on.
  static constexpr unsigned maxDelay = 3;
  struct Operand {
    int16_t load;
    uint8_t delay;
    std::array<uint8_t, maxDelay + 1> kept;
    bool operator==(const Operand &) const = default;
  };

  /// The operands of one side, in the order of the multiplies of an iteration, iteration
  /// after iteration. Two accumulators that stand side by side have theirs in turns. What an
  /// accumulator gets first may have been loaded an iteration before: then it reads the
  /// stream from one of `leads` on, which stand before the first iteration.
  struct Stream {
    std::vector<Operand> leads, operands;
    /// 1, or 2 side by side.
    unsigned width;
    /// Of one iteration.
    uint32_t floats() const { return operands.size() * operandFloats; }
  };

  /// One accumulator, or two that are multiplied by the same left operands.
  struct Tile {
    uint8_t acc[2];
    unsigned count;
    /// A stream, and how many of its leads are read, all widths side by side.
    struct Side {
      unsigned stream, leads;
    };
    Side left, right;
  };

  static constexpr unsigned operandFloats = isa::matrixRows * isa::matrixDepth;
  static constexpr unsigned maxLoads = 64;
  /// Iterations that run as one piece; more are run piece by piece.
  static constexpr uint64_t maxTrips = 1 << 16;
  /// A tile has one of each side.
  static constexpr unsigned maxStreams = isa::numAccRegs;
  /// Of widened operands, for as many iterations as fit: 128 KiB stay in a host's second cache.
  static constexpr unsigned panelFloats = 1 << 15;

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
  std::vector<Stream> lefts, rights;
  std::vector<Tile> tiles;
  /// Of all streams in one iteration.
  uint32_t floats;
  /// Vector registers that the body writes, and what they hold when an iteration begins.
  std::vector<std::pair<uint8_t, Operand>> held;
};

/// The loop that ends in the instruction of number `branch`, unless it is none of
/// these. `insts` is null where a word is no instruction.
std::optional<MatrixLoop> matrixLoop(llvm::ArrayRef<Op> code,
                                     llvm::ArrayRef<const isa::Instruction *> insts,
                                     uint32_t branch);

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_MATRIXLOOPS_H
