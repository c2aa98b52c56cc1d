//===- Codec.cpp - instruction words and their operands -------------------===//
#include "dojo/ISA/Codec.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using llvm::createStringError;
using llvm::formatv;

namespace dojo::isa {
namespace {

constexpr unsigned opcodeBits = 8;

uint32_t fieldMask(const Operand &operand) {
  return llvm::maskTrailingOnes<uint32_t>(operand.width) << operand.lo;
}

int64_t extract(const Operand &operand, uint32_t word) {
  uint64_t field = (word & fieldMask(operand)) >> operand.lo;
  return operand.isSigned ? llvm::SignExtend64(field, operand.width) : int64_t(field);
}

/// By opcode, the bits that belong to no field.
const std::array<uint32_t, 256> &unusedBits() {
  static const auto masks = [] {
    std::array<uint32_t, 256> map{};
    for (const Instruction &inst : instructions()) {
      uint32_t used = llvm::maskTrailingOnes<uint32_t>(opcodeBits);
      for (const Operand &operand : inst.operands)
        used |= fieldMask(operand);
      map[uint8_t(inst.opcode)] = ~used;
    }
    return map;
  }();
  return masks;
}

} // namespace

int64_t minValue(const Operand &operand) {
  return operand.isSigned ? llvm::minIntN(operand.width) : 0;
}

int64_t maxValue(const Operand &operand) {
  return operand.isSigned ? llvm::maxIntN(operand.width) : int64_t(llvm::maxUIntN(operand.width));
}

llvm::Expected<uint32_t> encode(Opcode opcode, llvm::ArrayRef<int64_t> operands) {
  const Instruction &inst = get(opcode);
  if (operands.size() != inst.operands.size())
    return createStringError(formatv("{0}: expected {1} operands, found {2}", inst.mnemonic,
                                     inst.operands.size(), operands.size()));
  uint32_t word = uint8_t(opcode);
  for (auto [operand, value] : llvm::zip_equal(inst.operands, operands)) {
    if (!fits(operand, value))
      return createStringError(formatv("{0}: operand {1} must be from {2} to {3}, found {4}",
                                       inst.mnemonic, operand.name, minValue(operand),
                                       maxValue(operand), value));
    word |= (uint32_t(value) << operand.lo) & fieldMask(operand);
  }
  return word;
}

llvm::Expected<Decoded> decode(uint32_t word) {
  uint8_t opcode = word & llvm::maskTrailingOnes<uint32_t>(opcodeBits);
  const Instruction *inst = lookup(opcode);
  if (!inst)
    return createStringError(
        formatv("word {0:x8}: no instruction has opcode {1:x2}", word, unsigned(opcode)));
  if (uint32_t stray = word & unusedBits()[opcode])
    return createStringError(
        formatv("word {0:x8}: {1} has no operand in the bits {2:x8}", word, inst->mnemonic, stray));
  Decoded decoded{inst, {}};
  for (auto [index, operand] : llvm::enumerate(inst->operands))
    decoded.operands[index] = extract(operand, word);
  return decoded;
}

llvm::Expected<std::vector<Decoded>> decode(llvm::ArrayRef<uint32_t> words) {
  std::vector<Decoded> program;
  program.reserve(words.size());
  for (auto [index, word] : llvm::enumerate(words)) {
    llvm::Expected<Decoded> decoded = decode(word);
    if (!decoded)
      return createStringError(formatv("code offset {0:x}: {1}", index * wordBytes,
                                       llvm::toString(decoded.takeError())));
    program.push_back(*decoded);
  }
  return program;
}

std::vector<char> toBytes(llvm::ArrayRef<uint32_t> words) {
  std::vector<char> bytes(words.size() * wordBytes);
  for (auto [index, word] : llvm::enumerate(words))
    llvm::support::endian::write32le(&bytes[index * wordBytes], word);
  return bytes;
}

llvm::Expected<std::vector<uint32_t>> toWords(llvm::ArrayRef<char> bytes) {
  if (bytes.size() % wordBytes != 0)
    return createStringError(
        formatv("code of {0} bytes is not a multiple of {1}", bytes.size(), wordBytes));
  std::vector<uint32_t> words(bytes.size() / wordBytes);
  for (auto [index, word] : llvm::enumerate(words))
    word = llvm::support::endian::read32le(&bytes[index * wordBytes]);
  return words;
}

} // namespace dojo::isa
