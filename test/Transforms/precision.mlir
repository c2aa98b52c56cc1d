// RUN: dojo-opt %s --dojo-precision --split-input-file --verify-diagnostics | FileCheck %s
// RUN: dojo-opt %s --dojo-precision=mode=fp32 --split-input-file | FileCheck %s --check-prefix=FP32

#id = affine_map<(a, b, c, d) -> (a, b, c, d)>

// What only the second convolution reads is made, pooled and padded in bf16; the argument is rounded once.
// FP32-LABEL: @through
// FP32-NOT: bf16
// CHECK-LABEL: @through
// CHECK: %[[X:.*]] = linalg.generic {{.*}} ins(%arg0 : tensor<1x3x8x8xf32>) outs(%{{.*}} : tensor<1x3x8x8xbf16>)
// CHECK: %[[W:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<4x3x3x3xbf16>)
// CHECK: linalg.fill ins(%{{.*}} : bf16)
// CHECK: linalg.conv_2d_nchw_fchw ins(%[[X]], %[[W]] : {{.*}}) outs(%{{.*}} : tensor<1x4x6x6xf32>)
// CHECK: arith.maximumf
// CHECK-NEXT: arith.truncf
// CHECK: %[[P:.*]] = linalg.pooling_nchw_max {{.*}} -> tensor<1x4x3x3xbf16>
// CHECK: %[[PAD:.*]] = tensor.pad %[[P]]
// CHECK: tensor.yield %{{.*}} : bf16
// CHECK: linalg.conv_2d_nchw_fchw ins(%[[PAD]], %{{.*}} : tensor<1x4x5x5xbf16>, tensor<4x4x3x3xbf16>) outs(%{{.*}} : tensor<1x4x3x3xf32>)
func.func @through(%x: tensor<1x3x8x8xf32>) -> tensor<1x4x3x3xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %w = arith.constant dense_resource<w> : tensor<4x3x3x3xf32>
  %w2 = arith.constant dense_resource<w2> : tensor<4x4x3x3xf32>
  %e = tensor.empty() : tensor<1x4x6x6xf32>
  %ep = tensor.empty() : tensor<1x4x3x3xf32>
  %window = tensor.empty() : tensor<2x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  %fl = linalg.fill ins(%low : f32) outs(%ep : tensor<1x4x3x3xf32>) -> tensor<1x4x3x3xf32>
  %fz = linalg.fill ins(%zero : f32) outs(%ep : tensor<1x4x3x3xf32>) -> tensor<1x4x3x3xf32>
  %c = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) outs(%f : tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%c : tensor<1x4x6x6xf32>) outs(%e : tensor<1x4x6x6xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.maximumf %a, %zero : f32
      linalg.yield %s : f32
  } -> tensor<1x4x6x6xf32>
  %p = linalg.pooling_nchw_max {strides = dense<2> : vector<2xi64>} ins(%r, %window : tensor<1x4x6x6xf32>, tensor<2x2xf32>) outs(%fl : tensor<1x4x3x3xf32>) -> tensor<1x4x3x3xf32>
  %pad = tensor.pad %p low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%i: index, %j: index, %k: index, %l: index):
      tensor.yield %zero : f32
  } : tensor<1x4x3x3xf32> to tensor<1x4x5x5xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%pad, %w2 : tensor<1x4x5x5xf32>, tensor<4x4x3x3xf32>) outs(%fz : tensor<1x4x3x3xf32>) -> tensor<1x4x3x3xf32>
  return %y : tensor<1x4x3x3xf32>
}

// -----

#id = affine_map<(a, b) -> (a, b)>
#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
#sum = affine_map<(m, n) -> (m)>

// A tensor that others read as well keeps f32 and has one copy in bf16. A generic contraction widens in its body; a sum
// of squares is not a contraction.
// CHECK-LABEL: @both
// CHECK: %[[COPY:.*]] = linalg.generic {{.*}} ins(%arg0 : tensor<4x4xf32>) outs(%{{.*}} : tensor<4x4xbf16>)
// CHECK: linalg.generic {{.*}} ins(%[[COPY]], %[[COPY]] : tensor<4x4xbf16>, tensor<4x4xbf16>)
// CHECK: arith.extf
// CHECK: arith.extf
// CHECK: arith.mulf {{.*}} : f32
// CHECK: linalg.matmul ins(%[[COPY]], %[[COPY]]
// CHECK: linalg.generic {{.*}} ins(%arg0, %arg0 : tensor<4x4xf32>, tensor<4x4xf32>)
func.func @both(%x: tensor<4x4xf32>, %z: tensor<4x4xf32>, %zr: tensor<4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) {
  %m = linalg.generic {indexing_maps = [#lhs, #rhs, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %x : tensor<4x4xf32>, tensor<4x4xf32>) outs(%z : tensor<4x4xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %n = linalg.matmul ins(%x, %x : tensor<4x4xf32>, tensor<4x4xf32>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  %r = linalg.generic {indexing_maps = [#id, #id, #sum], iterator_types = ["parallel", "reduction"]}
      ins(%x, %x : tensor<4x4xf32>, tensor<4x4xf32>) outs(%zr : tensor<4xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  } -> tensor<4xf32>
  return %m, %n, %r : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>
}

// -----

#id = affine_map<(a, b, c) -> (a, b, c)>
#max = affine_map<(a, b, c) -> (b, c)>

// Two contractions share what is made in bf16; a maximum over a dimension commutes with rounding.
// CHECK-LABEL: @shared
// CHECK: %[[E:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<4x4x4xbf16>)
// CHECK: linalg.batch_matmul ins(%[[E]], %[[E]] : tensor<4x4x4xbf16>, tensor<4x4x4xbf16>)
// CHECK: %[[M:.*]] = linalg.generic {{.*}} ins(%[[E]] : tensor<4x4x4xbf16>) outs(%{{.*}} : tensor<4x4xbf16>)
// CHECK: arith.maximumf {{.*}} : bf16
// CHECK: linalg.matmul ins(%[[M]], %[[M]] : tensor<4x4xbf16>, tensor<4x4xbf16>)
func.func @shared(%x: tensor<4x4x4xf32>, %z: tensor<4x4x4xf32>, %zr: tensor<4x4xf32>) -> (tensor<4x4x4xf32>, tensor<4x4xf32>) {
  %low = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<4x4x4xf32>
  %er = tensor.empty() : tensor<4x4xf32>
  %fl = linalg.fill ins(%low : f32) outs(%er : tensor<4x4xf32>) -> tensor<4x4xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<4x4x4xf32>) outs(%e : tensor<4x4x4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = math.exp %a : f32
      linalg.yield %s : f32
  } -> tensor<4x4x4xf32>
  %m = linalg.batch_matmul ins(%t, %t : tensor<4x4x4xf32>, tensor<4x4x4xf32>) outs(%z : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %r = linalg.generic {indexing_maps = [#id, #max], iterator_types = ["reduction", "parallel", "parallel"]}
      ins(%t : tensor<4x4x4xf32>) outs(%fl : tensor<4x4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.maximumf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %v = linalg.matmul ins(%r, %r : tensor<4x4xf32>, tensor<4x4xf32>) outs(%zr : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %m, %v : tensor<4x4x4xf32>, tensor<4x4xf32>
}

// -----

// What the matrix unit cannot do, for want of rows or of columns, keeps f32.
// CHECK-LABEL: @no_rows_or_columns
// CHECK-NOT: bf16
func.func @no_rows_or_columns(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4xf32>, %z: tensor<1x6x6x4xf32>, %v: tensor<4xf32>, %m: tensor<4x4xf32>) -> (tensor<1x6x6x4xf32>, tensor<4xf32>) {
  %d = linalg.depthwise_conv_2d_nhwc_hwc {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x8x8x4xf32>, tensor<3x3x4xf32>) outs(%z : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  %r = linalg.vecmat ins(%v, %m : tensor<4xf32>, tensor<4x4xf32>) outs(%v : tensor<4xf32>) -> tensor<4xf32>
  return %d, %r : tensor<1x6x6x4xf32>, tensor<4xf32>
}

// -----

#all = affine_map<(b, c, p) -> (b, c, p)>
#gate = affine_map<(b, c, p) -> (b, c)>
#id = affine_map<(b, c) -> (b, c)>

// The gate of a squeeze-and-excitation is a factor of all pixels: the contraction that makes it keeps f32, the one before
// does not. A summand of all pixels does not either.
// CHECK-LABEL: @gate
// CHECK: %[[SQUEEZED:.*]] = linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<2x16xbf16>, tensor<16x8xbf16>)
// CHECK: linalg.matmul ins(%[[SQUEEZED]], %arg2 : tensor<2x8xf32>, tensor<8x16xf32>)
// CHECK: linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<2x8xbf16>, tensor<8x16xbf16>)
func.func @gate(%x: tensor<2x16xf32>, %w: tensor<16x8xf32>, %w2: tensor<8x16xf32>, %z: tensor<2x8xf32>, %z2: tensor<2x16xf32>,
                %data: tensor<2x16x9xf32>) -> (tensor<2x16x9xf32>, tensor<2x16x9xf32>) {
  %e = tensor.empty() : tensor<2x16x9xf32>
  %e2 = tensor.empty() : tensor<2x16xf32>
  %s = linalg.matmul ins(%x, %w : tensor<2x16xf32>, tensor<16x8xf32>) outs(%z : tensor<2x8xf32>) -> tensor<2x8xf32>
  %g = linalg.matmul ins(%s, %w2 : tensor<2x8xf32>, tensor<8x16xf32>) outs(%z2 : tensor<2x16xf32>) -> tensor<2x16xf32>
  %h = linalg.matmul ins(%s, %w2 : tensor<2x8xf32>, tensor<8x16xf32>) outs(%x : tensor<2x16xf32>) -> tensor<2x16xf32>
  %gated = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g : tensor<2x16xf32>) outs(%e2 : tensor<2x16xf32>) {
    ^bb0(%a: f32, %o: f32):
      %m = math.tanh %a : f32
      linalg.yield %m : f32
  } -> tensor<2x16xf32>
  %scaled = linalg.generic {indexing_maps = [#all, #gate, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%data, %gated : tensor<2x16x9xf32>, tensor<2x16xf32>) outs(%e : tensor<2x16x9xf32>) {
    ^bb0(%a: f32, %f: f32, %o: f32):
      %m = arith.mulf %a, %f : f32
      linalg.yield %m : f32
  } -> tensor<2x16x9xf32>
  %added = linalg.generic {indexing_maps = [#all, #gate, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%data, %h : tensor<2x16x9xf32>, tensor<2x16xf32>) outs(%e : tensor<2x16x9xf32>) {
    ^bb0(%a: f32, %f: f32, %o: f32):
      %m = arith.addf %a, %f : f32
      linalg.yield %m : f32
  } -> tensor<2x16x9xf32>
  return %scaled, %added : tensor<2x16x9xf32>, tensor<2x16x9xf32>
}

// -----

// CHECK-LABEL: @double
// CHECK-SAME: (%arg0: tensor<2xf32>) -> tensor<2xf32>
// CHECK: arith.constant dense<[1.000000e+00, 1.000000e-01]> : tensor<2xf32>
// CHECK-NOT: f64
// FP32-LABEL: @double
// FP32-NOT: f64
func.func @double(%x: tensor<2xf64>) -> tensor<2xf64> {
  // expected-remark@-1 {{f64 is computed as f32}}
  %c = arith.constant dense<[1.0, 0.1]> : tensor<2xf64>
  %e = tensor.empty() : tensor<2xf64>
  %y = linalg.add ins(%x, %c : tensor<2xf64>, tensor<2xf64>) outs(%e : tensor<2xf64>) -> tensor<2xf64>
  return %y : tensor<2xf64>
}

// -----

// A table that a contraction reads in bf16 too is kept in bf16 alone; its rows are widened.
// FP32-LABEL: @tied
// FP32-NOT: bf16
// CHECK-LABEL: @tied
// CHECK: %[[TABLE:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<100x32xbf16>)
// CHECK: %[[ROWS:.*]] = linalg.generic {{.*}} ins(%arg0, %{{.*}}, %[[TABLE]] : tensor<8xi32>, tensor<100xi32>, tensor<100x32xbf16>) {{.*}} {dojo.lookup}
// CHECK: arith.select %{{.*}} : bf16
// CHECK: arith.addf %{{.*}} : bf16
// CHECK: %[[WIDE:.*]] = linalg.generic {{.*}} ins(%[[ROWS]] : tensor<8x32xbf16>) outs(%{{.*}} : tensor<8x32xf32>)
// CHECK: %[[LEFT:.*]] = linalg.generic {{.*}} ins(%[[WIDE]] :
// CHECK: linalg.matmul {{.*}} ins(%[[LEFT]], %[[TABLE]] : tensor<8x32xbf16>, tensor<100x32xbf16>)
func.func @tied(%ids: tensor<8xi32>, %numbers: tensor<100xi32>) -> (tensor<8x100xf32>, tensor<8x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %table = arith.constant dense_resource<t> : tensor<100x32xf32>
  %e = tensor.empty() : tensor<8x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x32xf32>) -> tensor<8x32xf32>
  %rows = linalg.generic {indexing_maps = [affine_map<(i, c, r) -> (i)>, affine_map<(i, c, r) -> (r)>, affine_map<(i, c, r) -> (r, c)>,
      affine_map<(i, c, r) -> (i, c)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%ids, %numbers, %table : tensor<8xi32>, tensor<100xi32>, tensor<100x32xf32>) outs(%f : tensor<8x32xf32>) attrs = {dojo.lookup} {
    ^bb0(%i: i32, %r: i32, %t: f32, %o: f32):
      %m = arith.cmpi eq, %i, %r : i32
      %s = arith.select %m, %t, %zero : f32
      %u = arith.addf %s, %o : f32
      linalg.yield %u : f32
  } -> tensor<8x32xf32>
  %eh = tensor.empty() : tensor<8x100xf32>
  %fh = linalg.fill ins(%zero : f32) outs(%eh : tensor<8x100xf32>) -> tensor<8x100xf32>
  %h = linalg.matmul indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>, affine_map<(i, j, k) -> (i, j)>]
      ins(%rows, %table : tensor<8x32xf32>, tensor<100x32xf32>) outs(%fh : tensor<8x100xf32>) -> tensor<8x100xf32>
  return %h, %rows : tensor<8x100xf32>, tensor<8x32xf32>
}
