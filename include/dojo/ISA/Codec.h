//===- Codec.h - instruction words and their operands -----------*- C++ -*-===//
//
// The two directions between a 32-bit word and its operands, both driven by the
// instruction table. For every word that decodes, encoding its operands gives
// the same word; for every list of operands that encodes, decoding the word
// gives the same list.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_ISA_CODEC_H
#define DOJO_ISA_CODEC_H

#include "dojo/ISA/ISA.h"
#include "llvm/Support/Error.h"
#include <array>
#include <vector>

namespace dojo::isa {

/// Bytes of an instruction word.
constexpr unsigned wordBytes = 4;
/// The most operands an instruction has.
constexpr unsigned maxOperands = 5;

/// The operands stand in the order of `inst->operands`; those beyond are 0.
/// Registers are their number, immediates and distances their value.
struct Decoded {
  const Instruction *inst;
  std::array<int64_t, maxOperands> operands;
};

/// The least and the greatest value that the field of `operand` holds.
int64_t minValue(const Operand &operand);
int64_t maxValue(const Operand &operand);
inline bool fits(const Operand &operand, int64_t value) {
  return value >= minValue(operand) && value <= maxValue(operand);
}

/// Fails when the number of operands is wrong or one does not fit its field.
llvm::Expected<uint32_t> encode(Opcode opcode, llvm::ArrayRef<int64_t> operands);

/// Fails when the opcode is none or a bit of no operand is set.
llvm::Expected<Decoded> decode(uint32_t word);

/// The same for a whole program; the error names the byte offset of the word.
llvm::Expected<std::vector<Decoded>> decode(llvm::ArrayRef<uint32_t> words);

/// Code in memory and in files is little-endian.
std::vector<char> toBytes(llvm::ArrayRef<uint32_t> words);
/// Fails when the bytes are not whole words.
llvm::Expected<std::vector<uint32_t>> toWords(llvm::ArrayRef<char> bytes);

} // namespace dojo::isa

#endif // DOJO_ISA_CODEC_H
