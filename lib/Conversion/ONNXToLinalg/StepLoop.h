//===- StepLoop.h - loops that handlers build -------------------*- C++ -*-===//
//
// A loop of a constant number of steps that carries tensors: an scf.for whose slices and
// insertions depend linearly on the number of the step, which becomes a dojo.repeat.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_STEPLOOP_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_STEPLOOP_H

#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace dojo::onnx {

/// Where a run of `size` places of a dimension of `extent` begins, which element `i` of `start`
/// says as ONNX does: all negative, it counts from the end. Nothing if the run leaves the
/// dimension.
std::optional<mlir::OpFoldResult> runByStep(mlir::OpBuilder &b, mlir::Location loc,
                                            const ByStep &start, unsigned i, int64_t size,
                                            int64_t extent);

class StepLoop {
public:
  /// From here to finish(), `b` builds one step.
  StepLoop(mlir::ImplicitLocOpBuilder &b, int64_t count, ValueRange inits);

  ValueRange carried() { return loop.getRegionIterArgs(); }
  Value step() { return loop.getInductionVar(); }
  /// The part of `tensor` that belongs to this step: one place of dimension `axis`, dropped.
  Value slice(Value tensor, int64_t axis, bool reversed);
  /// Ends the step: `next` are the carried tensors of the next one. Of each of `collected`, all
  /// steps are put side by side along a new dimension. Results are the carried tensors, then
  /// the collected ones.
  struct Collected {
    Value value;
    int64_t axis;
    bool reversed;
  };
  SmallVector<Value> finish(ValueRange next, ArrayRef<Collected> collected = {});

private:
  mlir::OpFoldResult position(mlir::OpBuilder &at, bool reversed);

  mlir::ImplicitLocOpBuilder &b;
  mlir::OpBuilder::InsertPoint behind;
  int64_t count;
  mlir::scf::ForOp loop;
};

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_STEPLOOP_H
