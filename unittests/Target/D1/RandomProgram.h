//===- RandomProgram.h - programs that are right by construction -*- C++ -*-===//
#ifndef DOJO_UNITTESTS_TARGET_D1_RANDOMPROGRAM_H
#define DOJO_UNITTESTS_TARGET_D1_RANDOMPROGRAM_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace dojo::test {

/// An entry `step` that calls routines in loops and branches; all of them compute
/// on scalars, vectors and accumulators and store what they compute. Divisors are
/// never 0 or -1, accesses are aligned and inside the tests' memory.
mlir::OwningOpRef<mlir::ModuleOp> randomProgram(mlir::MLIRContext *context, unsigned seed);

} // namespace dojo::test

#endif // DOJO_UNITTESTS_TARGET_D1_RANDOMPROGRAM_H
