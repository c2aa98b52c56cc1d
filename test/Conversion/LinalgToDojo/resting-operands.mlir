// An operand that lies as its consumer wants it is read where it is, also along a reduction,
// unless it has padding: that must be zero there, and nobody has said it is.
// RUN: dojo-opt %s --split-input-file --dojo-partition | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func @step
// CHECK: %[[DOUBLE:.*]] = dojo.compute
// CHECK-NOT: dojo.move ins(%[[DOUBLE]]
// CHECK: dojo.compute ins(%{{.*}}, %[[DOUBLE]] :
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
  func.func @step(%a: tensor<8x64xf32>, %b: tensor<64x64xf32>) -> tensor<8x64xf32> {
    %z = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<64x64xf32>
    %double = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%b : tensor<64x64xf32>) outs(%e : tensor<64x64xf32>)
        attrs = {dojo.mapping = #dojo.mapping<y = [d0 : 4], x = [d1 : 4], inner = d1, tile = [d1 : 16]>} {
    ^bb0(%x: f32, %o: f32):
      %s = arith.addf %x, %x : f32
      linalg.yield %s : f32
    } -> tensor<64x64xf32>
    %r = tensor.empty() : tensor<8x64xf32>
    %f = linalg.fill ins(%z : f32) outs(%r : tensor<8x64xf32>) -> tensor<8x64xf32>
    %c = linalg.matmul {dojo.mapping = #dojo.mapping<y = [d2 : 4], x = [d1 : 4], inner = d1, tile = [d1 : 16]>}
        ins(%a, %double : tensor<8x64xf32>, tensor<64x64xf32>) outs(%f : tensor<8x64xf32>) -> tensor<8x64xf32>
    return %c : tensor<8x64xf32>
  }
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func @step
// CHECK: %[[DOUBLE:.*]] = dojo.compute ins(%{{.*}}) outs
// CHECK: linalg.fill ins(%{{.*}}) outs(%arg0 : tensor<256xf32>)
// CHECK: %[[PADDED:.*]] = dojo.move ins(%[[DOUBLE]] :
// CHECK: dojo.compute ins(%{{.*}}, %[[PADDED]] :
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
  func.func @step(%a: tensor<8x62xf32>, %b: tensor<62x64xf32>) -> tensor<8x64xf32> {
    %z = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<62x64xf32>
    %double = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%b : tensor<62x64xf32>) outs(%e : tensor<62x64xf32>)
        attrs = {dojo.mapping = #dojo.mapping<y = [d0 : 4], x = [d1 : 4], inner = d1, tile = [d1 : 16]>} {
    ^bb0(%x: f32, %o: f32):
      %s = arith.addf %x, %x : f32
      linalg.yield %s : f32
    } -> tensor<62x64xf32>
    %r = tensor.empty() : tensor<8x64xf32>
    %f = linalg.fill ins(%z : f32) outs(%r : tensor<8x64xf32>) -> tensor<8x64xf32>
    %c = linalg.matmul {dojo.mapping = #dojo.mapping<y = [d2 : 4], x = [d1 : 4], inner = d1, tile = [d1 : 16]>}
        ins(%a, %double : tensor<8x62xf32>, tensor<62x64xf32>) outs(%f : tensor<8x64xf32>) -> tensor<8x64xf32>
    return %c : tensor<8x64xf32>
  }
}
