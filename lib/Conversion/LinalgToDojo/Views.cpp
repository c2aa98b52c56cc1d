//===- Views.cpp - tensors that are only another look at one --------------===//
#include "Views.h"
#include "Loops.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dojo::ir;

namespace {

/// One op as a map from its result's indices to its source's.
struct Step {
  Value source;
  AffineMap map;
  TypedAttr padding;
  bool bounded;
  Value loopStep = {};
};

} // namespace

static AffineMap makeMap(unsigned rank, ArrayRef<AffineExpr> exprs, MLIRContext *context) {
  return AffineMap::get(rank, 0, exprs, context);
}

static std::optional<Step> stepOf(tensor::ExtractSliceOp op) {
  if (ShapedType::isDynamicShape(op.getStaticStrides()))
    return std::nullopt;
  MLIRContext *context = op.getContext();
  llvm::SmallBitVector dropped = op.getDroppedDims();
  SmallVector<AffineExpr> exprs;
  Value step;
  unsigned next = 0;
  for (auto [d, mixed] : llvm::enumerate(op.getMixedOffsets())) {
    std::optional<StepOffset> offset = stepOffsetOf(mixed, context);
    if (!offset || (offset->step && step && offset->step != step))
      return std::nullopt;
    step = offset->step ? offset->step : step;
    AffineExpr expr = offset->expr;
    if (!dropped.test(d))
      expr = getAffineDimExpr(next++, context) * op.getStaticStrides()[d] + expr;
    exprs.push_back(expr);
  }
  return Step{op.getSource(), AffineMap::get(next, step ? 1 : 0, exprs, context), {}, false, step};
}

static std::optional<Step> stepOf(linalg::TransposeOp op) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  SmallVector<AffineExpr> exprs(permutation.size());
  for (auto [result, source] : llvm::enumerate(permutation))
    exprs[source] = getAffineDimExpr(result, op.getContext());
  return Step{op.getInput(), makeMap(permutation.size(), exprs, op.getContext()), {}, true};
}

static std::optional<Step> stepOf(tensor::PadOp op) {
  Value value = op.getConstantPaddingValue();
  TypedAttr padding;
  if (!value || !matchPattern(value, m_Constant(&padding)) ||
      ShapedType::isDynamicShape(op.getStaticLow()))
    return std::nullopt;
  SmallVector<AffineExpr> exprs;
  for (auto [d, low] : llvm::enumerate(op.getStaticLow()))
    exprs.push_back(getAffineDimExpr(d, op.getContext()) - low);
  return Step{op.getSource(), makeMap(exprs.size(), exprs, op.getContext()), padding, true};
}

/// Reshapes that only add or remove dimensions of size 1. `fine` has the longer
/// shape; `groups` gives its dimensions for each dimension of `coarse`.
static std::optional<Step> unitReshape(Value source, RankedTensorType fine,
                                       ArrayRef<ReassociationIndices> groups, bool collapses) {
  MLIRContext *context = source.getContext();
  SmallVector<AffineExpr> exprs;
  if (collapses && groups.empty()) // to a scalar
    exprs.assign(fine.getRank(), getAffineConstantExpr(0, context));
  for (auto [coarse, group] : llvm::enumerate(groups)) {
    std::optional<int64_t> real;
    for (int64_t d : group) {
      if (fine.getDimSize(d) == 1)
        continue;
      if (real)
        return std::nullopt;
      real = d;
    }
    int64_t kept = real.value_or(group.front());
    if (!collapses) {
      exprs.push_back(getAffineDimExpr(kept, context));
      continue;
    }
    for (int64_t d : group)
      exprs.push_back(d == kept ? getAffineDimExpr(coarse, context)
                                : getAffineConstantExpr(0, context));
  }
  unsigned rank = collapses ? groups.size() : fine.getRank();
  return Step{source, makeMap(rank, exprs, context), {}, false};
}

static std::optional<Step> stepOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<Step>>(op)
      .Case<tensor::ExtractSliceOp, linalg::TransposeOp, tensor::PadOp>(
          [](auto op) { return stepOf(op); })
      .Case([](tensor::CollapseShapeOp op) {
        return unitReshape(op.getSrc(), op.getSrcType(), op.getReassociationIndices(), true);
      })
      .Case([](tensor::ExpandShapeOp op) {
        return unitReshape(op.getSrc(), op.getResultType(), op.getReassociationIndices(), false);
      })
      .Default([](Operation *) { return std::nullopt; });
}

bool View::isIdentity() const {
  auto shape = [](Value v) { return cast<RankedTensorType>(v.getType()).getShape(); };
  return map.isIdentity() && !padding && shape(value) == shape(root);
}

View dojo::ir::viewOf(Value value) {
  unsigned rank = cast<RankedTensorType>(value.getType()).getRank();
  View view{value, value, AffineMap::getMultiDimIdentityMap(rank, value.getContext()),
            {},    {},    true};
  Operation *op = value.getDefiningOp();
  std::optional<Step> step = op ? stepOf(op) : std::nullopt;
  if (!step)
    return view;
  View source = viewOf(step->source);
  // Padding needs the bounds of what it pads, and one value for all of it; a map has one symbol.
  if ((step->padding && (!source.bounded || (source.padding && source.padding != step->padding))) ||
      (step->loopStep && source.step))
    source = {step->source,
              step->source,
              AffineMap::getMultiDimIdentityMap(step->map.getNumResults(), value.getContext()),
              {},
              {},
              true};
  return {value,
          source.root,
          source.map.compose(step->map),
          step->loopStep ? step->loopStep : source.step,
          step->padding ? step->padding : source.padding,
          step->bounded && source.bounded};
}
