// RUN: dojo-opt %s --split-input-file --verify-diagnostics --dojo-partition

module attributes {dojo.machine = #dojo.machine<"d1-node">} {
  func.func @step(%x: tensor<16xf32>) -> tensor<16xf32> {
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    // expected-error @+1 {{needs constant bounds: from 0 to at least 1 in steps of 1}}
    %r = scf.for %i = %c1 to %c3 step %c1 iter_args(%a = %x) -> tensor<16xf32> {
      scf.yield %a : tensor<16xf32>
    }
    return %r : tensor<16xf32>
  }
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-node">} {
  func.func @step(%x: tensor<16xf32>) -> tensor<16xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    // expected-error @+1 {{carries a value of type 'index', expected tensors}}
    %r:2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x, %n = %c0) -> (tensor<16xf32>, index) {
      scf.yield %a, %n : tensor<16xf32>, index
    }
    return %r#0 : tensor<16xf32>
  }
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-node">} {
  func.func @step(%x: tensor<16xf32>, %y: tensor<4xf32>) -> tensor<16xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x) -> tensor<16xf32> {
      %half = affine.apply affine_map<(d0) -> (d0 floordiv 2)>(%i)
      // expected-error @+1 {{inserts at an offset that is not linear in the step of one loop}}
      %n = tensor.insert_slice %y into %a[%half] [4] [1] : tensor<4xf32> into tensor<16xf32>
      scf.yield %n : tensor<16xf32>
    }
    return %r : tensor<16xf32>
  }
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-node">} {
  func.func @step(%x: tensor<16xf32>, %y: tensor<4xf32>) -> tensor<16xf32> {
    // expected-error @+1 {{inserts with strides; expected neighbouring elements}}
    %n = tensor.insert_slice %y into %x[0] [4] [2] : tensor<4xf32> into tensor<16xf32>
    return %n : tensor<16xf32>
  }
}
