// RUN: dojo-opt %s --dojo-structured=precision=fp32 | FileCheck %s
// RUN: %python %S/Inputs/compare.py %s 1e-6 --dojo-structured=precision=fp32
// RUN: %python %S/Inputs/compare.py %s 1e-2 --dojo-structured=precision=bf16

// Layer norm, dense layer, GELU and softmax: ten generics in all, and no math left to expand.
// CHECK-LABEL: func.func @init
// CHECK-LABEL: func.func @step
// CHECK-COUNT-4: linalg.generic
// CHECK: linalg.generic
// CHECK: linalg.matmul
// CHECK-COUNT-5: linalg.generic
// CHECK-NOT: linalg.generic
// CHECK-NOT: math.{{exp|erf|rsqrt}}
#id3 = affine_map<(a, b, c) -> (a, b, c)>
#row = affine_map<(a, b, c) -> (a, b)>
#row1 = affine_map<(a, b, c) -> (a, b, 0)>
#col = affine_map<(a, b, c) -> (c)>
#id2 = affine_map<(a, b) -> (a, b)>
func.func @main(%x: tensor<2x6x16xf32> {dojo.name = "x"}) -> (tensor<2x6x8xf32> {dojo.name = "y"}) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %n = arith.constant 16.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %half = arith.constant 0.5 : f32
  %rsqrt2 = arith.constant 0.70710678 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %gamma = arith.constant dense_resource<gamma> : tensor<16xf32> loc("ln.gamma")
  %beta = arith.constant dense_resource<beta> : tensor<16xf32> loc("ln.beta")
  %w = arith.constant dense_resource<w> : tensor<16x8xf32> loc("dense.kernel")
  %bias = arith.constant dense_resource<bias> : tensor<8xf32> loc("dense.bias")
  %er = tensor.empty() : tensor<2x6xf32>
  %er1 = tensor.empty() : tensor<2x6x1xf32>
  %e = tensor.empty() : tensor<2x6x16xf32>
  %fr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x6xf32>) -> tensor<2x6xf32>
  // mean over the last dimension, kept as a unit dimension
  %sum = linalg.generic {indexing_maps = [#id3, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x : tensor<2x6x16xf32>) outs(%fr : tensor<2x6xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<2x6xf32>
  %sum1 = tensor.expand_shape %sum [[0], [1, 2]] output_shape [2, 6, 1] : tensor<2x6xf32> into tensor<2x6x1xf32>
  %mean = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%sum1 : tensor<2x6x1xf32>) outs(%er1 : tensor<2x6x1xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.divf %a, %n : f32
      linalg.yield %s : f32
  } -> tensor<2x6x1xf32>
  %d = linalg.generic {indexing_maps = [#id3, #row1, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %mean : tensor<2x6x16xf32>, tensor<2x6x1xf32>) outs(%e : tensor<2x6x16xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.subf %a, %b : f32
      linalg.yield %s : f32
  } -> tensor<2x6x16xf32>
  %sq = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%d : tensor<2x6x16xf32>) outs(%e : tensor<2x6x16xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.mulf %a, %a : f32
      linalg.yield %s : f32
  } -> tensor<2x6x16xf32>
  %var = linalg.generic {indexing_maps = [#id3, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%sq : tensor<2x6x16xf32>) outs(%fr : tensor<2x6xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<2x6xf32>
  %var1 = tensor.expand_shape %var [[0], [1, 2]] output_shape [2, 6, 1] : tensor<2x6xf32> into tensor<2x6x1xf32>
  %r = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%var1 : tensor<2x6x1xf32>) outs(%er1 : tensor<2x6x1xf32>) {
    ^bb0(%a: f32, %o: f32):
      %v = arith.divf %a, %n : f32
      %s = arith.addf %v, %eps : f32
      %t = math.rsqrt %s : f32
      linalg.yield %t : f32
  } -> tensor<2x6x1xf32>
  %ln = linalg.generic {indexing_maps = [#id3, #row1, #col, #col, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%d, %r, %gamma, %beta : tensor<2x6x16xf32>, tensor<2x6x1xf32>, tensor<16xf32>, tensor<16xf32>) outs(%e : tensor<2x6x16xf32>) {
    ^bb0(%a: f32, %b: f32, %g: f32, %h: f32, %o: f32):
      %s = arith.mulf %a, %b : f32
      %t = arith.mulf %s, %g : f32
      %u = arith.addf %t, %h : f32
      linalg.yield %u : f32
  } -> tensor<2x6x16xf32>
  %flat = tensor.collapse_shape %ln [[0, 1], [2]] : tensor<2x6x16xf32> into tensor<12x16xf32>
  %em = tensor.empty() : tensor<12x8xf32>
  %fm = linalg.fill ins(%zero : f32) outs(%em : tensor<12x8xf32>) -> tensor<12x8xf32>
  %mm = linalg.matmul ins(%flat, %w : tensor<12x16xf32>, tensor<16x8xf32>) outs(%fm : tensor<12x8xf32>) -> tensor<12x8xf32>
  %back = tensor.expand_shape %mm [[0, 1], [2]] output_shape [2, 6, 8] : tensor<12x8xf32> into tensor<2x6x8xf32>
  %eo = tensor.empty() : tensor<2x6x8xf32>
  %bb = linalg.broadcast ins(%bias : tensor<8xf32>) outs(%eo : tensor<2x6x8xf32>) dimensions = [0, 1]
  %withBias = linalg.add ins(%back, %bb : tensor<2x6x8xf32>, tensor<2x6x8xf32>) outs(%eo : tensor<2x6x8xf32>) -> tensor<2x6x8xf32>
  // gelu
  %gelu = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%withBias : tensor<2x6x8xf32>) outs(%eo : tensor<2x6x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.mulf %a, %rsqrt2 : f32
      %t = math.erf %s : f32
      %u = arith.addf %t, %one : f32
      %v = arith.mulf %a, %u : f32
      %p = arith.mulf %v, %half : f32
      linalg.yield %p : f32
  } -> tensor<2x6x8xf32>
  // softmax over the last dimension
  %fi = linalg.fill ins(%ninf : f32) outs(%er : tensor<2x6xf32>) -> tensor<2x6xf32>
  %max = linalg.generic {indexing_maps = [#id3, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%gelu : tensor<2x6x8xf32>) outs(%fi : tensor<2x6xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.maximumf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<2x6xf32>
  %sh = linalg.generic {indexing_maps = [#id3, #row, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%gelu, %max : tensor<2x6x8xf32>, tensor<2x6xf32>) outs(%eo : tensor<2x6x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.subf %a, %b : f32
      linalg.yield %s : f32
  } -> tensor<2x6x8xf32>
  %ex = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%sh : tensor<2x6x8xf32>) outs(%eo : tensor<2x6x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = math.exp %a : f32
      linalg.yield %s : f32
  } -> tensor<2x6x8xf32>
  %es = linalg.generic {indexing_maps = [#id3, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%ex : tensor<2x6x8xf32>) outs(%fr : tensor<2x6xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<2x6xf32>
  %y = linalg.generic {indexing_maps = [#id3, #row, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ex, %es : tensor<2x6x8xf32>, tensor<2x6xf32>) outs(%eo : tensor<2x6x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.divf %a, %b : f32
      linalg.yield %s : f32
  } -> tensor<2x6x8xf32>
  return %y : tensor<2x6x8xf32>
}
