// RUN: dojo-opt %s --dojo-fuse-elementwise | FileCheck %s
// RUN: %python %S/Inputs/compare.py %s 1e-6 --dojo-fuse-elementwise

#id = affine_map<(a, b) -> (a, b)>
#col = affine_map<(a, b) -> (b)>
#row0 = affine_map<(a, b) -> (a, 0)>
#row = affine_map<(a, b) -> (a)>

// The bias leaves the accumulator and joins the chain behind the product; the named addition too.
// CHECK-LABEL: @main
// CHECK: %[[M:.*]] = linalg.matmul ins(%arg0, %{{.*}}) outs(%{{.*}} : tensor<4x8xf32>)
// CHECK-NEXT: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[M]], %{{.*}}, %arg1 : tensor<4x8xf32>, tensor<8xf32>, tensor<4x8xf32>)
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.addf
// CHECK-NEXT: math.exp
// CHECK-NEXT: arith.addf
// CHECK-NEXT: linalg.yield
// CHECK-NOT: linalg.generic
// CHECK: return %[[Y]]
func.func @main(%x: tensor<4x4xf32>, %skip: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %w = arith.constant dense_resource<w> : tensor<4x8xf32>
  %b = arith.constant dense_resource<b> : tensor<8xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %bb = linalg.broadcast ins(%b : tensor<8xf32>) outs(%e : tensor<4x8xf32>) dimensions = [0]
  %m = linalg.matmul ins(%x, %w : tensor<4x4xf32>, tensor<4x8xf32>) outs(%bb : tensor<4x8xf32>) -> tensor<4x8xf32>
  %t = linalg.exp ins(%m : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %y = linalg.add ins(%t, %skip : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// A shift is cheap: each reader computes it. An exponential is not: it is stored for its two readers. Unit dimensions
// are read through.
// CHECK-LABEL: @softmax
// CHECK: %[[MAX:.*]] = linalg.generic {{.*}} ins(%arg0 : tensor<4x8xf32>)
// CHECK: arith.maximumf
// CHECK: %[[EXP:.*]] = linalg.generic {{.*}} ins(%arg0, %[[MAX]] : tensor<4x8xf32>, tensor<4xf32>)
// CHECK: arith.subf
// CHECK-NEXT: math.exp
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[EXP]] : tensor<4x8xf32>)
// CHECK: arith.addf
// CHECK: linalg.generic {{.*}} ins(%arg0, %[[MAX]], %[[EXP]], %[[SUM]]
// CHECK: arith.subf
// CHECK-NEXT: arith.divf
// CHECK-NEXT: arith.addf
// CHECK-NOT: linalg.generic
func.func @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %er = tensor.empty() : tensor<4xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %fl = linalg.fill ins(%low : f32) outs(%er : tensor<4xf32>) -> tensor<4xf32>
  %fz = linalg.fill ins(%zero : f32) outs(%er : tensor<4xf32>) -> tensor<4xf32>
  %max = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%fl : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.maximumf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<4xf32>
  %max1 = tensor.expand_shape %max [[0, 1]] output_shape [4, 1] : tensor<4xf32> into tensor<4x1xf32>
  %d = linalg.generic {indexing_maps = [#id, #row0, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max1 : tensor<4x8xf32>, tensor<4x1xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.subf %a, %b : f32
      linalg.yield %s : f32
  } -> tensor<4x8xf32>
  %ex = linalg.exp ins(%d : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%ex : tensor<4x8xf32>) outs(%fz : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<4xf32>
  %sum1 = tensor.expand_shape %sum [[0, 1]] output_shape [4, 1] : tensor<4xf32> into tensor<4x1xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #row0, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d, %ex, %sum1 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x1xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32, %o: f32):
      %s = arith.divf %b, %c : f32
      %t = arith.addf %a, %s : f32
      linalg.yield %t : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// Work on weights stays out of work on data.
// CHECK-LABEL: @weights_apart
// CHECK: %[[ROOT:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<8xf32>)
// CHECK: linalg.generic {{.*}} ins(%arg0, %[[ROOT]]
func.func @weights_apart(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %v = arith.constant dense_resource<v> : tensor<8xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %ev = tensor.empty() : tensor<8xf32>
  %root = linalg.sqrt ins(%v : tensor<8xf32>) outs(%ev : tensor<8xf32>) -> tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %root : tensor<4x8xf32>, tensor<8xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.mulf %a, %b : f32
      linalg.yield %s : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// A reshape between two maps moves out of their way.
// CHECK-LABEL: @reshape_between
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: math.absf
// CHECK-NOT: linalg.generic
func.func @reshape_between(%x: tensor<4x8xf32>) -> tensor<32xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  %ef = tensor.empty() : tensor<32xf32>
  %a = linalg.exp ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %f = tensor.collapse_shape %a [[0, 1]] : tensor<4x8xf32> into tensor<32xf32>
  %y = linalg.abs ins(%f : tensor<32xf32>) outs(%ef : tensor<32xf32>) -> tensor<32xf32>
  return %y : tensor<32xf32>
}

#rows = affine_map<(a, b) -> (a, b)>
#total = affine_map<(a, b) -> (a)>

// A map behind a dropped unit dimension still joins the reduction.
// CHECK-LABEL: @into_reduction
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
// CHECK: math.exp
// CHECK-NEXT: arith.addf
// CHECK-NOT: linalg.generic
func.func @into_reduction(%x: tensor<4x8x1xf32>) -> tensor<4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %er = tensor.empty() : tensor<4xf32>
  %fz = linalg.fill ins(%zero : f32) outs(%er : tensor<4xf32>) -> tensor<4xf32>
  %c = tensor.collapse_shape %x [[0], [1, 2]] : tensor<4x8x1xf32> into tensor<4x8xf32>
  %t = linalg.exp ins(%c : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#rows, #total], iterator_types = ["parallel", "reduction"]}
      ins(%t : tensor<4x8xf32>) outs(%fz : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
