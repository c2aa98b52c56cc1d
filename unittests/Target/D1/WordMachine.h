//===- WordMachine.h - runs the words that the tests' programs use -*- C++ -*-===//
//
// Scalars, control, and the few vector and accumulator instructions that only
// move bits: enough to tell whether every value was in its register.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_UNITTESTS_TARGET_D1_WORDMACHINE_H
#define DOJO_UNITTESTS_TARGET_D1_WORDMACHINE_H

#include "Memory.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

namespace dojo::test {

/// Runs from byte address `entry` to a halt. Registers start with garbage.
llvm::Error runWords(llvm::ArrayRef<uint32_t> words, uint32_t entry, Memory &memory);

} // namespace dojo::test

#endif // DOJO_UNITTESTS_TARGET_D1_WORDMACHINE_H
