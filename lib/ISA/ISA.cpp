//===- ISA.cpp - the instruction table ------------------------------------===//
#include "dojo/ISA/ISA.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/ErrorHandling.h"
#include <array>
#include <cassert>

namespace dojo::isa {
namespace {

#define DOJO_STRIP(...) __VA_ARGS__
#define DOJO_OPERAND(name, kind, role, lo, width, isSigned)                                        \
  Operand{name, Kind::kind, Role::role, lo, width, isSigned != 0},
#define DOJO_INST(record, code, mnemonic, unit, effect, pieces, bytes, semantics, operands)        \
  constexpr std::initializer_list<Operand> operandsOf##record = {DOJO_STRIP operands};
#include "dojo/ISA/Instructions.inc"
#undef DOJO_INST

constexpr Instruction table[] = {
#define DOJO_INST(record, code, mnemonic, unit, effect, pieces, bytes, semantics, operands)        \
  {Opcode::record,                                                                                 \
   #record,                                                                                        \
   mnemonic,                                                                                       \
   Unit::unit,                                                                                     \
   Effect::effect,                                                                                 \
   pieces,                                                                                         \
   bytes,                                                                                          \
   semantics,                                                                                      \
   llvm::ArrayRef<Operand>(operandsOf##record.begin(), operandsOf##record.size())},
#include "dojo/ISA/Instructions.inc"
#undef DOJO_INST
};

} // namespace

char registerLetter(Kind kind) {
  switch (kind) {
  case Kind::x:
    return 'x';
  case Kind::v:
    return 'v';
  case Kind::a:
    return 'a';
  case Kind::imm:
  case Kind::label:
    return 0;
  }
  llvm_unreachable("all kinds are listed");
}

llvm::ArrayRef<Instruction> instructions() { return table; }

const Instruction *lookup(uint8_t opcode) {
  static const auto byOpcode = [] {
    std::array<const Instruction *, 256> map{};
    for (const Instruction &inst : table)
      map[static_cast<uint8_t>(inst.opcode)] = &inst;
    return map;
  }();
  return byOpcode[opcode];
}

const Instruction &get(Opcode opcode) {
  const Instruction *inst = lookup(static_cast<uint8_t>(opcode));
  assert(inst && "an Opcode is always in the table");
  return *inst;
}

const Instruction *lookupMnemonic(llvm::StringRef mnemonic) {
  static const auto byName = [] {
    llvm::StringMap<const Instruction *> map;
    for (const Instruction &inst : table)
      map[inst.mnemonic] = &inst;
    return map;
  }();
  return byName.lookup(mnemonic);
}

} // namespace dojo::isa
