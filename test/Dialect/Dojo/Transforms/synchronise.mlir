// Where barriers and drains stand, and which semaphores moves get.
// RUN: dojo-opt %s --dojo-synchronise | FileCheck %s

#a = #dojo.layout<[8 step 2], x = [d0 : 4]>
#b = #dojo.layout<[8]>
#c = #dojo.layout<[8 step 2], y = [d0 : 4]>
#id = affine_map<(d0) -> (d0)>
#next = affine_map<(d0)[s0] -> (d0 + s0)>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {

// No node may push before all have begun. The source is written again after the push: a drain lets the
// bytes leave first.
// CHECK-LABEL: func.func @first_move
// CHECK: dojo.launch @kernel ins() outs(%[[A:.*]] :
// CHECK-NEXT: dojo.barrier frees(%[[B:.*]] :
// CHECK-NEXT: dojo.send "m" %[[A]] to %[[B]] ready 0
// CHECK-NEXT: dojo.receive "m" %[[A]] to %[[B]] ready 0
// CHECK-NEXT: dojo.drain
// CHECK-NEXT: dojo.launch @kernel ins() outs(%[[A]]
// CHECK-NEXT: return
func.func @first_move() {
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  dojo.launch @kernel ins() outs(%a : !dojo.buffer<tensor<8xf32, #a>>)
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) by #id routine "m"
  dojo.launch @kernel ins() outs(%a : !dojo.buffer<tensor<8xf32, #a>>)
  return
}

// One barrier serves the moves behind it, until bytes of a destination have been used since. Each frees
// semaphores too.
// CHECK-LABEL: func.func @one_for_two
// CHECK: dojo.barrier frees(%[[B:.*]], %[[C:.*]] :
// CHECK-NEXT: dojo.send "m" %{{.*}} to %[[B]] ready 0
// CHECK-NEXT: dojo.receive
// CHECK-NEXT: dojo.send "n" %{{.*}} to %[[C]] ready 1
// CHECK-NEXT: dojo.receive
// CHECK-NEXT: dojo.launch @kernel ins(%[[B]]
// CHECK-NEXT: dojo.barrier frees(%[[REUSES_B:.*]] :
// CHECK-NEXT: dojo.send "m" %{{.*}} to %[[REUSES_B]] ready 0
func.func @one_for_two() {
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  %c = dojo.alloc {address = 12288 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  %d = dojo.alloc {address = 8208 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  %e = dojo.alloc {address = 16384 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) by #id routine "m"
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%c : !dojo.buffer<tensor<8xf32, #b>>) by #id routine "n"
  dojo.launch @kernel ins(%b : !dojo.buffer<tensor<8xf32, #b>>) outs(%e : !dojo.buffer<tensor<8xf32, #a>>)
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%d : !dojo.buffer<tensor<8xf32, #b>>) by #id routine "m"
  return
}

// The end of a step is before the beginning of the next one: a barrier in every step.
// CHECK-LABEL: func.func @steps
// CHECK: dojo.repeat 3
// CHECK-NEXT: ^bb0(%[[S:.*]]: index):
// CHECK-NEXT: dojo.barrier frees(
// CHECK-NEXT: dojo.send "m" {{.*}} symbol(%[[S]]) ready 0
// CHECK-NEXT: dojo.receive
// CHECK-NEXT: dojo.launch
func.func @steps() {
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  %e = dojo.alloc {address = 16384 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  dojo.repeat 3 {
  ^bb0(%s: index):
    dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) symbol(%s) by #next routine "m"
    dojo.launch @kernel ins(%b : !dojo.buffer<tensor<8xf32, #b>>) outs(%e : !dojo.buffer<tensor<8xf32, #a>>)
    dojo.yield
  }
  return
}

// What stays on its node needs no barrier.
// CHECK-LABEL: func.func @stays
// CHECK-NOT: dojo.barrier
// CHECK: dojo.send "m"
func.func @stays() {
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #a>>) by #id routine "m"
  return
}

// A load is in the air until the drain before the first use; a barrier that does not free its bytes lets it fly.
// CHECK-LABEL: func.func @load
// CHECK: dojo.move ins(%{{.*}}) outs(%[[A:.*]] : {{.*}}) by #{{.*}} routine "load"
// CHECK-NEXT: dojo.barrier frees(%[[C:.*]] :
// CHECK-NEXT: dojo.send
// CHECK-NEXT: dojo.receive
// CHECK-NEXT: dojo.drain
// CHECK-NEXT: dojo.launch @kernel ins() outs(%[[A]]
func.func @load() {
  %in = dojo.get_dram @in : !dojo.buffer<tensor<8xf32, #dojo.dram>>
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %c = dojo.alloc {address = 12288 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  dojo.move ins(%in : !dojo.buffer<tensor<8xf32, #dojo.dram>>) outs(%a : !dojo.buffer<tensor<8xf32, #a>>) by #id routine "load"
  dojo.move ins(%b : !dojo.buffer<tensor<8xf32, #a>>) outs(%c : !dojo.buffer<tensor<8xf32, #b>>) by #id routine "m"
  dojo.launch @kernel ins() outs(%a : !dojo.buffer<tensor<8xf32, #a>>)
  return
}

// One that frees bytes that a push may still be reading comes after a drain.
// CHECK-LABEL: func.func @leaving
// CHECK: dojo.receive "m"
// CHECK-NEXT: dojo.drain
// CHECK-NEXT: dojo.barrier frees(%[[A:.*]] :
// CHECK-NEXT: dojo.send "n" %{{.*}} to %[[A]] ready 0
func.func @leaving() {
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  %c = dojo.alloc {address = 12288 : i64} : !dojo.buffer<tensor<8xf32, #c>>
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) by #id routine "m"
  dojo.move ins(%c : !dojo.buffer<tensor<8xf32, #c>>) outs(%a : !dojo.buffer<tensor<8xf32, #a>>) by #id routine "n"
  return
}

dojo.dram @in "input" : tensor<8xf32>
func.func private @kernel(%a: memref<2xf32>) attributes {dojo.kernel} {
  return
}
}
