//===- Nest.h - a structured operation as plain numbers ---------*- C++ -*-===//
//
// What kernel generation knows of a structured operation: its iterators and, for
// each operand, the byte address as a linear function of them,
//     address = base + offset + sum over j of iv_j * strides[j].
// Maps, memref layouts and named operations end here.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_LINALGTOD1_NEST_H
#define DOJO_CONVERSION_LINALGTOD1_NEST_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SmallVector.h"

namespace dojo::kernels {

struct Iterator {
  int64_t extent;
  bool reduction;
  /// The dimension linalg.index names, where the body asks for it; else -1.
  int64_t indexDim;
};

struct Access {
  mlir::Value base;             ///< i64 address; null for a constant scalar operand
  mlir::TypedAttr constant;     ///< the scalar, where base is null
  mlir::BlockArgument argument; ///< what the body reads
  mlir::Type element;
  int64_t bytes;                      ///< of one element
  int64_t offset;                     ///< in bytes
  llvm::SmallVector<int64_t> strides; ///< in bytes, one for each iterator
  bool read;                          ///< the body uses the value in memory

  int64_t stride(unsigned iterator) const { return strides[iterator]; }
};

struct Nest {
  mlir::linalg::LinalgOp op;
  llvm::SmallVector<Iterator> iterators;
  llvm::SmallVector<Access> accesses; ///< inputs, then outputs
  unsigned numInputs;

  llvm::ArrayRef<Access> inputs() const { return llvm::ArrayRef(accesses).take_front(numInputs); }
  llvm::ArrayRef<Access> outputs() const { return llvm::ArrayRef(accesses).drop_front(numInputs); }
  mlir::Block &body() const { return op->getRegion(0).front(); }
  bool hasReduction() const;
  /// The value output `o` yields in the body.
  mlir::Value yielded(unsigned o) const;
};

/// Describes `op`; `addresses` has an i64 for each of its buffers. Reports
/// what no kernel can be made of: dynamic sizes, maps that are not linear,
/// element types without lanes, an output that depends on a reduction iterator.
llvm::FailureOr<Nest> analyse(mlir::linalg::LinalgOp op, const mlir::IRMapping &addresses);

/// Drops iterators of extent 1, and makes one iterator of two that every operand
/// steps through as if they were one. Keeps those the body asks the index of.
void simplify(Nest &nest);

/// yield(add(mul(a, b), out)) on f32, a and b the two inputs, possibly widened.
bool isContractionToF32(const Nest &nest);

/// An output whose next value is combine(its value, something else), combine
/// associative with a neutral element.
struct Combiner {
  mlir::Operation *op;
  mlir::TypedAttr neutral;
};
std::optional<Combiner> matchCombiner(const Nest &nest, unsigned output);

} // namespace dojo::kernels

#endif // DOJO_CONVERSION_LINALGTOD1_NEST_H
