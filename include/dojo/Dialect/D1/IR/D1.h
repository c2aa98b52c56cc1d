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
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dojo/Dialect/D1/IR/D1Dialect.h.inc"
#include "dojo/Dialect/D1/IR/D1Enums.h.inc"
#include "dojo/Dialect/D1/IR/D1Interfaces.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dojo/Dialect/D1/IR/D1Types.h.inc"

#define GET_OP_CLASSES
#include "dojo/Dialect/D1/IR/D1Ops.h.inc"

namespace dojo::d1 {

/// Attributes of func.func: a leaf that d1.call reaches, or where a node starts.
constexpr llvm::StringLiteral routineAttr = "d1.routine";
constexpr llvm::StringLiteral entryAttr = "d1.entry";
/// A routine that promises: no byte is written through one argument and touched
/// through another.
constexpr llvm::StringLiteral disjointAttr = "d1.disjoint";

/// Whether `function` has a body that is, or becomes, d1 code.
bool holdsCode(mlir::FunctionOpInterface function);

/// The file a register type belongs to; nothing for another type.
std::optional<isa::Kind> registerKind(mlir::Type type);
/// The number of an allocated register, nothing before allocation.
std::optional<unsigned> registerNumber(mlir::Type type);
/// The register type of `kind`, without a number when there is none.
mlir::Type registerType(mlir::MLIRContext *context, isa::Kind kind,
                        std::optional<unsigned> number = std::nullopt);

/// The place among `op`'s operands of the register that the instruction updates,
/// whose result 0 is then that same register.
std::optional<unsigned> updatedOperand(InstructionOpInterface op);

} // namespace dojo::d1

#endif // DOJO_DIALECT_D1_IR_D1_H
