//===- MatrixLoops.h - loops that multiply matrices -------------*- C++ -*-===//
//
// A loop whose body is one straight line of vector loads, address arithmetic and
// matrix multiplies writes no memory, and its addresses are affine in the
// iteration. All that it multiplies is known when it begins, so MatrixKernel.h
// runs it as a whole: each accumulator gets its own products in their order, and
// the order between accumulators, which nothing can see, is free.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_MATRIXLOOPS_H
#define DOJO_LIB_EXECUTOR_MATRIXLOOPS_H

#include "Op.h"
#include <optional>
#include <vector>

namespace dojo::exec {

struct MatrixLoop {
  struct Step {
    isa::Opcode opcode;
    uint8_t d, a, b, c;
    int32_t imm;
  };

  /// A scalar that an iteration takes over from the last: it moves by a number,
  /// or by a register that the body leaves alone (`by`, else x0), up or down.
  struct Carried {
    uint8_t x, by;
    bool down;
    int32_t imm;
  };

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
  /// Of widened operands, for as many iterations as fit.
  static constexpr unsigned panelFloats = 8192;

  /// The plain handler of the first instruction.
  Handler plain;
  uint8_t counter;
  /// Instructions of the body, the branch included.
  uint32_t length;
  uint32_t multiplies;
  /// Scalar instructions and loads in order.
  std::vector<Step> steps;
  std::vector<Carried> carried;
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
