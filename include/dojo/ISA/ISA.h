//===- ISA.h - the D1 instruction set as data -------------------*- C++ -*-===//
//
// The table of instructions derived from Instructions.td: what each opcode is
// called, which unit issues it, and where its operands stand in the word.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_ISA_ISA_H
#define DOJO_ISA_ISA_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace dojo::isa {

enum class Opcode : uint8_t {
#define DOJO_INST(record, code, ...) record = code,
#include "dojo/ISA/Instructions.inc"
#undef DOJO_INST
};

enum class Kind : uint8_t { x, v, a, imm, label };
enum class Role : uint8_t { def, use, update };
enum class Unit : uint8_t { address, integer, simd, matrix, branch };
enum class Effect : uint8_t { none, read, write, node, control };

/// The letter that spells a register of the kind; 0 for operands that are numbers.
char registerLetter(Kind kind);

/// A field of the instruction word: bits [lo, lo + width).
struct Operand {
  llvm::StringRef name;
  Kind kind;
  Role role;
  uint8_t lo;
  uint8_t width;
  bool isSigned;
};

struct Instruction {
  Opcode opcode;
  llvm::StringRef record;
  llvm::StringRef mnemonic;
  Unit unit;
  Effect effect;
  unsigned pieces;     ///< of own SRAM that it reads or writes
  unsigned pieceBytes; ///< of each
  llvm::StringRef semantics;
  llvm::ArrayRef<Operand> operands;
};

/// Registers of each kind a thread has; accumulators are the node's.
constexpr unsigned numScalarRegs = 32;
constexpr unsigned numVectorRegs = 32;
constexpr unsigned numAccRegs = 32;

/// A block descriptor in SRAM: its size and its alignment.
constexpr unsigned descriptorBytes = 64;

/// 32-bit lanes of a vector register.
constexpr unsigned numLanes = 16;
/// One matrix instruction: rows x depth times depth x columns.
constexpr unsigned matrixRows = 8;
constexpr unsigned matrixColumns = 8;
constexpr unsigned matrixDepth = 4;
/// The rows and columns of elements of `bytes` that one instruction transposes.
constexpr unsigned transposedRows(unsigned bytes) { return bytes < 4 ? 8 : 4; }
constexpr unsigned transposedColumns(unsigned bytes) {
  return numLanes * 4 / bytes / transposedRows(bytes);
}

/// All instructions, by ascending opcode.
llvm::ArrayRef<Instruction> instructions();

/// The instruction of `opcode`, or null for a number that is none.
const Instruction *lookup(uint8_t opcode);
const Instruction &get(Opcode opcode);
const Instruction *lookupMnemonic(llvm::StringRef mnemonic);

} // namespace dojo::isa

#endif // DOJO_ISA_ISA_H
