//===- OperandLayouts.h - what a mapping asks of each operand ---*- C++ -*-===//
//
// A mapping cuts the iterators of a structured op; the layout of every operand
// follows from it and from the operand's indexing map. An operand dimension
// indexed by sum(c_i * it_i) + k, of which one iterator is spread in blocks of B,
// has the step c * B, the offset k and the window that its block reads: for a
// convolution that is the block with its halo.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_LINALGTODOJO_OPERANDLAYOUTS_H
#define DOJO_CONVERSION_LINALGTODOJO_OPERANDLAYOUTS_H

#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace dojo::ir {

/// One iterator of a mapped op.
struct MappedIterator {
  int64_t range;  ///< of the op; the width of a step where it is cut in time
  int64_t steps;  ///< in time, 1 when it is not cut
  int64_t blocks; ///< over the grid
  int64_t block;  ///< range of one block
  int64_t extent; ///< block rounded up to the mapping's multiple
  bool isReduction;
};

/// A structured op with its mapping, checked against each other and the grid.
class MappedOp {
public:
  /// Emits an error that names the rule a mapping breaks.
  static mlir::FailureOr<MappedOp> get(mlir::linalg::LinalgOp op, MappingAttr mapping,
                                       const Coords &grid);

  mlir::linalg::LinalgOp op;
  MappingAttr mapping;
  llvm::SmallVector<MappedIterator> iterators;

  /// Layout of an operand's tensor. Where `steps` cuts one of its dimensions this is
  /// the layout of one step's panel.
  Layout layoutOf(mlir::OpOperand &operand) const;
  /// Logical shape of an operand, or of one step's panel of it.
  llvm::SmallVector<int64_t> shapeOf(mlir::OpOperand &operand) const;
  /// How far each operand dimension advances from one step to the next.
  llvm::SmallVector<int64_t> advanceOf(mlir::OpOperand &operand) const;
  /// Whether each step takes another panel of the operand.
  bool advances(mlir::OpOperand &operand) const;
  /// Whether a reduction iterator indexes a dimension of the operand, so that its
  /// padding enters results and must be zero.
  bool isReduced(mlir::OpOperand &operand) const;

  /// An init whose reductions are split: one leading dimension for each of
  /// splitReductions(), which numbers the partial results.
  Layout partialLayoutOf(mlir::OpOperand &init) const;

  /// The iterator that is cut in time, if one is.
  std::optional<unsigned> steppedIterator() const;
  int64_t steps() const;
  /// Runs of the body on one node, padding included, all steps together.
  int64_t nodePoints() const;
  /// Whether each step computes a panel of the results of its own.
  bool stepsResults() const;
  /// The same op and blocks, all at once.
  MappedOp unstepped() const;
  /// Reduction iterators that lie on an axis.
  llvm::SmallVector<unsigned> splitReductions() const;

private:
  std::optional<unsigned> spreadIterator(llvm::ArrayRef<int64_t> form) const;
  void addDigits(Layout &layout,
                 llvm::function_ref<unsigned(unsigned iterator)> dimOfIterator) const;
  unsigned dimOf(llvm::ArrayRef<llvm::SmallVector<int64_t>> forms, unsigned iterator) const;
  Layout::Dim dimFor(llvm::ArrayRef<int64_t> form, int64_t size) const;
};

/// Coefficients of the iterators, then the constant, for each dimension of an operand.
llvm::SmallVector<llvm::SmallVector<int64_t>> operandForms(mlir::linalg::LinalgOp op,
                                                           mlir::OpOperand &operand);

/// The reduction iterator that is innermost in the first input of a contraction.
std::optional<unsigned> innerReduction(mlir::linalg::LinalgOp op);

/// The one associative operation by which the op reduces into its init of this number,
/// as partial results of a split reduction are combined; null when there is none.
mlir::Operation *combinerOf(mlir::linalg::LinalgOp op, unsigned init);

/// The iterator that indexes a dimension alone with coefficient 1, if one does.
std::optional<unsigned> plainIterator(llvm::ArrayRef<int64_t> form);

} // namespace dojo::ir

#endif // DOJO_CONVERSION_LINALGTODOJO_OPERANDLAYOUTS_H
