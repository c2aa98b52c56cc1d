//===- Reference.h - structured operations, plainly -------------*- C++ -*-===//
//
// The meaning of a structured operation on memrefs over bytes: for every point of
// the iterators in order, read the elements by the indexing maps, run the body on
// scalars, write what it yields. f32 and bf16 arithmetic is rounded after each
// operation of the body.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_UNITTESTS_REFERENCE_H
#define DOJO_UNITTESTS_REFERENCE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace dojo::testing {

struct Scalar {
  double f = 0;
  int64_t i = 0;
};

Scalar readElement(mlir::Type type, const uint8_t *from);
void writeElement(mlir::Type type, Scalar value, uint8_t *to);
int64_t elementSize(mlir::Type type);

/// Runs the kernel with its buffers at the byte addresses `arguments`. Returns the
/// name of an operation it does not know, or "".
std::string evaluate(mlir::func::FuncOp kernel, llvm::ArrayRef<int64_t> arguments,
                     llvm::MutableArrayRef<uint8_t> memory);

} // namespace dojo::testing

#endif // DOJO_UNITTESTS_REFERENCE_H
