//===- Dojo.h - the dojo dialect --------------------------------*- C++ -*-===//
#ifndef DOJO_DIALECT_DOJO_IR_DOJO_H
#define DOJO_DIALECT_DOJO_IR_DOJO_H

#include "dojo/Layout/Move.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dojo/Dialect/Dojo/IR/DojoDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dojo/Dialect/Dojo/IR/DojoAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dojo/Dialect/Dojo/IR/DojoTypes.h.inc"

#define GET_OP_CLASSES
#include "dojo/Dialect/Dojo/IR/DojoOps.h.inc"

namespace dojo::ir {

/// Names of discardable attributes.
constexpr llvm::StringLiteral mappingAttrName = "dojo.mapping"; ///< on a structured op
constexpr llvm::StringLiteral machineAttrName = "dojo.machine"; ///< on the module
constexpr llvm::StringLiteral kernelAttrName = "dojo.kernel";   ///< on an outlined kernel
constexpr llvm::StringLiteral titleAttrName = "dojo.name";      ///< on arguments and results
/// On arguments and results, and what stores them: the element type that they have outside
/// of the program, as the binary names it; that of the tensor without. A type of 8 bytes is
/// held as two words, the last dimension of the tensor.
constexpr llvm::StringLiteral elementAttrName = "dojo.element";
/// On results whose sizes the data decide: pairs of a dimension and the number of the result,
/// an i32, that counts its places; on the dojo.dram that stores one, pairs of a dimension and
/// the dojo.dram of the count. Shapes have the largest sizes.
constexpr llvm::StringLiteral extentsAttrName = "dojo.extents";
/// On an ml_program.global, or on a structured op for its results: "dram" keeps it
/// there, to be read when it is used; it stays in SRAM without.
constexpr llvm::StringLiteral storageAttrName = "dojo.storage";
/// On a structured op with steps: the slots of its dojo.repeat, two where it is absent.
constexpr llvm::StringLiteral slotsAttrName = "dojo.slots";
constexpr llvm::StringLiteral codeBytesAttrName = "dojo.code_bytes"; ///< on the module: at most

/// On the module: the figures of the program as a dictionary, and one for each ONNX node
/// (docs/Reports.md); the latter with `result`, the layout of its largest launch, and the
/// `partials` of that.
constexpr llvm::StringLiteral figuresAttrName = "dojo.figures";
constexpr llvm::StringLiteral opsAttrName = "dojo.ops";

/// On the module: a dictionary for each buffer, with name, address, size, entry and the
/// marks between which it lives; `end` is foreverMark for one that never ends.
constexpr llvm::StringLiteral buffersAttrName = "dojo.buffers";
constexpr int64_t foreverMark = -1;

/// The entry that runs once after load, and the one that runs for every input.
constexpr llvm::StringLiteral initEntryName = "init";
constexpr llvm::StringLiteral stepEntryName = "step";

/// The block descriptor in use stands behind the code.
int64_t descriptorAddress(int64_t codeBytes);

/// The tensor behind a value of tensor or buffer type.
mlir::RankedTensorType tensorOf(mlir::Type type);
/// The layout of a spread tensor; the type must have one.
Layout layoutOf(mlir::Type type);
bool isDram(mlir::Type type);
/// `type` with the encoding of `layout`.
mlir::RankedTensorType withLayout(mlir::RankedTensorType type, const Layout &layout);
/// One node's piece: extents in logical dimension order.
mlir::RankedTensorType localTensor(mlir::RankedTensorType type);
/// Bytes of an element in memory; a boolean takes one.
unsigned elementBytes(mlir::Type element);
/// Bytes of one node's piece.
int64_t localBytes(mlir::RankedTensorType type);

/// A spread tensor with every element, padding too, equal to `fill`.
mlir::Value createFilled(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type,
                         mlir::TypedAttr fill);

/// Coefficients of the dimensions and symbols of `expr`, then its constant;
/// failure when it is not linear.
mlir::FailureOr<llvm::SmallVector<int64_t>> linearForm(mlir::AffineExpr expr, unsigned numDims,
                                                       unsigned numSymbols);

/// The terms of a move's map; failure when it is not of the form Move.h asks for.
mlir::FailureOr<llvm::SmallVector<Move::Term, 4>> termsOf(mlir::AffineMap map);

/// The symbol of a move: scale * step + offset of a repeat, or the offset alone.
struct StepNumber {
  RepeatOp repeat;
  int64_t scale, offset;

  int64_t at(int64_t step) const { return scale * step + offset; }
};

/// `symbol` is the step of a repeat, an affine.apply of it, or a constant.
StepNumber stepNumberOf(mlir::Value symbol);

} // namespace dojo::ir

#endif // DOJO_DIALECT_DOJO_IR_DOJO_H
