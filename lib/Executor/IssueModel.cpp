//===- IssueModel.cpp -----------------------------------------------------===//
#include "IssueModel.h"
#include "dojo/ISA/Codec.h"
#include "dojo/ISA/Issue.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

namespace dojo::exec {
namespace {

/// The place of a register among the results; none for x0 and numbers.
std::optional<uint8_t> resultOf(isa::Kind kind, int64_t number) {
  switch (kind) {
  case isa::Kind::x:
    return number ? std::optional<uint8_t>(number) : std::nullopt;
  case isa::Kind::v:
    return isa::numScalarRegs + number;
  case isa::Kind::a:
    return isa::numScalarRegs + isa::numVectorRegs + number;
  default:
    return std::nullopt;
  }
}

BlockEnd endOf(const isa::Instruction &inst) {
  if (inst.effect == isa::Effect::node || inst.opcode == isa::Opcode::HALT)
    return BlockEnd::fence;
  return inst.effect == isa::Effect::control ? BlockEnd::branch : BlockEnd::none;
}

uint8_t narrow(int64_t width) { return std::min<int64_t>(width, UINT8_MAX); }

} // namespace

void PipelineState::advance(uint64_t cycles) {
  for (uint16_t &left : ready)
    left = left > cycles ? left - cycles : 0;
  taken = {};
}

IssueModel::IssueModel(const binary::Program &program, const Machine &machine)
    : branchLatency(machine.branchLatency) {
  for (unsigned slot = 0; slot < isa::numSlots; ++slot)
    width[slot] = narrow(isa::width(machine, isa::Slot(slot)));
  for (size_t at = 0; at < program.code.size(); at += isa::wordBytes)
    ops.push_back(timed(llvm::support::endian::read32le(program.code.data() + at), machine));
  ops.emplace_back().end = BlockEnd::fence; // past the code, where a node faults
}

IssueModel::Op IssueModel::timed(uint32_t word, const Machine &machine) const {
  Op op;
  llvm::Expected<isa::Decoded> decoded = isa::decode(word);
  if (!decoded) {
    llvm::consumeError(decoded.takeError());
    op.end = BlockEnd::fence;
    return op;
  }
  const isa::Instruction &inst = *decoded->inst;
  op.end = endOf(inst);
  op.mmul = inst.opcode == isa::Opcode::MMUL;
  op.vfma = inst.opcode == isa::Opcode::VFMA;
  op.latency = isa::latency(machine, inst);
  for (isa::Slot slot : isa::slotsOf(inst))
    op.takes.push_back(uint8_t(slot));
  for (auto [operand, value] : llvm::zip(inst.operands, decoded->operands))
    if (auto result = resultOf(operand.kind, value)) {
      op.awaits.push_back(*result);
      if (operand.role != isa::Role::use)
        op.result = *result;
    }
  if (inst.effect == isa::Effect::write)
    op.result = PipelineState::stores;
  if (op.end == BlockEnd::fence) {
    op.awaits.clear();
    for (unsigned result = 0; result < PipelineState::numResults; ++result)
      op.awaits.push_back(result);
  }
  return op;
}

void IssueModel::issue(const Op &op, PipelineState &state, Cost &cost) const {
  uint64_t wait = 0;
  for (uint8_t result : op.awaits)
    wait = std::max<uint64_t>(wait, state.ready[result]);
  const bool alone = op.end == BlockEnd::fence;
  if (alone && wait == 0)
    wait = llvm::any_of(state.taken, [](uint8_t taken) { return taken; });
  auto full = [&](uint8_t slot) { return state.taken[slot] == width[slot]; };
  if (!wait && llvm::any_of(op.takes, full)) {
    wait = 1;
    cost[Cost::portStalls] += !full(op.takes.front());
  }
  if (wait)
    state.advance(wait);
  cost[Cost::cycles] += wait;
  for (uint8_t slot : op.takes) {
    ++state.taken[slot];
    ++cost[Cost::Count(Cost::firstSlot + slot)];
  }
  if (op.result >= 0)
    state.ready[op.result] = std::max(state.ready[op.result], op.latency);
  cost[Cost::mmuls] += op.mmul;
  cost[Cost::vfmas] += op.vfma;
}

uint32_t IssueModel::run(uint32_t index, PipelineState &state, Cost &cost) const {
  for (; ops[index].end == BlockEnd::none; ++index)
    issue(ops[index], state, cost);
  issue(ops[index], state, cost);
  if (ops[index].end == BlockEnd::fence) {
    ++cost[Cost::cycles];
    state = {};
  }
  return index;
}

uint64_t IssueModel::bound(const Cost &cost) const {
  uint64_t bound = 0;
  for (unsigned slot = 0; slot < isa::numSlots; ++slot)
    bound =
        std::max(bound, llvm::divideCeil(cost[Cost::Count(Cost::firstSlot + slot)], width[slot]));
  return bound;
}

} // namespace dojo::exec
