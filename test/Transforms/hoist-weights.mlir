// RUN: dojo-opt %s --dojo-hoist-weights --split-input-file --verify-diagnostics | FileCheck %s

// Work on weights moves; a raw weight is stored as it is; equal values share a global; a splat stays.
// CHECK-LABEL: func.func @init()
// CHECK: %[[W:.*]] = arith.constant dense_resource<w>
// CHECK: ml_program.global_store @bias = %{{.*}} : tensor<4xf32>
// CHECK: %[[SCALED:.*]] = linalg.generic {{.*}} ins(%[[W]]
// CHECK: ml_program.global_store @conv1_weight = %[[SCALED]]
// CHECK-NOT: global_store
// CHECK: return
// CHECK: ml_program.global private mutable @bias : tensor<4xf32>
// CHECK: ml_program.global private mutable @conv1_weight : tensor<4x4xf32>
// CHECK: func.func @step(%arg0: tensor<4x4xf32> {dojo.name = "x"}) -> (tensor<4x4xf32> {dojo.name = "y"}, tensor<4xf32> {dojo.name = "b"})
// CHECK: %[[BIAS:.*]] = ml_program.global_load @bias
// CHECK: %[[LOADED:.*]] = ml_program.global_load @conv1_weight
// CHECK: arith.constant dense<5.000000e-01> : tensor<4x4xf32>
// CHECK: linalg.matmul ins(%arg0, %[[LOADED]]
// CHECK: linalg.matmul ins(%{{.*}}, %[[LOADED]]
// CHECK: return %{{.*}}, %[[BIAS]]
#id = affine_map<(a, b) -> (a, b)>
func.func @main(%x: tensor<4x4xf32> {dojo.name = "x"})
    -> (tensor<4x4xf32> {dojo.name = "y"}, tensor<4xf32> {dojo.name = "b"}) {
  %splat = arith.constant dense<0.5> : tensor<4x4xf32>
  %w = arith.constant dense_resource<w> : tensor<4x4xf32> loc("conv1.weight")
  %bias = arith.constant dense_resource<b> : tensor<4xf32> loc("bias")
  %e = tensor.empty() : tensor<4x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %t = arith.mulf %a, %a : f32
      linalg.yield %t : f32
  } -> tensor<4x4xf32> loc("conv1.weight")
  %again = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %t = arith.mulf %a, %a : f32
      linalg.yield %t : f32
  } -> tensor<4x4xf32> loc("conv2.weight")
  %m = linalg.matmul ins(%x, %s : tensor<4x4xf32>, tensor<4x4xf32>) outs(%splat : tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = linalg.matmul ins(%m, %again : tensor<4x4xf32>, tensor<4x4xf32>) outs(%splat : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %y, %bias : tensor<4x4xf32>, tensor<4xf32>
}

// -----

// Without weights there is no @init.
// CHECK-LABEL: module
// CHECK-NOT: @init
// CHECK: func.func @step
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// expected-error@+1 {{expected a function @main of one block to split into @init and @step}}
module {
  func.func @other() { return }
}

// -----

// expected-error@+1 {{cannot split @main: the symbol @init is already in use}}
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> { return %x : tensor<4xf32> }
  func.func @init() { return }
}
