//===- WordMachine.cpp - runs the words that the tests' programs use ------===//
#include "WordMachine.h"
#include "dojo/ISA/Codec.h"
#include <limits>

using dojo::isa::Opcode;

namespace dojo::test {
namespace {

constexpr uint64_t stepLimit = 20'000'000;

int64_t divide(int64_t a, int64_t b) {
  if (b == 0)
    return -1;
  return b == -1 ? int64_t(-uint64_t(a)) : a / b;
}

int64_t remainder(int64_t a, int64_t b) {
  if (b == 0)
    return a;
  return b == -1 ? 0 : a % b;
}

struct Machine {
  Memory &memory;
  int64_t pc;
  std::array<int64_t, 32> x;
  std::array<Vector, 32> v;
  std::array<Accumulator, 32> a;
  bool halted = false;

  Machine(Memory &memory, int64_t pc) : memory(memory), pc(pc) {
    for (unsigned i = 0; i < 32; ++i) {
      x[i] = 0x5a5a5a5a00 + i;
      v[i].fill(0xdead0000 + i);
      a[i].fill(0xbeef0000 + i);
    }
    x[0] = 0;
  }

  llvm::Error step(uint32_t word);
};

llvm::Error Machine::step(uint32_t word) {
  llvm::Expected<isa::Decoded> decoded = isa::decode(word);
  if (!decoded)
    return decoded.takeError();
  const auto &o = decoded->operands;
  int64_t next = pc + 4;
  auto d = [&](int64_t value) { x[o[0]] = value; };
  auto A = [&] { return x[o[1]]; };
  auto B = [&] { return x[o[2]]; };
  auto U = [](int64_t value) { return uint64_t(value); };
  switch (decoded->inst->opcode) {
  case Opcode::ADD:
    d(U(A()) + U(B()));
    break;
  case Opcode::SUB:
    d(U(A()) - U(B()));
    break;
  case Opcode::MUL:
    d(U(A()) * U(B()));
    break;
  case Opcode::DIV:
    d(divide(A(), B()));
    break;
  case Opcode::REM:
    d(remainder(A(), B()));
    break;
  case Opcode::AND:
    d(A() & B());
    break;
  case Opcode::OR:
    d(A() | B());
    break;
  case Opcode::XOR:
    d(A() ^ B());
    break;
  case Opcode::SHL:
    d(U(A()) << (B() & 63));
    break;
  case Opcode::SHR:
    d(U(A()) >> (B() & 63));
    break;
  case Opcode::SAR:
    d(A() >> (B() & 63));
    break;
  case Opcode::SLT:
    d(A() < B());
    break;
  case Opcode::SLTU:
    d(U(A()) < U(B()));
    break;
  case Opcode::MIN:
    d(std::min(A(), B()));
    break;
  case Opcode::MAX:
    d(std::max(A(), B()));
    break;
  case Opcode::ADDI:
    d(U(A()) + U(o[2]));
    break;
  case Opcode::MULI:
    d(U(A()) * U(o[2]));
    break;
  case Opcode::ANDI:
    d(A() & o[2]);
    break;
  case Opcode::SLTI:
    d(A() < o[2]);
    break;
  case Opcode::SHLI:
    d(U(A()) << (o[2] & 63));
    break;
  case Opcode::SHRI:
    d(U(A()) >> (o[2] & 63));
    break;
  case Opcode::SARI:
    d(A() >> (o[2] & 63));
    break;
  case Opcode::LI:
    d(o[1]);
    break;
  case Opcode::LIS:
    d(U(A()) << 14 | U(o[2]));
    break;
  case Opcode::LDD:
    d(memory.load<int64_t>(A() + o[2]));
    break;
  case Opcode::STD:
    memory.store(A() + o[2], x[o[0]]);
    break;
  case Opcode::VLD:
    v[o[0]] = memory.load<Vector>(A() + o[2]);
    break;
  case Opcode::VST:
    memory.store(A() + o[2], v[o[0]]);
    break;
  case Opcode::VMOV:
    v[o[0]] = v[o[1]];
    break;
  case Opcode::VSPLAT:
    v[o[0]].fill(A());
    break;
  case Opcode::VIADD:
    for (unsigned i = 0; i < 16; ++i)
      v[o[0]][i] = v[o[1]][i] + v[o[2]][i];
    break;
  case Opcode::VSEL:
    for (unsigned i = 0; i < 16; ++i)
      v[o[0]][i] = (v[o[1]][i] & v[o[2]][i]) | (~v[o[1]][i] & v[o[3]][i]);
    break;
  case Opcode::VLANE:
    d(int32_t(v[o[1]][o[2]]));
    break;
  case Opcode::MZERO:
    a[o[0]].fill(0);
    break;
  case Opcode::MWRITE:
    std::copy_n(v[o[1]].begin(), 16, a[o[0]].begin() + 16 * o[2]);
    break;
  case Opcode::MREAD:
    std::copy_n(a[o[1]].begin() + 16 * o[2], 16, v[o[0]].begin());
    break;
  case Opcode::BEQ:
    next = x[o[0]] == A() ? pc + 4 * o[2] : next;
    break;
  case Opcode::BNE:
    next = x[o[0]] != A() ? pc + 4 * o[2] : next;
    break;
  case Opcode::BLT:
    next = x[o[0]] < A() ? pc + 4 * o[2] : next;
    break;
  case Opcode::BGE:
    next = x[o[0]] >= A() ? pc + 4 * o[2] : next;
    break;
  case Opcode::BDNZ:
    d(x[o[0]] - 1);
    next = x[o[0]] != 0 ? pc + 4 * o[1] : next;
    break;
  case Opcode::JAL:
    d(next);
    next = pc + 4 * o[1];
    break;
  case Opcode::JALR: {
    int64_t to = A() + o[2];
    d(next);
    next = to;
    break;
  }
  case Opcode::HALT:
    halted = true;
    break;
  default:
    return llvm::createStringError("the test machine does not know " + decoded->inst->mnemonic);
  }
  x[0] = 0;
  pc = next;
  return llvm::Error::success();
}

} // namespace

llvm::Error runWords(llvm::ArrayRef<uint32_t> words, uint32_t entry, Memory &memory) {
  Machine machine(memory, entry);
  for (uint64_t steps = 0; !machine.halted; ++steps) {
    if (steps == stepLimit)
      return llvm::createStringError("the program does not end");
    if (machine.pc < 0 || machine.pc % 4 || uint64_t(machine.pc) / 4 >= words.size())
      return llvm::createStringError("the program leaves its code");
    if (llvm::Error error = machine.step(words[machine.pc / 4]))
      return error;
  }
  return llvm::Error::success();
}

} // namespace dojo::test
