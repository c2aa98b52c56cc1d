// RUN: dojo-opt --dojo-fold-empty --canonicalize --split-input-file %s | FileCheck %s

// CHECK-LABEL: @sum_of_nothing
// CHECK: %[[ZERO:.*]] = arith.constant dense<0.0{{.*}}> : tensor<2xf32>
// CHECK: return %[[ZERO]]
func.func @sum_of_nothing(%x: tensor<2x0xf32>) -> tensor<2xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2xf32>) -> tensor<2xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                         iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<2x0xf32>) outs(%init : tensor<2xf32>) {
  ^bb0(%a: f32, %s: f32):
    %t = arith.addf %s, %a : f32
    linalg.yield %t : f32
  } -> tensor<2xf32>
  return %sum : tensor<2xf32>
}

// -----

// CHECK-LABEL: @nothing_padded
// CHECK: arith.constant dense<7.0{{.*}}> : tensor<3xf32>
func.func @nothing_padded(%x: tensor<0xf32>) -> tensor<3xf32> {
  %seven = arith.constant 7.0 : f32
  %y = tensor.pad %x low[1] high[2] {
  ^bb0(%i: index):
    tensor.yield %seven : f32
  } : tensor<0xf32> to tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----

// CHECK-LABEL: @joined_with_nothing
// CHECK-SAME: (%[[X:.*]]: tensor<0xf32>, %[[Y:.*]]: tensor<3xf32>)
// CHECK: return %[[Y]]
func.func @joined_with_nothing(%x: tensor<0xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %z = tensor.concat dim(0) %x, %y : (tensor<0xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %z : tensor<3xf32>
}

// -----

// CHECK-LABEL: @no_elements
// CHECK: tensor.empty() : tensor<0x2xf32>
// CHECK-NOT: linalg
func.func @no_elements(%x: tensor<2x0xf32>) -> tensor<0x2xf32> {
  %empty = tensor.empty() : tensor<0x2xf32>
  %y = linalg.transpose ins(%x : tensor<2x0xf32>) outs(%empty : tensor<0x2xf32>) permutation = [1, 0]
  return %y : tensor<0x2xf32>
}
