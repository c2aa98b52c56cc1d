// RUN: dojo-opt %s --split-input-file --dojo-partition | FileCheck %s
// A loop is a repeat. What each step reads of a tensor outside is a move by the number of the step; what
// the same move brings in every step stands in front; what is collected is put into carried memory, laid
// out like the part, so that the bytes stay on their nodes.

#map = affine_map<(d0, d1) -> (d0, d1)>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
  // CHECK-DAG: #[[PART:.*]] = #dojo.layout<[4 step 1, 16], y = [d0 : 4]>
  // CHECK-DAG: #[[ALL:.*]] = #dojo.layout<[6, 4 step 1, 16], y = [d1 : 4]>
  // CHECK-DAG: #[[BACK:.*]] = affine_map<(d0, d1, d2)[s0] -> (d0 - s0 + 5, d1, d2)>
  // CHECK-DAG: #[[INTO:.*]] = affine_map<(d0, d1, d2)[s0] -> (d0 - s0, d1, d2)>

  // CHECK-LABEL: func.func @step
  func.func @step(%x: tensor<6x4x16xf32>, %w: tensor<4x16xf32>, %h0: tensor<4x16xf32>)
      -> (tensor<4x16xf32>, tensor<6x4x16xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c6 = arith.constant 6 : index
    %none = tensor.empty() : tensor<6x4x16xf32>
    %e = tensor.empty() : tensor<4x16xf32>
    // CHECK: dojo.empty : tensor<6x4x16xf32, #[[ALL]]>
    // CHECK: %[[W:[0-9]+]] = dojo.move ins({{.*}}) by #{{.*}} -> tensor<4x16xf32, #[[PART]]>
    // CHECK-NEXT: dojo.repeat 6 init(%{{.*}}, %{{.*}} : tensor<4x16xf32, #[[PART]]>, tensor<6x4x16xf32, #[[ALL]]>)
    // CHECK: ^bb0(%[[STEP:.*]]: index, %[[H:.*]]: tensor<4x16xf32, #[[PART]]>, %[[Y:.*]]: tensor<6x4x16xf32, #[[ALL]]>):
    %r:2 = scf.for %i = %c0 to %c6 step %c1 iter_args(%h = %h0, %y = %none)
        -> (tensor<4x16xf32>, tensor<6x4x16xf32>) {
      %at = affine.apply affine_map<(d0) -> (5 - d0)>(%i)
      %row = tensor.extract_slice %x[%at, 0, 0] [1, 4, 16] [1, 1, 1]
          : tensor<6x4x16xf32> to tensor<4x16xf32>
      // CHECK: dojo.move ins(%{{.*}} : tensor<6x4x16xf32, #dojo.dram>) {{.*}} symbol(%[[STEP]]) by #[[BACK]]
      // CHECK: %[[N:.*]] = dojo.compute ins(%{{.*}}, %[[H]], %[[W]] :
      %n = linalg.generic {dojo.mapping = #dojo.mapping<y = [d0 : 4], inner = d1>,
          indexing_maps = [#map, #map, #map, #map], iterator_types = ["parallel", "parallel"]}
          ins(%row, %h, %w : tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x16xf32>)
          outs(%e : tensor<4x16xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32, %o: f32):
        %p = arith.mulf %b, %c : f32
        %s = arith.addf %a, %p : f32
        linalg.yield %s : f32
      } -> tensor<4x16xf32>
      // CHECK: %[[ONE:.*]] = dojo.reshape %[[N]]
      // CHECK: %[[PUT:.*]] = dojo.move ins(%[[ONE]] {{.*}}) outs(%[[Y]] {{.*}}) symbol(%[[STEP]]) by #[[INTO]] ->
      %put = tensor.insert_slice %n into %y[%i, 0, 0] [1, 4, 16] [1, 1, 1]
          : tensor<4x16xf32> into tensor<6x4x16xf32>
      // CHECK: %[[NEXT:.*]] = dojo.move ins(%[[N]] {{.*}}) outs(%[[H]]
      // CHECK: dojo.yield %[[NEXT]], %[[PUT]]
      scf.yield %n, %put : tensor<4x16xf32>, tensor<6x4x16xf32>
    }
    return %r#0, %r#1 : tensor<4x16xf32>, tensor<6x4x16xf32>
  }
}

// -----

// What lies in carried memory is copied away before that is overwritten: the two change places.
module attributes {dojo.machine = #dojo.machine<"d1-node">} {
  // CHECK-LABEL: func.func @step
  func.func @step(%x: tensor<16xf32>, %y: tensor<16xf32>) -> (tensor<16xf32>, tensor<16xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    // CHECK: ^bb0(%{{.*}}: index, %[[A:.*]]: tensor<16xf32, {{.*}}>, %[[B:.*]]: tensor<16xf32, {{.*}}>):
    // CHECK: %[[B2:.*]] = dojo.move ins(%[[B]]
    // CHECK: %[[A2:.*]] = dojo.move ins(%[[A]]
    // CHECK: %[[A3:.*]] = dojo.move ins(%[[B2]] {{.*}} outs(%[[A]]
    // CHECK: %[[B3:.*]] = dojo.move ins(%[[A2]] {{.*}} outs(%[[B]]
    // CHECK: dojo.yield %[[A3]], %[[B3]]
    %r:2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x, %b = %y) -> (tensor<16xf32>, tensor<16xf32>) {
      scf.yield %b, %a : tensor<16xf32>, tensor<16xf32>
    }
    return %r#0, %r#1 : tensor<16xf32>, tensor<16xf32>
  }
}
