//===- Decode.cpp - words to handlers and fields --------------------------===//
#include "Decode.h"
#include "dojo/ISA/Codec.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"

namespace dojo::exec {
namespace {

template <const char *reason>
void faultAt(Node &node, const Op *pc, int64_t budget) {
  node.pc = pc;
  node.budget = budget;
  fault(node, reason);
}
constexpr char noInstruction[] = "is no instruction";
constexpr char leftTheCode[] = "was reached, past the last instruction";

Handler handlerOf(Host host, isa::Opcode opcode, Checking checking, bool timed) {
  switch (host) {
  case Host::portable:
    return portable::handler(opcode, checking, timed);
  case Host::avx2:
    return avx2::handler(opcode, checking, timed);
  case Host::avx512:
    return avx512::handler(opcode, checking, timed);
  }
  llvm_unreachable("every host has a case");
}

/// The field of an Op that a register operand of this lowest bit is kept in.
uint8_t &field(Op &op, const isa::Operand &operand) {
  switch (operand.lo) {
  case 8:
    return op.d;
  case 13:
    return op.a;
  case 18:
    return op.b;
  default:
    return op.c;
  }
}

void fillFields(Op &op, const isa::Decoded &decoded) {
  for (auto [operand, value] : llvm::zip(decoded.inst->operands, decoded.operands)) {
    bool sink = operand.kind == isa::Kind::x && operand.role == isa::Role::def && value == 0;
    if (operand.kind == isa::Kind::imm || operand.kind == isa::Kind::label)
      op.imm = int32_t(value);
    else
      field(op, operand) = sink ? sinkRegister : uint8_t(value);
  }
}

/// Keeps branches inside the array: those that leave the code go to its end.
void clampTarget(Op &op, const isa::Decoded &decoded, int64_t index, int64_t end) {
  bool branches = llvm::any_of(decoded.inst->operands, [](const isa::Operand &operand) {
    return operand.kind == isa::Kind::label;
  });
  int64_t target = index + op.imm;
  if (branches && (target < 0 || target > end))
    op.imm = int32_t(end - index);
}

} // namespace

std::vector<Op> decodeCode(const binary::Program &program, Host host, const Shadow *shadow,
                           bool timed) {
  const uint32_t count = program.code.size() / isa::wordBytes;
  std::vector<Op> code(count + 1);
  for (uint32_t i = 0; i < count; ++i) {
    Op &op = code[i];
    uint32_t word = llvm::support::endian::read32le(program.code.data() + i * isa::wordBytes);
    llvm::Expected<isa::Decoded> decoded = isa::decode(word);
    if (!decoded) {
      llvm::consumeError(decoded.takeError());
      op.run = faultAt<noInstruction>;
      continue;
    }
    fillFields(op, *decoded);
    clampTarget(op, *decoded, i, count);
    Checking checking = !shadow             ? Checking::none
                        : shadow->marked(i) ? Checking::marked
                                            : Checking::strict;
    op.run = handlerOf(host, decoded->inst->opcode, checking, timed);
  }
  code[count].run = faultAt<leftTheCode>;
  return code;
}

Host bestHost() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return Host::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return Host::avx2;
  return Host::portable;
}

} // namespace dojo::exec
