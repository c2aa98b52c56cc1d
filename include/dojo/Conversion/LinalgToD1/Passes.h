//===- Passes.h - kernels to routines ---------------------------*- C++ -*-===//
#ifndef DOJO_CONVERSION_LINALGTOD1_PASSES_H
#define DOJO_CONVERSION_LINALGTOD1_PASSES_H

#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

namespace dojo {

#define GEN_PASS_DECL
#include "dojo/Conversion/LinalgToD1/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dojo/Conversion/LinalgToD1/Passes.h.inc"

} // namespace dojo

#endif // DOJO_CONVERSION_LINALGTOD1_PASSES_H
