// RUN: dojo-opt %s --pass-pipeline="builtin.module(func.func(dojo-fuse-elementwise,dojo-fold-scale))" | FileCheck %s
// RUN: %python %S/Inputs/compare.py %s 1e-6 --pass-pipeline="builtin.module(func.func(dojo-fuse-elementwise,dojo-fold-scale))"

// Bias, batch norm and rectifier after a convolution: the scale goes into the weights, the shifts become one.
// CHECK: %[[SCALE:.*]] = linalg.generic
// CHECK: divf
// CHECK: %[[W:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[SCALE]] : tensor<4x3x3x3xf32>, tensor<4xf32>)
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: linalg.yield
// CHECK: %[[SHIFT:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[SCALE]], %{{.*}} : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
// CHECK: %[[CONV:.*]] = linalg.conv_2d_nchw_fchw ins(%{{.*}}, %[[W]]
// CHECK: linalg.generic {{.*}} ins(%[[CONV]], %[[SHIFT]] :
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.addf
// CHECK-NEXT: arith.maximumf
// CHECK-NEXT: linalg.yield
func.func @main(%x: tensor<1x3x8x8xf32> {dojo.name = "x"}) -> (tensor<1x4x6x6xf32> {dojo.name = "y"}) {
  %w = arith.constant dense_resource<w> : tensor<4x3x3x3xf32> loc("conv1.weight")
  %gamma = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> loc("bn.gamma")
  %beta = arith.constant dense<[1.0, -2.0, 3.0, -4.0]> : tensor<4xf32>
  %mean = arith.constant dense<[0.1, 0.2, 0.3, 0.4]> : tensor<4xf32>
  %var = arith.constant dense<[1.1, 1.2, 0.3, 0.4]> : tensor<4xf32>
  %bias = arith.constant dense<[5.1, 6.2, 7.3, 8.4]> : tensor<4xf32>
  %zero = arith.constant 0.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %e = tensor.empty() : tensor<1x4x6x6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  %c = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) outs(%f : tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32> loc("conv1")
  %cb = linalg.generic {indexing_maps = [affine_map<(a,b,c,d)->(a,b,c,d)>, affine_map<(a,b,c,d)->(b)>, affine_map<(a,b,c,d)->(a,b,c,d)>], iterator_types = ["parallel","parallel","parallel","parallel"]} ins(%c, %bias : tensor<1x4x6x6xf32>, tensor<4xf32>) outs(%e : tensor<1x4x6x6xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.addf %a, %b : f32
      linalg.yield %s : f32
  } -> tensor<1x4x6x6xf32>
  %e4 = tensor.empty() : tensor<4xf32>
  %scale = linalg.generic {indexing_maps = [affine_map<(a)->(a)>, affine_map<(a)->(a)>, affine_map<(a)->(a)>], iterator_types = ["parallel"]} ins(%gamma, %var : tensor<4xf32>, tensor<4xf32>) outs(%e4 : tensor<4xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.addf %b, %eps : f32
      %q = math.sqrt %s : f32
      %r = arith.divf %a, %q : f32
      linalg.yield %r : f32
  } -> tensor<4xf32>
  %shift = linalg.generic {indexing_maps = [affine_map<(a)->(a)>, affine_map<(a)->(a)>, affine_map<(a)->(a)>, affine_map<(a)->(a)>], iterator_types = ["parallel"]} ins(%beta, %mean, %scale : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) outs(%e4 : tensor<4xf32>) {
    ^bb0(%a: f32, %b: f32, %c1: f32, %o: f32):
      %s = arith.mulf %b, %c1 : f32
      %r = arith.subf %a, %s : f32
      linalg.yield %r : f32
  } -> tensor<4xf32>
  %n = linalg.generic {indexing_maps = [affine_map<(a,b,c,d)->(a,b,c,d)>, affine_map<(a,b,c,d)->(b)>, affine_map<(a,b,c,d)->(b)>, affine_map<(a,b,c,d)->(a,b,c,d)>], iterator_types = ["parallel","parallel","parallel","parallel"]} ins(%cb, %scale, %shift : tensor<1x4x6x6xf32>, tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<1x4x6x6xf32>) {
    ^bb0(%a: f32, %b: f32, %c1: f32, %o: f32):
      %s = arith.mulf %a, %b : f32
      %r = arith.addf %s, %c1 : f32
      linalg.yield %r : f32
  } -> tensor<1x4x6x6xf32>
  %relu = linalg.generic {indexing_maps = [affine_map<(a,b,c,d)->(a,b,c,d)>, affine_map<(a,b,c,d)->(a,b,c,d)>], iterator_types = ["parallel","parallel","parallel","parallel"]} ins(%n : tensor<1x4x6x6xf32>) outs(%e : tensor<1x4x6x6xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.maximumf %a, %zero : f32
      linalg.yield %r : f32
  } -> tensor<1x4x6x6xf32>
  return %relu : tensor<1x4x6x6xf32>
}

#id = affine_map<(a, b) -> (a, b)>
#col = affine_map<(a, b) -> (b)>
#row = affine_map<(a, b) -> (a)>

// A division by the deviation, written out; the factor is computed once for each column.
// CHECK-LABEL: @divided
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<8xf32>)
// CHECK: math.sqrt
// CHECK: %[[W:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<4x8xf32>, tensor<8xf32>)
// CHECK: arith.divf
// CHECK: %[[M:.*]] = linalg.matmul ins(%arg0, %[[W]]
// CHECK: return %[[M]]
func.func @divided(%x: tensor<4x4xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense_resource<wd> : tensor<4x8xf32>
  %var = arith.constant dense_resource<var> : tensor<8xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %m = linalg.matmul ins(%x, %w : tensor<4x4xf32>, tensor<4x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m, %var : tensor<4x8xf32>, tensor<8xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%a: f32, %v: f32, %o: f32):
      %d = math.sqrt %v : f32
      %q = arith.divf %a, %d : f32
      linalg.yield %q : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// A scale along the rows is not one of the weights' dimensions; one behind a maximum does not commute with it.
// CHECK-LABEL: @kept
// CHECK: linalg.matmul ins(%arg0, %cst
// CHECK: linalg.matmul ins(%{{.*}}, %cst
// CHECK: arith.maximumf
// CHECK-NEXT: arith.mulf
func.func @kept(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense_resource<wk> : tensor<8x8xf32>
  %s = arith.constant dense_resource<sk> : tensor<8xf32>
  %e = tensor.empty() : tensor<8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %m = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%f : tensor<8x8xf32>) -> tensor<8x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m, %s : tensor<8x8xf32>, tensor<8xf32>) outs(%e : tensor<8x8xf32>) {
    ^bb0(%a: f32, %v: f32, %o: f32):
      %q = arith.mulf %a, %v : f32
      linalg.yield %q : f32
  } -> tensor<8x8xf32>
  %n = linalg.matmul ins(%y, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%f : tensor<8x8xf32>) -> tensor<8x8xf32>
  %z = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%n, %s : tensor<8x8xf32>, tensor<8xf32>) outs(%e : tensor<8x8xf32>) {
    ^bb0(%a: f32, %v: f32, %o: f32):
      %r = arith.maximumf %a, %zero : f32
      %q = arith.mulf %r, %v : f32
      linalg.yield %q : f32
  } -> tensor<8x8xf32>
  return %z : tensor<8x8xf32>
}
