//===- Disassembly.cpp - D1 words to text ---------------------------------===//
#include "dojo/ISA/Assembly.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using llvm::formatv;
using llvm::StringRef;

namespace dojo::isa {
namespace {

/// The value of the label operand, the last one where there is one.
std::optional<int64_t> branchDistance(const Decoded &decoded) {
  llvm::ArrayRef<Operand> operands = decoded.inst->operands;
  if (operands.empty() || operands.back().kind != Kind::label)
    return std::nullopt;
  return decoded.operands[operands.size() - 1];
}

void print(llvm::raw_ostream &os, const Decoded &decoded, StringRef target) {
  os << decoded.inst->mnemonic;
  StringRef separator = " ";
  for (auto [operand, value] : llvm::zip(decoded.inst->operands, decoded.operands)) {
    os << separator;
    separator = ", ";
    if (char letter = registerLetter(operand.kind))
      os << letter << value;
    else if (operand.kind == Kind::label && !target.empty())
      os << target;
    else
      os << value;
  }
}

} // namespace

std::string disassemble(llvm::ArrayRef<uint32_t> words, uint32_t baseAddress,
                        const std::map<uint32_t, std::string> &names) {
  std::vector<std::optional<Decoded>> program;
  std::vector<std::string> labels(words.size());
  for (uint32_t word : words)
    program.push_back(llvm::expectedToOptional(decode(word)));

  auto targetOf = [&](size_t index) -> std::optional<size_t> {
    std::optional<int64_t> distance =
        program[index] ? branchDistance(*program[index]) : std::nullopt;
    // A target before the first word wraps to a number beyond the last.
    size_t target = index + distance.value_or(words.size());
    return target < words.size() ? std::optional(target) : std::nullopt;
  };
  for (size_t index = 0; index < words.size(); ++index) {
    uint32_t address = baseAddress + index * wordBytes;
    if (auto name = names.find(address); name != names.end())
      labels[index] = name->second;
    std::optional<size_t> target = targetOf(index);
    if (target && !names.count(baseAddress + *target * wordBytes))
      labels[*target] = formatv("L{0:x-}", baseAddress + *target * wordBytes).str();
  }

  std::string text;
  llvm::raw_string_ostream os(text);
  for (auto [index, decoded] : llvm::enumerate(program)) {
    if (!labels[index].empty())
      os << labels[index] << ":\n";
    os << "  ";
    std::optional<size_t> target = targetOf(index);
    if (decoded)
      print(os, *decoded, target ? StringRef(labels[*target]) : StringRef());
    else
      os << formatv(".word {0:x8}", words[index]);
    os << "\n";
  }
  return text;
}

std::string toString(const Decoded &decoded) {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os, decoded, "");
  return text;
}

} // namespace dojo::isa
