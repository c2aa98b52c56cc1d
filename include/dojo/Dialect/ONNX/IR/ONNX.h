//===- ONNX.h - the onnx dialect --------------------------------*- C++ -*-===//
//
// ONNX graphs as they stand in the file: `onnx.node` carries any operator, so
// that every model imports. Only --lower-onnx knows what operators mean.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_DIALECT_ONNX_IR_ONNX_H
#define DOJO_DIALECT_ONNX_IR_ONNX_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dojo/Dialect/ONNX/IR/ONNXDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dojo/Dialect/ONNX/IR/ONNXTypes.h.inc"

#define GET_OP_CLASSES
#include "dojo/Dialect/ONNX/IR/ONNXOps.h.inc"

namespace dojo::onnx {

/// Attributes of the arguments and results of `main`: the name of the graph
/// input or output, and the names of its unknown dimensions ("" if unnamed).
inline constexpr llvm::StringLiteral nameAttr = "dojo.name";
inline constexpr llvm::StringLiteral dimsAttr = "dojo.dims";

/// The name that `loc` carries, or "" without one.
llvm::StringRef nodeName(mlir::Location loc);

} // namespace dojo::onnx

#endif // DOJO_DIALECT_ONNX_IR_ONNX_H
