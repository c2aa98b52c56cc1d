//===- Passes.h - passes on the dojo dialect --------------------*- C++ -*-===//
#ifndef DOJO_DIALECT_DOJO_TRANSFORMS_PASSES_H
#define DOJO_DIALECT_DOJO_TRANSFORMS_PASSES_H

#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "mlir/Pass/Pass.h"

namespace dojo::ir {
#define GEN_PASS_DECL
#include "dojo/Dialect/Dojo/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dojo/Dialect/Dojo/Transforms/Passes.h.inc"
} // namespace dojo::ir

#endif // DOJO_DIALECT_DOJO_TRANSFORMS_PASSES_H
