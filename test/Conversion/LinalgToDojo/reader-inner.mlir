// RUN: dojo-opt %s --dojo-select-mapping | FileCheck %s
// A weight rests with that dimension innermost which its reader has innermost, so that the move
// between them finds long runs; by itself d1, the larger one, would be. What leads to the weight
// follows, and a view between the weight and its reader is looked through.

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
  ml_program.global private mutable @w : tensor<48x64xf32>

  // CHECK-LABEL: func.func @init
  // CHECK: linalg.exp {dojo.mapping = #dojo.mapping<{{.*}}inner = d0
  // CHECK: linalg.log {dojo.mapping = #dojo.mapping<{{.*}}inner = d0
  func.func @init(%raw: tensor<48x64xf32>) {
    %e = tensor.empty() : tensor<48x64xf32>
    %a = linalg.exp ins(%raw : tensor<48x64xf32>) outs(%e : tensor<48x64xf32>) -> tensor<48x64xf32>
    %b = linalg.log ins(%a : tensor<48x64xf32>) outs(%e : tensor<48x64xf32>) -> tensor<48x64xf32>
    ml_program.global_store @w = %b : tensor<48x64xf32>
    return
  }

  // CHECK-LABEL: func.func @step
  // CHECK: linalg.matmul {dojo.mapping = #dojo.mapping<{{.*}}inner = d1
  func.func @step(%x: tensor<30x64xf32>) -> tensor<30x48xf32> {
    %w = ml_program.global_load @w : tensor<48x64xf32>
    %te = tensor.empty() : tensor<64x48xf32>
    %t = linalg.transpose ins(%w : tensor<48x64xf32>) outs(%te : tensor<64x48xf32>) permutation = [1, 0]
    %z = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<30x48xf32>
    %f = linalg.fill ins(%z : f32) outs(%e : tensor<30x48xf32>) -> tensor<30x48xf32>
    %m = linalg.matmul ins(%x, %t : tensor<30x64xf32>, tensor<64x48xf32>) outs(%f : tensor<30x48xf32>) -> tensor<30x48xf32>
    return %m : tensor<30x48xf32>
  }
}
