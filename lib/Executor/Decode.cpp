//===- Decode.cpp - words to handlers and fields --------------------------===//
#include "Decode.h"
#include "dojo/ISA/Codec.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
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

const Interpreter &interpreterOf(Host host) {
  switch (host) {
  case Host::portable:
    return portable::interpreter;
  case Host::avx2:
    return avx2::interpreter;
  case Host::avx512:
    return avx512::interpreter;
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

Checking checkingOf(const Shadow *shadow, uint32_t index) {
  return !shadow ? Checking::none : shadow->marked(index) ? Checking::marked : Checking::strict;
}

using Instructions = std::vector<const isa::Instruction *>;

Instructions decodeWords(Mesh &mesh, const Options &options) {
  const Interpreter &interpreter = interpreterOf(options.host);
  const std::vector<char> &words = mesh.program->code;
  const uint32_t count = words.size() / isa::wordBytes;
  Instructions insts(count);
  mesh.code = std::vector<Op>(count + 1);
  for (uint32_t i = 0; i < count; ++i) {
    Op &op = mesh.code[i];
    uint32_t word = llvm::support::endian::read32le(words.data() + i * isa::wordBytes);
    llvm::Expected<isa::Decoded> decoded = isa::decode(word);
    if (!decoded) {
      llvm::consumeError(decoded.takeError());
      op.run = faultAt<noInstruction>;
      continue;
    }
    insts[i] = decoded->inst;
    fillFields(op, *decoded);
    clampTarget(op, *decoded, i, count);
    op.run = interpreter.handler(decoded->inst->opcode, checkingOf(mesh.shadow.get(), i),
                                 options.timing);
  }
  mesh.code[count].run = faultAt<leftTheCode>;
  return insts;
}

/// Lives that begin or end inside a loop need its single steps.
bool isMarked(const Shadow &shadow, uint32_t first, uint32_t length) {
  return llvm::any_of(llvm::seq(first, first + length),
                      [&](uint32_t index) { return shadow.marked(index); });
}

void findMatrixLoops(Mesh &mesh, const Options &options, const Instructions &insts) {
  const llvm::ArrayRef<Op> code = llvm::ArrayRef(mesh.code).drop_back();
  for (uint32_t branch = 0; branch < insts.size(); ++branch) {
    std::optional<MatrixLoop> loop = matrixLoop(code, insts, branch);
    if (!loop)
      continue;
    const uint32_t first = branch + 1 - loop->length;
    if (mesh.shadow && isMarked(*mesh.shadow, first, loop->length))
      continue;
    loop->plain = mesh.code[first].run;
    mesh.matrixLoops.try_emplace(first, std::move(*loop));
  }
  for (const auto &[first, loop] : mesh.matrixLoops)
    mesh.code[first].run =
        interpreterOf(options.host).matrixLoopHandler(mesh.shadow != nullptr, options.timing);
}

void makeCalls(Mesh &mesh, const Options &options, const Instructions &insts) {
  std::vector<Call> calls(mesh.code.size());
  for (auto [i, inst] : llvm::enumerate(insts))
    if (inst && !mesh.matrixLoops.contains(i))
      calls[i] = interpreterOf(options.host)
                     .call(inst->opcode, checkingOf(mesh.shadow.get(), i), options.timing);
  mesh.calls = Calls::create(mesh.code, calls);
}

} // namespace

void decodeCode(Mesh &mesh, const Options &options) {
  const Instructions insts = decodeWords(mesh, options);
  if (options.interpret)
    return;
  findMatrixLoops(mesh, options, insts);
  // In an order that is drawn nodes stop after a few instructions.
  if (!options.order)
    makeCalls(mesh, options, insts);
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
