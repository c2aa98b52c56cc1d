// A concatenation of several consumers is put together for the first that wants each element
// once; the next reads it there. Nothing is filled that the parts cover.
// RUN: dojo-opt %s --dojo-partition | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func @step
// CHECK-NOT: linalg.fill
// CHECK: %[[LEFT:.*]] = dojo.move ins(%[[A:.*]] : tensor<64x64xf32{{.*}} -> tensor<64x128xf32
// CHECK: %[[JOINED:.*]] = dojo.move ins(%{{.*}} : tensor<64x64xf32{{.*}} outs(%[[LEFT]] : {{.*}} -> tensor<64x128xf32
// CHECK: dojo.compute ins(%[[JOINED]] :
// CHECK: %[[WIDE:.*]] = dojo.move ins(%[[JOINED]] : {{.*}} -> tensor<64x192xf32
// CHECK-NEXT: %[[ALL:.*]] = dojo.move ins(%[[A]] : {{.*}} outs(%[[WIDE]] :
// CHECK-NEXT: dojo.compute ins(%[[ALL]] :
// CHECK-NOT: linalg.fill
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
  func.func @step(%a: tensor<64x64xf32>, %b: tensor<64x64xf32>) -> (tensor<64x128xf32>, tensor<64x192xf32>) {
    %ab = tensor.concat dim(1) %a, %b : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x128xf32>
    %e = tensor.empty() : tensor<64x128xf32>
    %two = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%ab : tensor<64x128xf32>) outs(%e : tensor<64x128xf32>)
        attrs = {dojo.mapping = #dojo.mapping<y = [d0 : 4], x = [d1 : 4], inner = d1, tile = [d1 : 16]>} {
    ^bb0(%x: f32, %o: f32):
      %s = arith.addf %x, %x : f32
      linalg.yield %s : f32
    } -> tensor<64x128xf32>
    %aba = tensor.concat dim(1) %ab, %a : (tensor<64x128xf32>, tensor<64x64xf32>) -> tensor<64x192xf32>
    %f = tensor.empty() : tensor<64x192xf32>
    %three = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%aba : tensor<64x192xf32>) outs(%f : tensor<64x192xf32>)
        attrs = {dojo.mapping = #dojo.mapping<y = [d0 : 4], x = [d1 : 4], inner = d1, tile = [d1 : 16]>} {
    ^bb0(%x: f32, %o: f32):
      %s = arith.mulf %x, %x : f32
      linalg.yield %s : f32
    } -> tensor<64x192xf32>
    return %two, %three : tensor<64x128xf32>, tensor<64x192xf32>
  }
}
