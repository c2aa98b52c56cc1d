//===- Reference.h - what scf, arith and d1 code means ----------*- C++ -*-===//
#ifndef DOJO_UNITTESTS_TARGET_D1_REFERENCE_H
#define DOJO_UNITTESTS_TARGET_D1_REFERENCE_H

#include "Memory.h"
#include "mlir/IR/BuiltinOps.h"

namespace dojo::test {

/// Evaluates the function `entry` of `module` before instruction selection,
/// operation by operation.
void evaluate(mlir::ModuleOp module, llvm::StringRef entry, Memory &memory);

} // namespace dojo::test

#endif // DOJO_UNITTESTS_TARGET_D1_REFERENCE_H
