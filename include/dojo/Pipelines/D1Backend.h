//===- D1Backend.h - from scf and arith to allocated d1 code ----*- C++ -*-===//
#ifndef DOJO_PIPELINES_D1BACKEND_H
#define DOJO_PIPELINES_D1BACKEND_H

#include "llvm/ADT/StringRef.h"

namespace mlir {
class OpPassManager;
}

namespace dojo {

/// Routines and entries become d1 code on numbered registers, ready for emitCode.
/// All passes run on functions, so that they may run in parallel. `machine` is a
/// preset, a machine file or its text.
void buildD1BackendPipeline(mlir::OpPassManager &functions, llvm::StringRef machine = "d1-die");

/// Registers it as `--d1-backend`.
void registerD1BackendPipeline();

} // namespace dojo

#endif // DOJO_PIPELINES_D1BACKEND_H
