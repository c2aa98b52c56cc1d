//===- Spreader.h - brings tensors to where they are needed -----*- C++ -*-===//
//
// Keeps, for each tensor of the structured level, the value that holds it on the
// mesh, and makes the moves that bring it, or a view of it, into the layout a
// consumer asks for. Equal requests share one move, except of tensors that stay in
// DRAM between their uses.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_LINALGTODOJO_SPREADER_H
#define DOJO_LIB_CONVERSION_LINALGTODOJO_SPREADER_H

#include "Views.h"
#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"

namespace dojo::ir {

/// What a consumer needs of a tensor.
struct Request {
  Layout layout;
  llvm::SmallVector<int64_t> shape;   ///< logical; that of a panel inside a repeat
  bool zeroPadding;                   ///< padding enters results and must be zero
  mlir::Value symbol;                 ///< number of the step, with...
  llvm::SmallVector<int64_t> advance; ///< ...how far each dimension advances by one
  int64_t steps = 1;
};

class Spreader {
public:
  Spreader(mlir::OpBuilder &builder, const Coords &grid) : builder(builder), grid(grid) {}

  /// `value` of the structured level is held by `held`, spread or in DRAM.
  void define(mlir::Value value, mlir::Value held) { holders[value] = held; }
  /// What `held` holds outside the logical tensor is zero.
  void setPaddedWithZero(mlir::Value held) { paddedWithZero.insert(held); }

  /// `value` is held in DRAM and loaded wherever it is used.
  void defineStreamed(mlir::Value value, mlir::Value held) {
    define(value, held);
    streamed.insert(held);
  }

  /// The tensor in DRAM that holds `value` as it is; null if none does.
  mlir::Value inDram(mlir::Value value) const;

  /// The tensor in the layout asked for; made once for equal requests without symbol.
  mlir::FailureOr<mlir::Value> get(mlir::Value value, const Request &request);

  /// A copy of its own in the layout asked for, to be overwritten.
  mlir::FailureOr<mlir::Value> copy(mlir::Value value, const Request &request);

  /// The tensor on the mesh in whatever layout it has, identity map.
  mlir::FailureOr<mlir::Value> anywhere(mlir::Value value);

  /// From here to leaveLoop, what is made of values from outside of the loop stands in front of
  /// its repeat, where it is made once.
  void enterLoop(mlir::scf::ForOp loop, RepeatOp repeat);
  void leaveLoop() { loops.pop_back(); }
  /// The number of a step of an entered loop.
  mlir::Value stepOf(mlir::Value inductionVariable) {
    return repeatOf(inductionVariable).getBody().getArgument(0);
  }

  /// Ensures that the views behind `value` have a holder, on the mesh or in DRAM, so
  /// that requests inside a repeat take their panels from there. A repeated constant needs none.
  mlir::LogicalResult prepare(mlir::Value value);

private:
  mlir::FailureOr<mlir::Value> holderOf(mlir::Value root);
  mlir::FailureOr<mlir::Value> makeHolder(mlir::Value root);
  mlir::FailureOr<mlir::Value> holdReshape(mlir::Operation *op);
  mlir::FailureOr<mlir::Value> onMesh(mlir::Value root);
  mlir::FailureOr<mlir::Value> concatenate(mlir::tensor::ConcatOp op, const Request &request);
  mlir::FailureOr<mlir::Value> moveView(mlir::Value value, const View &view,
                                        const Request &request);
  mlir::FailureOr<mlir::Value> repeatValue(mlir::TypedAttr constant, const View &view,
                                           const Request &request);
  mlir::FailureOr<mlir::Value> loadBox(mlir::Value source, mlir::AffineMap &map,
                                       mlir::TypedAttr padding, const Request &request);
  mlir::FailureOr<mlir::Value> move(mlir::Location loc, mlir::Value source,
                                    mlir::RankedTensorType type, mlir::AffineMap map,
                                    mlir::TypedAttr padding, const Request &request);
  bool streams(mlir::Value value) const;
  View look(mlir::Value value) const;
  void enterScopeOf(mlir::Value value);
  RepeatOp repeatOf(mlir::Value inductionVariable);
  mlir::Value destination(mlir::Location loc, mlir::RankedTensorType type, bool fill,
                          mlir::TypedAttr padding);

  mlir::OpBuilder &builder;
  Coords grid;
  llvm::SmallVector<std::pair<mlir::scf::ForOp, RepeatOp>> loops; ///< outermost first
  llvm::DenseMap<mlir::Value, mlir::Value> holders;
  llvm::DenseMap<mlir::Value, mlir::Value> homes; ///< of holders in DRAM
  llvm::DenseSet<mlir::Value> streamed;           ///< holders in DRAM without a home
  llvm::DenseSet<mlir::Value> paddedWithZero;
  llvm::DenseMap<std::tuple<mlir::Value, mlir::Attribute, unsigned>, mlir::Value> made;
};

/// Whether no element is held by two nodes, so that DRAM is read once.
bool holdsOnce(const Layout &layout, const Coords &grid);

/// The layout in which a tensor rests: its largest dimensions cut over the grid,
/// each element on exactly one node.
Layout restingLayout(llvm::ArrayRef<int64_t> shape, const Coords &grid);

} // namespace dojo::ir

#endif // DOJO_LIB_CONVERSION_LINALGTODOJO_SPREADER_H
