// RUN: dojo-opt --dojo-expand-integers --split-input-file --verify-diagnostics %s | FileCheck %s

// Values are held to numpy in python/tests/test_integers.py; here is what becomes of tensors.

// CHECK-LABEL: @words
// CHECK-SAME: %[[X:.*]]: tensor<4x2xi32> {dojo.element = "i64"}
// CHECK: tensor.extract_slice %[[X]][0, 0] [4, 1] [1, 1] : tensor<4x2xi32> to tensor<4xi32>
// CHECK: tensor.extract_slice %[[X]][0, 1] [4, 1] [1, 1] : tensor<4x2xi32> to tensor<4xi32>
// CHECK: tensor.concat dim(1)
// CHECK-SAME: -> tensor<4x2xi32>
func.func @words(%x: tensor<4xi64>) -> tensor<4xi64> {
  %e = tensor.empty() : tensor<4xi64>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%x : tensor<4xi64>) outs(%e : tensor<4xi64>) {
  ^bb0(%a: i64, %o: i64):
    %s = arith.addi %a, %a : i64
    linalg.yield %s : i64
  } -> tensor<4xi64>
  return %y : tensor<4xi64>
}

// -----

// Who needs the low words alone computes no high ones.
// CHECK-LABEL: @low_words
// CHECK: linalg.generic
// CHECK-SAME: ins(%{{[^,]*}} : tensor<4xi32>)
// CHECK: arith.addi
// CHECK-NOT: arith.addi
// CHECK: return
func.func @low_words(%x: tensor<4xi64>) -> tensor<4xi32> {
  %e = tensor.empty() : tensor<4xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%x : tensor<4xi64>) outs(%e : tensor<4xi32>) {
  ^bb0(%a: i64, %o: i32):
    %t = arith.trunci %a : i64 to i32
    %s = arith.addi %t, %t : i32
    linalg.yield %s : i32
  } -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// -----

// CHECK-LABEL: @divided
// CHECK-NOT: arith.divsi
func.func @divided(%a: i32, %b: i32) -> i32 {
  %q = arith.divsi %a, %b : i32
  return %q : i32
}

// -----

// CHECK-LABEL: @filled
// CHECK-COUNT-2: linalg.fill ins(%{{.*}} : i32) outs(%{{.*}} : tensor<4xi32>)
// CHECK-COUNT-2: linalg.transpose ins(%{{.*}} : tensor<2x4xi32>)
func.func @filled(%x: tensor<2x4xi64>) -> (tensor<4xi64>, tensor<4x2xi64>) {
  %c = arith.constant 4294967298 : i64
  %e = tensor.empty() : tensor<4xi64>
  %f = linalg.fill ins(%c : i64) outs(%e : tensor<4xi64>) -> tensor<4xi64>
  %s = tensor.empty() : tensor<4x2xi64>
  %t = linalg.transpose ins(%x : tensor<2x4xi64>) outs(%s : tensor<4x2xi64>) permutation = [1, 0]
  return %f, %t : tensor<4xi64>, tensor<4x2xi64>
}

// -----

func.func @no_form(%x: tensor<4xi64>) -> tensor<4xi64> {
  %e = tensor.empty() : tensor<4xi64>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%x : tensor<4xi64>) outs(%e : tensor<4xi64>) {
  ^bb0(%a: i64, %o: i64):
    // expected-error @+1 {{on 64-bit integers has no form on halves of 32 bits}}
    %s = math.ctpop %a : i64
    linalg.yield %s : i64
  } -> tensor<4xi64>
  return %y : tensor<4xi64>
}

// -----

func.func @no_form_of_tensors(%x: tensor<4xi64>) -> tensor<2xi64> {
  // expected-error @+1 {{on 64-bit integers has no form on halves of 32 bits}}
  %y = tensor.cast %x : tensor<4xi64> to tensor<4xi64>
  %z = tensor.extract_slice %y[0] [2] [1] : tensor<4xi64> to tensor<2xi64>
  return %z : tensor<2xi64>
}

// -----

// A loop carries both words.
// CHECK-LABEL: @loop
// CHECK: %[[R:.*]]:3 = scf.for %{{.*}} iter_args(%[[L:.*]] = %{{.*}}, %[[H:.*]] = %{{.*}}, %[[F:.*]] = %{{.*}}) -> (tensor<4xi32>, tensor<4xi32>, tensor<4xf32>)
// CHECK: %[[S:.*]]:2 = linalg.generic
// CHECK-SAME: ins(%[[L]], %[[H]] : tensor<4xi32>, tensor<4xi32>)
// CHECK: scf.yield %[[S]]#0, %[[S]]#1, %[[F]]
func.func @loop(%x: tensor<4xi64>, %f: tensor<4xf32>) -> (tensor<4xi64>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %e = tensor.empty() : tensor<4xi64>
  %r:2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x, %g = %f) -> (tensor<4xi64>, tensor<4xf32>) {
    %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%a : tensor<4xi64>) outs(%e : tensor<4xi64>) {
    ^bb0(%b: i64, %o: i64):
      %s = arith.addi %b, %b : i64
      linalg.yield %s : i64
    } -> tensor<4xi64>
    scf.yield %y, %g : tensor<4xi64>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xi64>, tensor<4xf32>
}
