//===- ExpandMath.cpp - --dojo-expand-math --------------------------------===//
#include "dojo/Transforms/MathExpansions.h"
#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace dojo {
#define GEN_PASS_DEF_EXPANDMATH
#include "dojo/Transforms/Passes.h.inc"
} // namespace dojo

using namespace mlir;

namespace {

/// A float narrower than f32 is computed in f32.
void widen(OpBuilder &builder, Operation *op) {
  Type wide = builder.getF32Type();
  for (OpOperand &operand : op->getOpOperands())
    if (operand.get().getType().isBF16() || operand.get().getType().isF16())
      operand.set(arith::ExtFOp::create(builder, op->getLoc(), wide, operand.get()));
  Value result = op->getResult(0);
  Type narrow = result.getType();
  if (!narrow.isBF16() && !narrow.isF16())
    return;
  result.setType(wide);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfter(op);
  auto back = arith::TruncFOp::create(builder, op->getLoc(), narrow, result);
  result.replaceAllUsesExcept(back, back);
}

/// A node converts signed integers only; an unsigned one below 32 bits is a
/// signed one of 32 bits.
void convertAsSigned(arith::UIToFPOp op) {
  if (op.getIn().getType().getIntOrFloatBitWidth() >= 32)
    return;
  OpBuilder builder(op);
  Value wide = arith::ExtUIOp::create(builder, op.getLoc(), builder.getI32Type(), op.getIn());
  op.replaceAllUsesWith(
      arith::SIToFPOp::create(builder, op.getLoc(), op.getType(), wide).getResult());
  op.erase();
}

/// A node converts to f32 only, and rounds when it stores.
void convertInF32(arith::SIToFPOp op) {
  if (!op.getType().isBF16())
    return;
  OpBuilder builder(op);
  Value wide = arith::SIToFPOp::create(builder, op.getLoc(), builder.getF32Type(), op.getIn());
  op.replaceAllUsesWith(
      arith::TruncFOp::create(builder, op.getLoc(), op.getType(), wide).getResult());
  op.erase();
}

struct ExpandMath : dojo::impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    if (failed(simplifyPowers()))
      return signalPassFailure();
    getOperation().walk(convertAsSigned);
    getOperation().walk(convertInF32);
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<math::MathDialect>(op->getDialect()) && !dojo::isNativeMathOp(op))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      if (failed(expand(op)))
        signalPassFailure();
  }

  /// x^2, x^3, x^(1/2) and their like need no logarithm.
  LogicalResult simplifyPowers() {
    RewritePatternSet patterns(&getContext());
    populateMathAlgebraicSimplificationPatterns(patterns);
    return applyPatternsGreedily(getOperation(), std::move(patterns));
  }

  LogicalResult expand(Operation *op) {
    ImplicitLocOpBuilder builder(op->getLoc(), op);
    if (op->getNumResults() == 1)
      widen(builder, op);
    bool inF32 = llvm::all_of(op->getOperandTypes(), [](Type type) { return type.isF32(); });
    Value expanded = inF32 ? dojo::expandMathOp(builder, op) : Value();
    if (!expanded)
      return op->emitOpError("on ")
             << op->getOperand(0).getType() << " has no expansion into the arithmetic of a node; "
             << "lower it to operations that have one before this pass";
    op->getResult(0).replaceAllUsesWith(expanded);
    op->erase();
    return success();
  }
};

} // namespace
