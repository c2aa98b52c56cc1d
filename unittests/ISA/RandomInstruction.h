//===- RandomInstruction.h - valid instructions for tests -------*- C++ -*-===//
#ifndef DOJO_UNITTESTS_ISA_RANDOMINSTRUCTION_H
#define DOJO_UNITTESTS_ISA_RANDOMINSTRUCTION_H

#include "dojo/ISA/Codec.h"
#include <random>

/// Operands that fit; a quarter of them stand at an end of their range.
inline std::vector<int64_t> randomOperands(const dojo::isa::Instruction &inst,
                                           std::mt19937 &random) {
  std::vector<int64_t> operands;
  for (const dojo::isa::Operand &operand : inst.operands) {
    int64_t min = dojo::isa::minValue(operand), max = dojo::isa::maxValue(operand);
    switch (random() % 8) {
    case 0:
      operands.push_back(min);
      break;
    case 1:
      operands.push_back(max);
      break;
    default:
      operands.push_back(min + int64_t(random() % uint64_t(max - min + 1)));
    }
  }
  return operands;
}

#endif // DOJO_UNITTESTS_ISA_RANDOMINSTRUCTION_H
