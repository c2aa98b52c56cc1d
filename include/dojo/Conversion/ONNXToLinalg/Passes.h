//===- Passes.h - from ONNX nodes to structured operations ------*- C++ -*-===//
#ifndef DOJO_CONVERSION_ONNXTOLINALG_PASSES_H
#define DOJO_CONVERSION_ONNXTOLINALG_PASSES_H

#include "mlir/Pass/Pass.h"

namespace dojo {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dojo/Conversion/ONNXToLinalg/Passes.h.inc"

} // namespace dojo

#endif // DOJO_CONVERSION_ONNXTOLINALG_PASSES_H
