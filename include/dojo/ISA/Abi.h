//===- Abi.h - how code calls code on a D1 node -----------------*- C++ -*-===//
//
// Arguments travel in x10, x11, ...; the return address in x1. A routine keeps
// its hands off x26 to x31, so that an entry holds there what must outlive a
// call; a routine calls nothing. x0 reads as zero.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_ISA_ABI_H
#define DOJO_ISA_ABI_H

namespace dojo::isa {

constexpr unsigned zeroReg = 0;
constexpr unsigned linkReg = 1;
constexpr unsigned firstArgumentReg = 10;
constexpr unsigned maxArguments = 12;
constexpr unsigned firstPreservedReg = 26;

/// Scratch in SRAM for the routines of moves: a block descriptor, then what they
/// note while they run. One piece serves all moves, its start is that of a descriptor.
constexpr unsigned moveScratchBytes = 128;

} // namespace dojo::isa

#endif // DOJO_ISA_ABI_H
