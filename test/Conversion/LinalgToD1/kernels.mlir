// RUN: dojo-opt %s --dojo-set-target --convert-kernels-to-d1 | FileCheck %s

// Small enough to be one block: the fill of zero never touches memory.
// CHECK-LABEL: func.func private @matmul(%arg0: i64, %arg1: i64, %arg2: i64)
// CHECK-SAME: d1.macs = 1024 : i64, d1.routine, d1.unit = "matrix"
// CHECK-COUNT-2: d1.mzero
// CHECK-NOT: scf.for
// CHECK: d1.vldg16
// CHECK: d1.vldg8 %{{.*}}, 3 :
// CHECK: d1.mmul
// CHECK: d1.mread
// CHECK-NEXT: d1.vstg16
func.func private @matmul(%a: memref<8x8xbf16>, %b: memref<8x16xbf16>, %c: memref<8x16xf32>) attributes {dojo.kernel} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<8x16xf32>)
  linalg.matmul ins(%a, %b : memref<8x8xbf16>, memref<8x16xbf16>) outs(%c : memref<8x16xf32>)
  return
}

// Without a fill the product is added to what is there.
// CHECK-LABEL: func.func private @accumulate(
// CHECK: d1.mzero
// CHECK: d1.mmul
// CHECK: %[[ROWS:.*]] = d1.mread
// CHECK-NEXT: %[[OLD:.*]] = d1.vldg16 %arg2,
// CHECK-NEXT: %[[SUM:.*]] = d1.vadd %[[OLD]], %[[ROWS]]
// CHECK-NEXT: d1.vstg16 %[[SUM]], %arg2,
func.func private @accumulate(%a: memref<8x4xbf16>, %b: memref<4x16xbf16>, %c: memref<8x16xf32>) attributes {dojo.kernel} {
  linalg.matmul ins(%a, %b : memref<8x4xbf16>, memref<4x16xbf16>) outs(%c : memref<8x16xf32>)
  return
}

// Operands packed in tiles need no gathers.
// CHECK-LABEL: func.func private @packed(
// CHECK-NOT: d1.vldg
// CHECK: d1.mmul
// CHECK: d1.mread
// CHECK-NEXT: d1.vst %
func.func private @packed(%a: memref<8x4xbf16>, %b: memref<4x8xbf16>, %c: memref<8x8xf32>) attributes {dojo.kernel} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<8x8xf32>)
  linalg.matmul ins(%a, %b : memref<8x4xbf16>, memref<4x8xbf16>) outs(%c : memref<8x8xf32>)
  return
}

// Two rows and four columns of an image make the rows of a tile.
// CHECK-LABEL: func.func private @convolution(
// CHECK-SAME: d1.unit = "matrix"
// CHECK: d1.vldg8 %{{.*}}, 2 :
func.func private @convolution(%a: memref<1x8x4x6xbf16, strided<[192, 1, 48, 8]>>,
    %b: memref<8x8x3x3xbf16, strided<[1, 8, 192, 64]>>,
    %c: memref<1x8x2x4xf32, strided<[64, 1, 32, 8]>>) attributes {dojo.kernel} {
  linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%a, %b : memref<1x8x4x6xbf16, strided<[192, 1, 48, 8]>>, memref<8x8x3x3xbf16, strided<[1, 8, 192, 64]>>)
    outs(%c : memref<1x8x2x4xf32, strided<[64, 1, 32, 8]>>)
  return
}

// The depth is no multiple of the unit's: lanes, bf16 widened by the loads.
// CHECK-LABEL: func.func private @thin(
// CHECK-SAME: d1.unit = "simd"
// CHECK-DAG: d1.vldrh
// CHECK-DAG: d1.vldh
// CHECK: d1.vfma
func.func private @thin(%a: memref<8x3xbf16>, %b: memref<3x16xbf16>, %c: memref<8x16xf32>) attributes {dojo.kernel} {
  linalg.matmul ins(%a, %b : memref<8x3xbf16>, memref<3x16xbf16>) outs(%c : memref<8x16xf32>)
  return
}

// All dimensions of a contiguous buffer are one loop; the constant stands before it.
// CHECK-LABEL: func.func private @relu(
// CHECK-SAME: d1.macs = 0 : i64, d1.routine, d1.unit = "simd"
// CHECK: %[[ZERO:.*]] = d1.vsplat
// CHECK: scf.for
// CHECK-NOT: scf.for
// CHECK: %[[X:.*]] = d1.vld %{{.*}}, 0
// CHECK: %[[R:.*]] = d1.vmax %[[X]], %[[ZERO]]
// CHECK: d1.vsth %[[R]]
// CHECK: return
func.func private @relu(%in: memref<4x6x64xf32>, %out: memref<4x6x64xbf16>) attributes {dojo.kernel} {
  %zero = arith.constant 0.0 : f32
  linalg.generic {indexing_maps = [affine_map<(i,j,k)->(i,j,k)>, affine_map<(i,j,k)->(i,j,k)>],
                  iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%in : memref<4x6x64xf32>) outs(%out : memref<4x6x64xbf16>) {
  ^bb0(%x: f32, %o: bf16):
    %m = arith.maximumf %x, %zero : f32
    %r = arith.truncf %m : f32 to bf16
    linalg.yield %r : bf16
  }
  return
}

// A fill of a buffer that the operation writes only in part is done first.
// CHECK-LABEL: func.func private @partly(
// CHECK: d1.vst
// CHECK: d1.vld
// CHECK: d1.vst
func.func private @partly(%in: memref<16xf32>, %out: memref<32xf32>) attributes {dojo.kernel} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%out : memref<32xf32>)
  linalg.generic {indexing_maps = [affine_map<(i)->(i)>, affine_map<(i)->(i + 16)>], iterator_types = ["parallel"]}
    ins(%in : memref<16xf32>) outs(%out : memref<32xf32>) {
  ^bb0(%x: f32, %o: f32):
    linalg.yield %x : f32
  }
  return
}

// No iterator fits the lanes: one lane at a time.
// CHECK-LABEL: func.func private @narrow(
// CHECK-SAME: d1.unit = "scalar"
// CHECK: d1.vldr
// CHECK: d1.vst1
func.func private @narrow(%in: memref<3x6xf32>, %out: memref<6x3xf32>) attributes {dojo.kernel} {
  linalg.transpose ins(%in : memref<3x6xf32>) outs(%out : memref<6x3xf32>) permutation = [1, 0]
  return
}

// Tiles of 4 x 4; the second begins at column 2, so that it ends with the row.
// CHECK-LABEL: func.func private @transpose(
// CHECK-SAME: d1.unit = "simd"
// CHECK: %[[AT:.*]] = arith.constant 8 : i64
// CHECK: %[[EDGE:.*]] = arith.addi %arg0, %[[AT]]
// CHECK: %[[ROWS:.*]] = d1.vldg16 %[[EDGE]], %{{.*}}, %{{.*}}, 2
// CHECK: %[[COLUMNS:.*]] = d1.vtrn %[[ROWS]], 2
// CHECK: d1.vstg16 %[[COLUMNS]]
// CHECK: %[[FIRST:.*]] = d1.vldg16 %arg0,
// CHECK: d1.vtrn %[[FIRST]], 2
// CHECK-NOT: d1.vtrn
func.func private @transpose(%in: memref<4x6xf32>, %out: memref<6x4xf32>) attributes {dojo.kernel} {
  linalg.transpose ins(%in : memref<4x6xf32>) outs(%out : memref<6x4xf32>) permutation = [1, 0]
  return
}

// A fill of a buffer comes before what reads or writes a view of it.
// CHECK-LABEL: func.func private @view(
// CHECK: d1.vst
// CHECK: d1.vtrn
// CHECK: return
func.func private @view(%in: memref<4x4xf32>, %out: memref<4x16xf32>) attributes {dojo.kernel} {
  %one = arith.constant 1.0 : f32
  linalg.fill ins(%one : f32) outs(%out : memref<4x16xf32>)
  %part = memref.subview %out[0, 8] [4, 4] [1, 1] : memref<4x16xf32> to memref<4x4xf32, strided<[16, 1], offset: 8>>
  linalg.transpose ins(%in : memref<4x4xf32>) outs(%part : memref<4x4xf32, strided<[16, 1], offset: 8>>) permutation = [1, 0]
  return
}

// A function that is no kernel stays.
// CHECK-LABEL: func.func @other(%arg0: memref<4xf32>)
func.func @other(%a: memref<4xf32>) {
  return
}
