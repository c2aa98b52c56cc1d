//===- Assembly.h - D1 programs as text -------------------------*- C++ -*-===//
//
// One statement a line; `#` opens a comment; labels stand before a statement or
// alone. Operands follow the mnemonic in the order of the instruction table:
//
//     loop:                       # a label: letters, digits, _ . $
//       vfma v1, v2, v3, v4       # registers x0-x31, v0-v31, a0-a31
//       ldd x5, x6, -8            # numbers: decimal or 0x
//       bne x5, x0, loop          # a label, or a signed distance in words
//       .word 0xffffffff          # a word as it is
//
// Disassembled text assembles to the same words at any base address.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_ISA_ASSEMBLY_H
#define DOJO_ISA_ASSEMBLY_H

#include "dojo/ISA/Codec.h"
#include <map>
#include <string>

namespace dojo::isa {

struct AssembledCode {
  std::vector<uint32_t> words;
  /// The byte address of every label.
  std::map<std::string, uint32_t> symbols;
};

/// Fails at the first error, which reads "line:column: reason".
llvm::Expected<AssembledCode> assemble(llvm::StringRef text, uint32_t baseAddress = 0);

/// Branch targets within `words` become labels: their name in `names`, else L
/// and the address in hex. Words that do not decode become `.word`. The names
/// must be distinct, spelt like labels, and not of the form L<hex>.
std::string disassemble(llvm::ArrayRef<uint32_t> words, uint32_t baseAddress = 0,
                        const std::map<uint32_t, std::string> &names = {});

/// One instruction, its branch target as a distance.
std::string toString(const Decoded &decoded);

} // namespace dojo::isa

#endif // DOJO_ISA_ASSEMBLY_H
