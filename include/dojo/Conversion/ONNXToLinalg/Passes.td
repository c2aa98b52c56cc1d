//===- Passes.td - from ONNX nodes to structured operations ---------------===//
#ifndef DOJO_CONVERSION_ONNXTOLINALG_PASSES_TD
#define DOJO_CONVERSION_ONNXTOLINALG_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerONNX : Pass<"lower-onnx", "::mlir::ModuleOp"> {
  let summary = "lower every onnx.node to structured operations on tensors of static shape";
  let description = [{
    One forward walk over `main`. The handler of an operator infers the shape of
    its results as it lowers them; values known at compile time are carried
    beside the SSA values, so that arithmetic on shapes leaves nothing behind.
    Every node that cannot be lowered is reported, then the pass fails.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // DOJO_CONVERSION_ONNXTOLINALG_PASSES_TD
