//===- ScalarCode.h - scalar instructions as x86-64 -------------*- C++ -*-===//
//
// Registers stay in the node: every instruction loads and stores them. As addresses are
// constants of the code, the host passes on what it has just stored; in the handlers, where
// one load serves all registers, it cannot know which store a load waits for.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_SCALARCODE_H
#define DOJO_LIB_EXECUTOR_SCALARCODE_H

#include "HostCode.h"
#include "Op.h"

namespace dojo::exec {

/// Writes an arithmetic instruction; false where there is no code for it.
bool writeArithmetic(HostCode &code, isa::Opcode opcode, const Op &op);

/// Writes a branch to places[target]; false where there is no code for it.
bool writeBranch(HostCode &code, isa::Opcode opcode, const Op &op, uint32_t target);

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_SCALARCODE_H
