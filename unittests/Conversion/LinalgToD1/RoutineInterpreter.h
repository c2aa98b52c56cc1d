//===- RoutineInterpreter.h - routines run on MLIR itself -------*- C++ -*-===//
//
// Runs a routine (scf on i64, arith, d1 operations) over the bytes of one node's
// memory, one operation at a time, from the words of Instructions.td. It shares no
// code with the back end or the executor, so that it can be held against both.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_UNITTESTS_ROUTINEINTERPRETER_H
#define DOJO_UNITTESTS_ROUTINEINTERPRETER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <cstdint>

namespace dojo::testing {

/// BF16 bits nearest to x, ties to even.
uint16_t roundToBF16(float x);
float widenBF16(uint16_t bits);

/// Runs `routine` with the addresses `arguments`. Returns the first thing that is
/// wrong (an address outside memory, an operation without meaning), or "".
std::string interpret(mlir::func::FuncOp routine, llvm::ArrayRef<int64_t> arguments,
                      llvm::MutableArrayRef<uint8_t> memory);

} // namespace dojo::testing

#endif // DOJO_UNITTESTS_ROUTINEINTERPRETER_H
