//===- ScalarCode.cpp -----------------------------------------------------===//
#include "ScalarCode.h"
#include "Mesh.h"
#include <cstddef>

namespace dojo::exec {
namespace {

using isa::Opcode;
using Bytes8 = llvm::ArrayRef<uint8_t>;

/// From the node to a scalar register.
uint32_t place(uint8_t x) { return offsetof(Node, x) + x * sizeof(uint64_t); }

/// mov rax, x
void loadA(HostCode &code, uint8_t x) { code.emit<uint32_t>({0x48, 0x8b, 0x83}, place(x)); }
/// mov rcx, x
void loadC(HostCode &code, uint8_t x) { code.emit<uint32_t>({0x48, 0x8b, 0x8b}, place(x)); }
/// mov x, rax
void storeA(HostCode &code, uint8_t x) { code.emit<uint32_t>({0x48, 0x89, 0x83}, place(x)); }

/// d = a OP b; `inst` has rax and memory as its operands.
bool binary(HostCode &code, const Op &op, Bytes8 inst) {
  loadA(code, op.a);
  code.emit<uint32_t>(inst, place(op.b));
  storeA(code, op.d);
  return true;
}
/// d = a OP imm; `inst` has rax and 32 bits as its operands.
bool immediate(HostCode &code, const Op &op, Bytes8 inst) {
  loadA(code, op.a);
  code.emit<int32_t>(inst, op.imm);
  storeA(code, op.d);
  return true;
}
/// d = a shifted by what rcx, or eight bits, say.
bool shift(HostCode &code, const Op &op, uint8_t kind) {
  loadA(code, op.a);
  loadC(code, op.b);
  code.emit({0x48, 0xd3, kind}); // shl, shr or sar rax, cl
  storeA(code, op.d);
  return true;
}
bool shiftImmediate(HostCode &code, const Op &op, uint8_t kind) {
  loadA(code, op.a);
  code.emit({0x48, 0xc1, kind, uint8_t(op.imm & 63)});
  storeA(code, op.d);
  return true;
}
/// d = whether a compares with what has been compared to it.
bool setFlag(HostCode &code, const Op &op, uint8_t condition) {
  code.emit({0x0f, condition, 0xc0, 0x0f, 0xb6, 0xc0}); // setcc al; movzx eax, al
  storeA(code, op.d);
  return true;
}
bool compare(HostCode &code, const Op &op, uint8_t condition) {
  loadA(code, op.a);
  code.emit<uint32_t>({0x48, 0x3b, 0x83}, place(op.b)); // cmp rax, b
  return setFlag(code, op, condition);
}
bool choose(HostCode &code, const Op &op, uint8_t condition) {
  loadA(code, op.a);
  loadC(code, op.b);
  code.emit({0x48, 0x39, 0xc8, 0x48, 0x0f, condition, 0xc1}); // cmp rax, rcx; cmovcc rax, rcx
  storeA(code, op.d);
  return true;
}

} // namespace

bool writeArithmetic(HostCode &code, Opcode opcode, const Op &op) {
  switch (opcode) {
  case Opcode::ADD:
    return binary(code, op, {0x48, 0x03, 0x83});
  case Opcode::SUB:
    return binary(code, op, {0x48, 0x2b, 0x83});
  case Opcode::MUL:
    return binary(code, op, {0x48, 0x0f, 0xaf, 0x83});
  case Opcode::AND:
    return binary(code, op, {0x48, 0x23, 0x83});
  case Opcode::OR:
    return binary(code, op, {0x48, 0x0b, 0x83});
  case Opcode::XOR:
    return binary(code, op, {0x48, 0x33, 0x83});
  case Opcode::SHL:
    return shift(code, op, 0xe0);
  case Opcode::SHR:
    return shift(code, op, 0xe8);
  case Opcode::SAR:
    return shift(code, op, 0xf8);
  case Opcode::SLT:
    return compare(code, op, 0x9c);
  case Opcode::SLTU:
    return compare(code, op, 0x92);
  case Opcode::MIN:
    return choose(code, op, 0x4f);
  case Opcode::MAX:
    return choose(code, op, 0x4c);
  case Opcode::ADDI:
    return immediate(code, op, {0x48, 0x05});
  case Opcode::ANDI:
    return immediate(code, op, {0x48, 0x25});
  case Opcode::MULI:
    code.emit<uint32_t>({0x48, 0x69, 0x83}, place(op.a)); // imul rax, a, imm
    code.emit<int32_t>({}, op.imm);
    storeA(code, op.d);
    return true;
  case Opcode::SLTI:
    loadA(code, op.a);
    code.emit<int32_t>({0x48, 0x3d}, op.imm); // cmp rax, imm
    return setFlag(code, op, 0x9c);
  case Opcode::SHLI:
    return shiftImmediate(code, op, 0xe0);
  case Opcode::SHRI:
    return shiftImmediate(code, op, 0xe8);
  case Opcode::SARI:
    return shiftImmediate(code, op, 0xf8);
  case Opcode::LI:
    code.emit<uint32_t>({0x48, 0xc7, 0x83}, place(op.d)); // mov d, imm
    code.emit<int32_t>({}, op.imm);
    return true;
  case Opcode::LIS:
    loadA(code, op.a);
    code.emit({0x48, 0xc1, 0xe0, 14});        // shl rax, 14
    code.emit<int32_t>({0x48, 0x0d}, op.imm); // or rax, imm
    storeA(code, op.d);
    return true;
  default:
    return false;
  }
}

bool writeBranch(HostCode &code, Opcode opcode, const Op &op, uint32_t target) {
  auto compared = [&](uint8_t condition) {
    loadA(code, op.d);
    code.emit<uint32_t>({0x48, 0x3b, 0x83}, place(op.a)); // cmp rax, a
    code.emitTo({0x0f, condition}, target);
    return true;
  };
  switch (opcode) {
  case Opcode::BEQ:
    return compared(0x84);
  case Opcode::BNE:
    return compared(0x85);
  case Opcode::BLT:
    return compared(0x8c);
  case Opcode::BGE:
    return compared(0x8d);
  case Opcode::BDNZ:
    if (op.d == 0)
      return false;
    code.emit<uint32_t>({0x48, 0xff, 0x8b}, place(op.d)); // dec d
    code.emitTo({0x0f, 0x85}, target);
    return true;
  default:
    return false;
  }
}

} // namespace dojo::exec
