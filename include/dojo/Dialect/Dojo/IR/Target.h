//===- Target.h - the machine of a module -----------------------*- C++ -*-===//
#ifndef DOJO_DIALECT_DOJO_IR_TARGET_H
#define DOJO_DIALECT_DOJO_IR_TARGET_H

#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "dojo/Machine/Machine.h"
#include "mlir/IR/BuiltinOps.h"

namespace dojo::ir {

/// The machine a module is compiled for, its logical grid, and the bytes kept for code.
struct Target {
  Machine machine;
  Coords grid;
  int64_t codeBytes; ///< at the start of every node's SRAM; 0 until --dojo-bound-code

  /// Reads the module's `dojo.machine`; an error where it is missing or wrong.
  static mlir::FailureOr<Target> of(mlir::ModuleOp module);
};

} // namespace dojo::ir

#endif // DOJO_DIALECT_DOJO_IR_TARGET_H
