//===- BuildProgram.h - a module of D1 code as a program --------*- C++ -*-===//
#ifndef DOJO_TARGET_D1_BUILDPROGRAM_H
#define DOJO_TARGET_D1_BUILDPROGRAM_H

#include "dojo/Binary/Program.h"
#include "mlir/IR/BuiltinOps.h"

namespace dojo::d1 {

/// Emits the code of a module whose entries and routines have registers and
/// gathers its DRAM tensors and buffer table. The program's images point into the
/// blobs of the module's context, which must outlive it.
llvm::Expected<binary::Program> buildProgram(mlir::ModuleOp module);

} // namespace dojo::d1

#endif // DOJO_TARGET_D1_BUILDPROGRAM_H
