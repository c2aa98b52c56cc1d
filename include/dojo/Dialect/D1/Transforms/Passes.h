//===- Passes.h - passes on the d1 dialect ----------------------*- C++ -*-===//
#ifndef DOJO_DIALECT_D1_TRANSFORMS_PASSES_H
#define DOJO_DIALECT_D1_TRANSFORMS_PASSES_H

#include "dojo/Dialect/D1/IR/D1.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace dojo::d1 {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dojo/Dialect/D1/Transforms/Passes.h.inc"

} // namespace dojo::d1

#endif // DOJO_DIALECT_D1_TRANSFORMS_PASSES_H
