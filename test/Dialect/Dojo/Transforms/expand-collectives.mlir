// RUN: dojo-opt %s --dojo-expand-collectives | FileCheck %s

#spread = #dojo.layout<[4 step 1, 8], x = [d0 : 4]>
#all = #dojo.layout<[8]>
// CHECK: #[[GATHERED:layout[0-9]*]] = #dojo.layout<[4, 8]>
// The partial results are gathered, then each node adds its own copy in order.
// CHECK-LABEL: func @all_reduce
func.func @all_reduce(%a: tensor<4x8xf32, #spread>) {
  // CHECK: %[[G:.*]] = dojo.move ins(%arg0
  // CHECK-SAME: -> tensor<4x8xf32, #[[GATHERED]]>
  // CHECK: dojo.compute ins(%[[G]]
  // CHECK: linalg.fill
  // CHECK: linalg.reduce
  // CHECK: arith.addf
  // CHECK-NOT: dojo.reduce
  %r = dojo.reduce %a : tensor<4x8xf32, #spread> -> tensor<8xf32, #all> {
  ^bb0(%x: f32, %y: f32):
    %z = arith.addf %x, %y : f32
    dojo.yield %z : f32
  }
  return
}
