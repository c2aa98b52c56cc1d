//===- Passes.td - passes of the structured level ----------*- tablegen -*-===//
#ifndef DOJO_TRANSFORMS_PASSES_TD
#define DOJO_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def FoldEmpty : Pass<"dojo-fold-empty", "mlir::func::FuncOp"> {
  let summary = "Remove work on tensors without elements";
  let description = [{
    A reduction of nothing, a padding of nothing and a concatenation with nothing become what they leave; every other
    tensor without elements becomes a tensor.empty, which is never laid out.

    ```mlir
    %sum = linalg.generic ... ins(%x : tensor<2x0xf32>) outs(%zeros : tensor<2xf32>)
    // becomes
    %sum = arith.constant dense<0.0> : tensor<2xf32>
    ```
  }];
  let dependentDialects = ["mlir::tensor::TensorDialect", "mlir::arith::ArithDialect"];
}

def ExpandIntegers : Pass<"dojo-expand-integers", "mlir::func::FuncOp"> {
  let summary = "Integer division in steps, 64-bit integers as two of 32 bits";
  let description = [{
    A node neither divides integers in vector lanes nor has lanes of 64 bits. A division becomes shifts, comparisons and
    subtractions, a tensor of i64 two tensors of i32, the low and the high words; arithmetic carries between them, so that
    every result is that of 64 bits. Arguments and results keep their bytes: the words of an element are the last dimension
    of the tensor, and `dojo.element` says what they are. Loops carry both words.

    ```mlir
    %y = linalg.generic ... ins(%x : tensor<4xi64>) outs(%e : tensor<4xi64>)
    // becomes
    %low, %high = linalg.generic ... ins(%xl, %xh : tensor<4xi32>, tensor<4xi32>) outs(...)
    ```
  }];
  let dependentDialects = ["mlir::linalg::LinalgDialect", "mlir::tensor::TensorDialect",
                           "mlir::arith::ArithDialect", "mlir::math::MathDialect"];
}

def FuseElementwise : Pass<"dojo-fuse-elementwise", "mlir::func::FuncOp"> {
  let summary = "Fuse chains of elementwise operations into few linalg.generic";
  let description = [{
    An elementwise producer moves into its consumer when that is its only use. A cheap producer (a broadcast, or one
    addition, multiplication, ...) whose uses can all take it is copied into each. The consumer is elementwise or a plain
    reduction, never a contraction or a window, and stands in the same block: what is in front of a loop stays there. A producer that depends on weights alone stays out of consumers that do
    not, so that its work can be hoisted; broadcasts of weights are the exception, they never materialise.
    Reshapes that only add or drop unit dimensions become part of the indexing maps; other reshapes move past
    elementwise operations that they separate.

    ```mlir
    %0 = linalg.generic ... ins(%x, %bias) { arith.addf }
    %1 = linalg.generic ... ins(%0)        { arith.maximumf }
    // becomes
    %1 = linalg.generic ... ins(%x, %bias) { arith.addf, arith.maximumf }
    ```
  }];
  let dependentDialects = ["mlir::linalg::LinalgDialect", "mlir::tensor::TensorDialect",
                           "mlir::arith::ArithDialect", "mlir::affine::AffineDialect"];
  let options = [
    Option<"maxOperands", "max-operands", "unsigned", "10", "Tensors that a fused operation may read.">
  ];
}

def FoldScale : Pass<"dojo-fold-scale", "mlir::func::FuncOp"> {
  let summary = "Fold scales along the output channel into the weights of a contraction";
  let description = [{
    For a contraction c = x . w with constant weights and a following elementwise operation, with s and b constant and
    varying only along dimensions that w has too:

        (c + b) * s  =  c * s + b * s          c * s  =  x . (w * s)

    The scaled weights are a linalg.generic on constants; --dojo-hoist-weights moves it to @init.
  }];
  let dependentDialects = ["mlir::linalg::LinalgDialect", "mlir::tensor::TensorDialect",
                           "mlir::arith::ArithDialect"];
}

def Precision : Pass<"dojo-precision", "mlir::func::FuncOp"> {
  let summary = "Choose the element types of contractions and of what they read";
  let description = [{
    In mode bf16 the operands of contractions are bf16 and accumulate in f32. Two kinds keep f32: contractions without
    rows or columns for the matrix unit (depthwise convolutions, a matrix by a vector), and those whose result, through
    elementwise operations, is a factor of a larger tensor (the gates of squeeze-and-excitation). A tensor all of whose consumers are
    operands of contractions is computed and stored in bf16; a tensor with other consumers too keeps its f32 form and
    gets one bf16 copy. Operations that only move data, and maxima (which commute with rounding), pass bf16 through.
    In both modes f64 is computed as f32, with one remark.
  }];
  let dependentDialects = ["mlir::linalg::LinalgDialect", "mlir::tensor::TensorDialect",
                           "mlir::arith::ArithDialect"];
  let options = [
    Option<"mode", "mode", "dojo::Precision", "dojo::Precision::BF16", "Precision of contractions.",
           [{::llvm::cl::values(
             clEnumValN(dojo::Precision::FP32, "fp32", "f32 throughout"),
             clEnumValN(dojo::Precision::BF16, "bf16", "bf16 operands, f32 accumulation"))}]>
  ];
}

def HoistWeights : Pass<"dojo-hoist-weights", "mlir::ModuleOp"> {
  let summary = "Split @main into @init, the work on weights, and @step, the rest";
  let description = [{
    An operation all of whose operands are weights, or follow from weights, moves to @init. What @step reads of them
    becomes an ml_program.global, stored by @init and loaded by @step. Weights are constants other than splats; splats,
    fills and empty tensors stay where they are used. Equal values share one global. @init exists only if there are
    weights.
  }];
  let dependentDialects = ["mlir::ml_program::MLProgramDialect"];
}

def ExpandMath : Pass<"dojo-expand-math", "mlir::func::FuncOp"> {
  let summary = "Expand transcendental functions into the arithmetic of a node";
  let description = [{
    After it, of the math dialect only fma, sqrt, absf, floor, ceil, trunc and roundeven remain. The error bound of each
    expansion stands in lib/Transforms/MathFunctions.h. Conversions from unsigned integers become signed ones of a wider type.
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::math::MathDialect"];
}

#endif
