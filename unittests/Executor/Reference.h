//===- Reference.h - what one instruction does, lane by lane ----*- C++ -*-===//
//
// A second reading of Instructions.td, plain and slow, that shares nothing with
// the interpreter.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_UNITTESTS_EXECUTOR_REFERENCE_H
#define DOJO_UNITTESTS_EXECUTOR_REFERENCE_H

#include "dojo/ISA/ISA.h"
#include <cstdint>

namespace dojo::exec {

constexpr unsigned windowBytes = 1024;

/// The registers that an instruction under test names, and the memory it may
/// touch. Operands in the fields a, b, c are registers 1, 2, 3; d is 4.
struct State {
  uint32_t v[4][16];
  uint32_t acc[8][8];
  uint64_t x[4];
  uint8_t padding[224];
  uint8_t window[windowBytes];
};
static_assert(sizeof(State) == 1792);

/// Applies the instruction; addresses in x count from `windowAddress`. False
/// for an opcode that this reference does not know.
bool applyReference(isa::Opcode opcode, int64_t imm, uint64_t windowAddress, State &state);

} // namespace dojo::exec

#endif // DOJO_UNITTESTS_EXECUTOR_REFERENCE_H
