//===- Issue.cpp ----------------------------------------------------------===//
#include "dojo/ISA/Issue.h"
#include "llvm/Support/ErrorHandling.h"

namespace dojo::isa {
namespace {

struct SlotEntry {
  llvm::StringRef name;
  int64_t Machine::*width;
};

/// In the order of Slot.
constexpr SlotEntry slots[] = {
    {"address", &Machine::addressIssue},
    {"integer", &Machine::integerIssue},
    {"simd", &Machine::simdIssue},
    {"matrix", &Machine::matrixIssue},
    {"branch", &Machine::branchIssue},
    {"vector_read", &Machine::vectorReadPorts},
    {"vector_write", &Machine::vectorWritePorts},
    {"scalar_read", &Machine::scalarReadPorts},
    {"scalar_write", &Machine::scalarWritePorts},
};
static_assert(std::size(slots) == numSlots);

} // namespace

llvm::StringRef name(Slot slot) { return slots[unsigned(slot)].name; }

int64_t width(const Machine &machine, Slot slot) { return machine.*slots[unsigned(slot)].width; }

llvm::SmallVector<Slot, 2> slotsOf(const Instruction &inst) {
  llvm::SmallVector<Slot, 2> taken = {Slot(inst.unit)};
  const bool vector = !inst.operands.empty() && inst.operands.front().kind == Kind::v;
  if (inst.effect == Effect::read)
    taken.push_back(vector ? Slot::vectorRead : Slot::scalarRead);
  if (inst.effect == Effect::write)
    taken.push_back(vector ? Slot::vectorWrite : Slot::scalarWrite);
  return taken;
}

int64_t latency(const Machine &machine, const Instruction &inst) {
  switch (inst.unit) {
  case Unit::address:
    return machine.addressLatency;
  case Unit::integer:
    return machine.integerLatency;
  case Unit::simd:
    return machine.simdLatency;
  case Unit::matrix:
    return machine.matrixLatency;
  case Unit::branch:
    return machine.branchLatency;
  }
  llvm_unreachable("all units are listed");
}

} // namespace dojo::isa
