// RUN: dojo-opt %s --dojo-structured=precision=bf16 | FileCheck %s
// Passes on loops: work on weights in a step becomes work of init; what is in front of a loop is not fused into its
// steps; a product in a step reads bf16 and accumulates f32.

#id = affine_map<(a, b) -> (a, b)>

// CHECK-LABEL: func.func @init
// CHECK: arith.mulf
// CHECK: arith.truncf
// CHECK: ml_program.global_store
// CHECK-LABEL: func.func @step
// CHECK: math.absf
// CHECK: scf.for %{{.*}} iter_args(%[[H:.*]] = %{{.*}}) -> (tensor<4x16xf32>)
// CHECK-NOT: math.absf
// CHECK: linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<4x16xbf16>, tensor<16x16xbf16>) outs(%{{.*}} : tensor<4x16xf32>)
// CHECK: scf.yield
func.func @main(%x: tensor<4x16xf32> {dojo.name = "x"}) -> (tensor<4x16xf32> {dojo.name = "y"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense_resource<w> : tensor<16x16xf32> loc("w")
  %e = tensor.empty() : tensor<4x16xf32>
  %ew = tensor.empty() : tensor<16x16xf32>
  %size = linalg.abs ins(%x : tensor<4x16xf32>) outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>
  %r = scf.for %i = %c0 to %c9 step %c1 iter_args(%h = %x) -> (tensor<4x16xf32>) {
    %square = linalg.mul ins(%w, %w : tensor<16x16xf32>, tensor<16x16xf32>) outs(%ew : tensor<16x16xf32>) -> tensor<16x16xf32>
    %zeros = linalg.fill ins(%zero : f32) outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>
    %p = linalg.matmul ins(%h, %square : tensor<4x16xf32>, tensor<16x16xf32>) outs(%zeros : tensor<4x16xf32>) -> tensor<4x16xf32>
    %n = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%p, %size : tensor<4x16xf32>, tensor<4x16xf32>) outs(%e : tensor<4x16xf32>) {
      ^bb0(%a: f32, %b: f32, %o: f32):
        %s = arith.subf %a, %b : f32
        linalg.yield %s : f32
    } -> tensor<4x16xf32>
    scf.yield %n : tensor<4x16xf32>
  }
  return %r : tensor<4x16xf32>
}
