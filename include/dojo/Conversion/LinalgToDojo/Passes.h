//===- Passes.h - from structured ops to the dojo dialect -------*- C++ -*-===//
#ifndef DOJO_CONVERSION_LINALGTODOJO_PASSES_H
#define DOJO_CONVERSION_LINALGTODOJO_PASSES_H

#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "mlir/Pass/Pass.h"

namespace dojo::ir {
#define GEN_PASS_DECL
#include "dojo/Conversion/LinalgToDojo/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dojo/Conversion/LinalgToDojo/Passes.h.inc"
} // namespace dojo::ir

#endif // DOJO_CONVERSION_LINALGTODOJO_PASSES_H
