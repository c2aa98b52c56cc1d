//===- Passes.h - from scf and arith to d1 ----------------------*- C++ -*-===//
#ifndef DOJO_CONVERSION_ARITHTOD1_PASSES_H
#define DOJO_CONVERSION_ARITHTOD1_PASSES_H

#include "dojo/Dialect/D1/IR/D1.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace dojo::d1 {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dojo/Conversion/ArithToD1/Passes.h.inc"

} // namespace dojo::d1

#endif // DOJO_CONVERSION_ARITHTOD1_PASSES_H
