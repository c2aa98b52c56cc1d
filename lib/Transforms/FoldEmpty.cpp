//===- FoldEmpty.cpp - --dojo-fold-empty ----------------------------------===//
#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

namespace dojo {
#define GEN_PASS_DEF_FOLDEMPTY
#include "dojo/Transforms/Passes.h.inc"
} // namespace dojo

using namespace mlir;

namespace {

bool isEmpty(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() && type.getNumElements() == 0;
}

/// `scalar`, a constant, everywhere in a tensor like `value`; null if it is none.
Value splat(Value value, Value scalar) {
  TypedAttr constant;
  if (!scalar || !matchPattern(scalar, m_Constant(&constant)))
    return {};
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  auto type = cast<RankedTensorType>(value.getType());
  return arith::ConstantOp::create(builder, value.getLoc(),
                                   DenseElementsAttr::get(type, Attribute(constant)));
}

/// What an operation on no elements leaves of its result, or null.
Value folded(Operation *op, OpResult result) {
  if (auto pad = dyn_cast<tensor::PadOp>(op))
    return isEmpty(pad.getSource()) ? splat(result, pad.getConstantPaddingValue()) : Value();
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  if (!structured || !llvm::is_contained(structured.getStaticLoopRanges(), 0))
    return {};
  Value init = structured.getDpsInits()[result.getResultNumber()];
  auto fill = init.getDefiningOp<linalg::FillOp>();
  return fill ? splat(result, fill.value()) : init;
}

void dropEmptyParts(tensor::ConcatOp concat) {
  SmallVector<Value> parts;
  for (Value part : concat.getInputs())
    if (!isEmpty(part))
      parts.push_back(part);
  if (parts.size() == 1)
    concat.getResult().replaceAllUsesWith(parts.front());
  else
    concat.getInputsMutable().assign(parts);
}

struct FoldEmpty : dojo::impl::FoldEmptyBase<FoldEmpty> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (!isa_and_nonnull<linalg::LinalgDialect, tensor::TensorDialect>(op->getDialect()))
        return;
      for (OpResult result : op->getResults()) {
        if (isEmpty(result) && !isa<tensor::EmptyOp>(op)) {
          OpBuilder builder(op);
          auto type = cast<RankedTensorType>(result.getType());
          result.replaceAllUsesWith(tensor::EmptyOp::create(builder, op->getLoc(), type.getShape(),
                                                            type.getElementType()));
        } else if (Value value = folded(op, result)) {
          result.replaceAllUsesWith(value);
        }
      }
      if (auto concat = dyn_cast<tensor::ConcatOp>(op); concat && !isEmpty(concat.getResult()))
        dropEmptyParts(concat);
    });
  }
};

} // namespace
