//===- Issue.h - what an instruction takes when it issues -------*- C++ -*-===//
//
// The one statement of the rule by which instructions share a cycle, for those
// that order code and those that time it: each takes a slot of its unit, and a
// load or store of the own SRAM a port as well. How many there are, and when a
// result is ready, the machine says.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_ISA_ISSUE_H
#define DOJO_ISA_ISSUE_H

#include "dojo/ISA/ISA.h"
#include "dojo/Machine/Machine.h"

namespace dojo::isa {

/// The units' slots, numbered as Unit is, then the ports.
enum class Slot : uint8_t {
  address,
  integer,
  simd,
  matrix,
  branch,
  vectorRead,
  vectorWrite,
  scalarRead,
  scalarWrite
};
constexpr unsigned numSlots = unsigned(Slot::scalarWrite) + 1;

/// "address", ..., "vector_read", ...
llvm::StringRef name(Slot slot);

/// The unit's slot first.
llvm::SmallVector<Slot, 2> slotsOf(const Instruction &inst);

/// How many of the slot a cycle has.
int64_t width(const Machine &machine, Slot slot);

/// Cycles from issue until the result may be used.
int64_t latency(const Machine &machine, const Instruction &inst);

} // namespace dojo::isa

#endif // DOJO_ISA_ISSUE_H
