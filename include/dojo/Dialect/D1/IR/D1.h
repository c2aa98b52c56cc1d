//===- D1.h - the d1 dialect ------------------------------------*- C++ -*-===//
//
// Instructions of a D1 node as operations. Scalars are i64 until instruction
// selection and `!d1.x` after it; vectors are `!d1.v`, accumulators `!d1.a`.
// A register type with a number is an allocated register.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_DIALECT_D1_IR_D1_H
#define DOJO_DIALECT_D1_IR_D1_H

#include "dojo/ISA/ISA.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dojo/Dialect/D1/IR/D1Dialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dojo/Dialect/D1/IR/D1Types.h.inc"

#define GET_OP_CLASSES
#include "dojo/Dialect/D1/IR/D1Ops.h.inc"

#endif // DOJO_DIALECT_D1_IR_D1_H
