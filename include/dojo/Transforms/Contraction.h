//===- Contraction.h - what counts as a contraction, a map, ... -*- C++ -*-===//
//
// One definition for every pass of what a linalg op computes, read from its
// body and maps, so that named ops and generics are treated alike.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_TRANSFORMS_CONTRACTION_H
#define DOJO_TRANSFORMS_CONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace dojo {

/// out += in0 * in1 with at least one reduction and two operands that are
/// indexed differently: matmuls, convolutions, their grouped and generic kin.
/// Inputs may be widened in the body. A product reduced in place (a * b, summed)
/// is not one: nothing in it is used twice.
bool isContraction(mlir::linalg::LinalgOp op);

/// A contraction of BF16 operands, which the matrix unit computes.
bool usesMatrixUnit(mlir::linalg::LinalgOp op);

/// Marks an op whose in1 ascends by one; whoever writes it promises that.
constexpr llvm::StringLiteral lookupAttrName = "dojo.lookup";

/// out += in0 == in1 ? in2 : 0, marked `dojo.lookup`, over one reduction iterator r, which alone
/// indexes in1, the numbers of the rows of in2. Since those ascend, in0 names one row at
/// most, and the work is that of a copy: a kernel reads the number of its first row and takes
/// the row that in0 names, if it is one of its own.
bool isLookup(mlir::linalg::LinalgOp op);

/// Whether zeros in the operands add nothing to a reduction, so that it may be padded with them.
bool addsNothingForZeros(mlir::linalg::LinalgOp op);

/// out = max(out, in), over a window or a dimension.
bool isMaxReduction(mlir::linalg::LinalgOp op);

/// Every map is a projected permutation, zeros allowed.
bool isWindowless(mlir::linalg::LinalgOp op);

/// Without windows, every iterator is parallel, and the initial values are not
/// read: a pure map.
bool isPointwise(mlir::linalg::LinalgOp op);

} // namespace dojo

#endif // DOJO_TRANSFORMS_CONTRACTION_H
