// RUN: dojo-opt %s --convert-moves-to-d1 | FileCheck %s

// Two equal moves share two routines, whatever their buffers; a load and a store have one each.
#a = #dojo.layout<[8 step 2], x = [d0 : 4]>
#b = #dojo.layout<[8]>
#id = affine_map<(d0) -> (d0)>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
// CHECK: dojo.move ins(%{{.*}}) outs(%{{.*}}) by #map routine "move_0"
// CHECK: dojo.move ins(%{{.*}}) outs(%{{.*}}) by #map routine "move_1"
// CHECK: dojo.move ins(%{{.*}}) outs(%{{.*}}) by #map routine "move_1"
// CHECK: dojo.move ins(%{{.*}}) outs(%{{.*}}) by #map routine "move_2"
// CHECK: func.func private @move_0_pull(%{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64) attributes {d1.routine}
// CHECK: d1.pull
// CHECK: func.func private @move_1_send(%{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64) attributes {d1.routine}
// CHECK-NOT: d1.wait
// CHECK: d1.push
// CHECK: d1.signal
// CHECK: func.func private @move_1_receive(%{{.*}}: i64) attributes {d1.routine}
// CHECK: d1.wait
// CHECK: func.func private @move_2_store(%{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64) attributes {d1.routine}
// CHECK: d1.push
// CHECK-NOT: func.func
dojo.dram @in "input" : tensor<8xf32>
dojo.dram @out "output" : tensor<8xf32>
func.func @step() {
  %in = dojo.get_dram @in : !dojo.buffer<tensor<8xf32, #dojo.dram>>
  %out = dojo.get_dram @out : !dojo.buffer<tensor<8xf32, #dojo.dram>>
  %a = dojo.alloc : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc : !dojo.buffer<tensor<8xf32, #b>>
  %c = dojo.alloc : !dojo.buffer<tensor<8xf32, #b>>
  dojo.move ins(%in : !dojo.buffer<tensor<8xf32, #dojo.dram>>) outs(%a : !dojo.buffer<tensor<8xf32, #a>>) by #id
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) by #id
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%c : !dojo.buffer<tensor<8xf32, #b>>) by #id
  dojo.move ins(%b : !dojo.buffer<tensor<8xf32, #b>>) outs(%out : !dojo.buffer<tensor<8xf32, #dojo.dram>>) by #id
  return
}
}
