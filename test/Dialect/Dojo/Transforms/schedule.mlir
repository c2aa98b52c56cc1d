// RUN: dojo-opt %s --dojo-schedule --split-input-file | FileCheck %s

#a = #dojo.layout<[64 step 16], x = [d0 : 4], y = 0>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
dojo.dram @w "input" : tensor<320xf32>
dojo.dram @r "output" : tensor<320xf32>
func.func private @k(memref<16xf32>, memref<16xf32>) attributes {dojo.kernel}

// Five steps: one load ahead, twice two steps, one step left.
// CHECK-LABEL: func.func @odd
// CHECK:         %[[W:.*]] = dojo.get_dram @w
// CHECK:         %[[A:.*]] = dojo.alloc
// CHECK:         %[[B:.*]] = dojo.alloc
// CHECK:         dojo.drain
// CHECK-NEXT:    %[[C0:.*]] = arith.constant 0 : index
// CHECK-NEXT:    dojo.move ins(%[[W]] {{.*}} outs(%[[A]] {{.*}} symbol(%[[C0]])
// CHECK-NEXT:    dojo.repeat 2 {
// CHECK-NEXT:    ^bb0(%[[I:.*]]: index):
// CHECK-NEXT:      dojo.drain
// CHECK-NEXT:      %[[S1:.*]] = affine.apply #[[ODD:.*]](%[[I]])
// CHECK-NEXT:      dojo.move ins(%[[W]] {{.*}} outs(%[[B]] {{.*}} symbol(%[[S1]])
// CHECK-NEXT:      %[[S0:.*]] = affine.apply
// CHECK:           dojo.launch @k ins(%[[A]]
// CHECK:           dojo.move {{.*}} symbol(%[[S0]])
// CHECK-NEXT:      dojo.drain
// CHECK-NEXT:      %[[S2:.*]] = affine.apply
// CHECK-NEXT:      dojo.move ins(%[[W]] {{.*}} outs(%[[A]] {{.*}} symbol(%[[S2]])
// CHECK:           dojo.launch @k ins(%[[B]]
// CHECK:         }
// CHECK-NEXT:    %[[C4:.*]] = arith.constant 4 : index
// CHECK-NOT:     dojo.drain
// CHECK:         dojo.launch @k ins(%[[A]]
// CHECK:         dojo.move {{.*}} symbol(%[[C4]])
// CHECK-NOT:     dojo.launch
// CHECK:         return
func.func @odd() {
  %w = dojo.get_dram @w : !dojo.buffer<tensor<320xf32, #dojo.dram>>
  %r = dojo.get_dram @r : !dojo.buffer<tensor<320xf32, #dojo.dram>>
  dojo.repeat 5 slots 2 {
  ^bb0(%s: index):
    %a = dojo.alloc : !dojo.buffer<tensor<64xf32, #a>>
    %b = dojo.alloc : !dojo.buffer<tensor<64xf32, #a>>
    dojo.move ins(%w : !dojo.buffer<tensor<320xf32, #dojo.dram>>) outs(%a : !dojo.buffer<tensor<64xf32, #a>>) symbol(%s) by affine_map<(d0)[s0] -> (d0 + s0 * 64)>
    dojo.launch @k ins(%a : !dojo.buffer<tensor<64xf32, #a>>) outs(%b : !dojo.buffer<tensor<64xf32, #a>>)
    dojo.move ins(%b : !dojo.buffer<tensor<64xf32, #a>>) outs(%r : !dojo.buffer<tensor<320xf32, #dojo.dram>>) symbol(%s) by affine_map<(d0)[s0] -> (d0 - s0 * 64)>
    dojo.yield
  }
  return
}

// Two steps need no loop.
// CHECK-LABEL: func.func @two
// CHECK-NOT:     dojo.repeat
// CHECK-COUNT-2: dojo.launch
// CHECK-NOT:     dojo.launch
// CHECK:         return
func.func @two() {
  %w = dojo.get_dram @w : !dojo.buffer<tensor<320xf32, #dojo.dram>>
  %b = dojo.alloc : !dojo.buffer<tensor<64xf32, #a>>
  dojo.repeat 2 slots 2 {
  ^bb0(%s: index):
    %a = dojo.alloc : !dojo.buffer<tensor<64xf32, #a>>
    dojo.move ins(%w : !dojo.buffer<tensor<320xf32, #dojo.dram>>) outs(%a : !dojo.buffer<tensor<64xf32, #a>>) symbol(%s) by affine_map<(d0)[s0] -> (d0 + s0 * 64)>
    dojo.launch @k ins(%a : !dojo.buffer<tensor<64xf32, #a>>) outs(%b : !dojo.buffer<tensor<64xf32, #a>>)
    dojo.yield
  }
  return
}

// One slot is in order, and so is what stores what it loads.
// CHECK-LABEL: func.func @in_order
// CHECK:         dojo.repeat 5 {
// CHECK:         dojo.repeat 5 slots 2 {
func.func @in_order() {
  %w = dojo.get_dram @w : !dojo.buffer<tensor<320xf32, #dojo.dram>>
  dojo.repeat 5 {
  ^bb0(%s: index):
    %a = dojo.alloc : !dojo.buffer<tensor<64xf32, #a>>
    dojo.move ins(%w : !dojo.buffer<tensor<320xf32, #dojo.dram>>) outs(%a : !dojo.buffer<tensor<64xf32, #a>>) symbol(%s) by affine_map<(d0)[s0] -> (d0 + s0 * 64)>
    %b = dojo.alloc : !dojo.buffer<tensor<64xf32, #a>>
    dojo.launch @k ins(%a : !dojo.buffer<tensor<64xf32, #a>>) outs(%b : !dojo.buffer<tensor<64xf32, #a>>)
    dojo.yield
  }
  dojo.repeat 5 slots 2 {
  ^bb0(%s: index):
    %a = dojo.alloc : !dojo.buffer<tensor<64xf32, #a>>
    dojo.move ins(%w : !dojo.buffer<tensor<320xf32, #dojo.dram>>) outs(%a : !dojo.buffer<tensor<64xf32, #a>>) symbol(%s) by affine_map<(d0)[s0] -> (d0 + s0 * 64)>
    %b = dojo.alloc : !dojo.buffer<tensor<64xf32, #a>>
    dojo.launch @k ins(%a : !dojo.buffer<tensor<64xf32, #a>>) outs(%b : !dojo.buffer<tensor<64xf32, #a>>)
    dojo.move ins(%a : !dojo.buffer<tensor<64xf32, #a>>) outs(%w : !dojo.buffer<tensor<320xf32, #dojo.dram>>) symbol(%s) by affine_map<(d0)[s0] -> (d0 - s0 * 64)>
    dojo.yield
  }
  return
}
}
