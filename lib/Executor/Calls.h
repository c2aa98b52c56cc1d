//===- Calls.h - code as a chain of host calls ------------------*- C++ -*-===//
//
// Where a handler loads a register or jumps to the next, its host has one place to predict
// every register and every instruction from, and is wrong in long code. Here an instruction has
// host code of its own, block after block: scalar arithmetic and branches are written out
// (ScalarCode.h), others are direct calls of what they mean ("context threading": Berndl,
// Vitale, Zaleski, Brown, CGO 2005). Code that is entered elsewhere, and what has no such
// call, goes on through its handlers.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_CALLS_H
#define DOJO_LIB_EXECUTOR_CALLS_H

#include "Op.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Memory.h"

namespace dojo::exec {

/// What an instruction means as a function of (Node &, const Op *).
struct Call {
  enum Kind : uint8_t {
    /// There is none.
    none,
    plain,
    /// Its result is false, and node.pc is the instruction, where the node stops.
    mayStop,
    /// The same; the node may go on later.
    mayWait,
    /// Its result is whether the branch is taken.
    branch,
  };
  Kind kind = none;
  isa::Opcode opcode = {};
  const void *function = nullptr;
};

/// Host code for the Ops that it was made from. It must live as long as they run.
class Calls {
public:
  /// Makes blocks of the ops that have a call and lets the first op of each run them. The
  /// last op has none. Where the host is no x86-64 or has no room near its own code, all
  /// ops stay with their handlers.
  static Calls create(llvm::MutableArrayRef<Op> code, llvm::ArrayRef<Call> calls);

private:
  llvm::sys::OwningMemoryBlock memory;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_CALLS_H
