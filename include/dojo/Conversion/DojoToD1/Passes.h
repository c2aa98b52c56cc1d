//===- Passes.h - from the dojo dialect to D1 code --------------*- C++ -*-===//
#ifndef DOJO_CONVERSION_DOJOTOD1_PASSES_H
#define DOJO_CONVERSION_DOJOTOD1_PASSES_H

#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace dojo::ir {
#define GEN_PASS_DECL
#include "dojo/Conversion/DojoToD1/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dojo/Conversion/DojoToD1/Passes.h.inc"

/// Most bytes of code that the entry of a function of the dojo dialect can take,
/// whatever the addresses: known before placement, which needs it.
int64_t driverBytesBound(mlir::func::FuncOp function, const Target &target);

} // namespace dojo::ir

#endif // DOJO_CONVERSION_DOJOTOD1_PASSES_H
