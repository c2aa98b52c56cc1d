// RUN: dojo-opt %s --convert-program-to-d1 --verify-diagnostics --split-input-file | FileCheck %s

// The table lists the lives of buffers by marks: what `init` fills never ends, other buffers live
// from before their first use to behind their last.
// CHECK: dojo.buffers = [
// CHECK-SAME: {address = 8192 : i64, begin = 0 : i64, end = -1 : i64, entry = "init", name = "w", size = 8 : i64}
// CHECK-SAME: {address = 4096 : i64, begin = 1 : i64, end = 2 : i64, entry = "step", name = "{{.*}}", size = 32 : i64}
#a = #dojo.layout<[8 step 2], x = [d0 : 4], y = 0>
#b = #dojo.layout<[8]>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
// CHECK-NOT: dojo.resident
dojo.resident @w : !dojo.buffer<tensor<8xf32, #a>> {address = 8192 : i64}

// Kernels run on the nodes that hold a block of their first output: y = 0, all four x.
// CHECK-LABEL: func.func @init() attributes {d1.entry}
// CHECK: d1.mark 0
// CHECK: %[[Y:.*]] = d1.coord 2
// CHECK: %[[HOLDS:.*]] = arith.cmpi slt, %[[Y]], %{{.*}}
// CHECK: scf.if %[[HOLDS]] {
// CHECK: %[[W:.*]] = arith.constant 8192 : i64
// CHECK: d1.call @fill(%[[W]])
// CHECK-NOT: d1.mark
// CHECK: return
func.func @init() {
  %w = dojo.get_resident @w : !dojo.buffer<tensor<8xf32, #a>>
  dojo.launch @fill ins() outs(%w : !dojo.buffer<tensor<8xf32, #a>>)
  return
}

// CHECK-LABEL: func.func @step() attributes {d1.entry}
// CHECK: d1.mark 1
// CHECK: d1.barrier
// CHECK: d1.call @m_send(
// CHECK: d1.call @m_receive(
// CHECK: d1.mark 2
// CHECK: d1.drain
func.func @step() {
  %w = dojo.get_resident @w : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  dojo.barrier frees(%b : !dojo.buffer<tensor<8xf32, #b>>)
  dojo.send "m" %w to %b ready 0 : !dojo.buffer<tensor<8xf32, #a>> to !dojo.buffer<tensor<8xf32, #b>>
  dojo.receive "m" %w to %b ready 0 : !dojo.buffer<tensor<8xf32, #a>> to !dojo.buffer<tensor<8xf32, #b>>
  dojo.drain
  return
}
func.func private @fill(%a: i64) attributes {d1.routine} {
  return
}
func.func private @m_send(%a: i64, %b: i64, %c: i64, %d: i64) attributes {d1.routine} {
  return
}
func.func private @m_receive(%a: i64) attributes {d1.routine} {
  return
}
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step() {
  // expected-error @+1 {{is not part of a synchronised program}}
  %c = arith.constant 1 : i64
  return
}
}
