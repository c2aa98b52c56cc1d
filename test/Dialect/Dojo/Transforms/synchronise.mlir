// Where grants and drains stand, and which semaphores moves get.
// RUN: dojo-opt %s --dojo-synchronise | FileCheck %s

#a = #dojo.layout<[8 step 2], x = [d0 : 4]>
#b = #dojo.layout<[8]>
#id = affine_map<(d0) -> (d0)>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {

// The destination was free from the start: the grant stands in front of work that does not touch
// it. The source is written again after the push: a drain lets the bytes leave first.
// CHECK-LABEL: func.func @early_grant
// CHECK: dojo.grant "m" %[[A:.*]] to %[[B:.*]] free 0 ready 1
// CHECK-NEXT: dojo.launch @kernel ins() outs(%[[A]]
// CHECK-NEXT: dojo.send "m" %[[A]] to %[[B]] free 0 ready 1
// CHECK-NEXT: dojo.receive "m" %[[A]] to %[[B]] free 0 ready 1
// CHECK-NEXT: dojo.drain
// CHECK-NEXT: dojo.launch @kernel ins() outs(%[[A]]
// CHECK-NEXT: return
func.func @early_grant() {
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  dojo.launch @kernel ins() outs(%a : !dojo.buffer<tensor<8xf32, #a>>)
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) by #id routine "m"
  dojo.launch @kernel ins() outs(%a : !dojo.buffer<tensor<8xf32, #a>>)
  return
}

// Another buffer had the destination's address until the launch: no grant before it.
// CHECK-LABEL: func.func @address_reused
// CHECK: dojo.launch @kernel ins() outs(%[[OLD:.*]] :
// CHECK-NEXT: dojo.grant "m" %[[A:.*]] to %[[B:.*]] free 0 ready 1
// CHECK-NEXT: dojo.launch @kernel ins() outs(%[[A]]
// CHECK-NEXT: dojo.send "m"
// CHECK-NEXT: dojo.receive "m"
// CHECK: return
func.func @address_reused() {
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  %old = dojo.alloc {address = 8208 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  dojo.launch @kernel ins() outs(%old : !dojo.buffer<tensor<8xf32, #b>>)
  dojo.launch @kernel ins() outs(%a : !dojo.buffer<tensor<8xf32, #a>>)
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) by #id routine "m"
  return
}

// A load is in the air until the drain before the first use; two moves have four semaphores.
// CHECK-LABEL: func.func @load
// CHECK: dojo.move ins(%{{.*}}) outs(%[[A:.*]] : {{.*}}) by #map routine "load"
// CHECK: dojo.drain
// CHECK-NEXT: dojo.launch @kernel ins() outs(%[[A]]
// CHECK: dojo.send "m" {{.*}} free 0 ready 1
// CHECK: dojo.send "n" {{.*}} free 2 ready 3
func.func @load() {
  %in = dojo.get_dram @in : !dojo.buffer<tensor<8xf32, #dojo.dram>>
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  %c = dojo.alloc {address = 12288 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  dojo.move ins(%in : !dojo.buffer<tensor<8xf32, #dojo.dram>>) outs(%a : !dojo.buffer<tensor<8xf32, #a>>) by #id routine "load"
  dojo.launch @kernel ins() outs(%a : !dojo.buffer<tensor<8xf32, #a>>)
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) by #id routine "m"
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%c : !dojo.buffer<tensor<8xf32, #b>>) by #id routine "n"
  return
}

dojo.dram @in "input" : tensor<8xf32>
func.func private @kernel(%a: memref<2xf32>) attributes {dojo.kernel} {
  return
}
}
