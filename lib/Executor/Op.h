//===- Op.h - a decoded instruction -----------------------------*- C++ -*-===//
#ifndef DOJO_LIB_EXECUTOR_OP_H
#define DOJO_LIB_EXECUTOR_OP_H

#include "dojo/ISA/ISA.h"
#include <cstdint>

namespace dojo::exec {

struct Node;
struct Op;

/// Executes the instruction at `pc` and those after it until the node waits,
/// halts or faults; at most `budget` of them.
using Handler = void (*)(Node &node, const Op *pc, int64_t budget);

/// A decoded instruction. Fields are those of the word; `d` is sinkRegister
/// where a scalar result goes to x0. A label stays a distance in words.
struct Op {
  Handler run;
  int32_t imm;
  uint8_t d, a, b, c;
};

constexpr unsigned sinkRegister = isa::numScalarRegs;

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_OP_H
