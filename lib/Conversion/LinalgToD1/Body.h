//===- Body.h - scalar bodies in vector lanes -------------------*- C++ -*-===//
//
// A value of the body is a vector register with one point in each lane: f32 as
// itself, bf16 as the f32 it widens to, i32 and index as 32 bits, i16 and i8 in
// the low bytes with any bits above, i1 as a mask of all ones or zero.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_LINALGTOD1_BODY_H
#define DOJO_CONVERSION_LINALGTOD1_BODY_H

#include "Emitter.h"

namespace dojo::kernels {

/// Where the values come from that a body does not compute, for point p.
struct BodyInputs {
  llvm::function_ref<mlir::Value(mlir::BlockArgument, unsigned p)> argument;
  llvm::function_ref<mlir::Value(int64_t dim, unsigned p)> index;
};

/// Emits the nest's body for `points` points in step, operation by operation, and
/// returns what each output yields: result[output][point]. Fails with an error
/// that names the operation of the body which has no lanes.
llvm::FailureOr<llvm::SmallVector<Values>> emitBody(Emitter &emitter, const Nest &nest,
                                                    unsigned points, const BodyInputs &inputs);

/// Emits the lanes of one operation of a body, which emitBody has accepted.
mlir::Value emitOperation(Emitter &emitter, mlir::Operation *op, mlir::ValueRange in);

/// The lanes of a constant of the body's types.
mlir::Value emitConstant(Emitter &emitter, mlir::TypedAttr value);

/// What one point of a body takes.
struct BodyCost {
  unsigned operations; ///< instructions without loads, stores and constants
  unsigned constants;  ///< registers for constants
  unsigned live;       ///< registers for values in between, at most at once
};
llvm::FailureOr<BodyCost> measureBody(const Nest &nest);

} // namespace dojo::kernels

#endif // DOJO_CONVERSION_LINALGTOD1_BODY_H
