//===- IssueModel.cpp -----------------------------------------------------===//
#include "IssueModel.h"
#include "dojo/ISA/Codec.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

namespace dojo::exec {
namespace {

constexpr unsigned slotOf(Cost::Count count) { return count - Cost::firstSlot; }

unsigned unitSlot(isa::Unit unit) {
  switch (unit) {
  case isa::Unit::address:
    return slotOf(Cost::address);
  case isa::Unit::integer:
    return slotOf(Cost::integer);
  case isa::Unit::simd:
    return slotOf(Cost::simd);
  case isa::Unit::matrix:
    return slotOf(Cost::matrix);
  case isa::Unit::branch:
    return slotOf(Cost::branch);
  }
  llvm_unreachable("all units are listed");
}

uint64_t latencyOf(isa::Unit unit, const Machine &machine) {
  switch (unit) {
  case isa::Unit::address:
    return machine.addressLatency;
  case isa::Unit::integer:
    return machine.integerLatency;
  case isa::Unit::simd:
    return machine.simdLatency;
  case isa::Unit::matrix:
    return machine.matrixLatency;
  case isa::Unit::branch:
    return machine.branchLatency;
  }
  llvm_unreachable("all units are listed");
}

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

std::optional<unsigned> portSlot(const isa::Instruction &inst) {
  const bool vector = !inst.operands.empty() && inst.operands.front().kind == isa::Kind::v;
  if (inst.effect == isa::Effect::read)
    return slotOf(vector ? Cost::vectorReads : Cost::scalarReads);
  if (inst.effect == isa::Effect::write)
    return slotOf(vector ? Cost::vectorWrites : Cost::scalarWrites);
  return std::nullopt;
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
  auto set = [&](Cost::Count count, int64_t value) { width[slotOf(count)] = narrow(value); };
  set(Cost::address, machine.addressIssue);
  set(Cost::integer, machine.integerIssue);
  set(Cost::simd, machine.simdIssue);
  set(Cost::matrix, machine.matrixIssue);
  set(Cost::branch, machine.branchIssue);
  set(Cost::vectorReads, machine.vectorReadPorts);
  set(Cost::vectorWrites, machine.vectorWritePorts);
  set(Cost::scalarReads, machine.scalarReadPorts);
  set(Cost::scalarWrites, machine.scalarWritePorts);
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
  op.latency = latencyOf(inst.unit, machine);
  op.takes.push_back(unitSlot(inst.unit));
  if (auto port = portSlot(inst))
    op.takes.push_back(*port);
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
  for (unsigned slot = 0; slot < numSlots; ++slot)
    bound =
        std::max(bound, llvm::divideCeil(cost[Cost::Count(Cost::firstSlot + slot)], width[slot]));
  return bound;
}

} // namespace dojo::exec
