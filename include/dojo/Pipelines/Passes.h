//===- Passes.h - what holds the pipeline together --------------*- C++ -*-===//
#ifndef DOJO_PIPELINES_PASSES_H
#define DOJO_PIPELINES_PASSES_H

#include "mlir/Pass/Pass.h"

namespace dojo {
#define GEN_PASS_DECL
#include "dojo/Pipelines/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dojo/Pipelines/Passes.h.inc"
} // namespace dojo

#endif // DOJO_PIPELINES_PASSES_H
