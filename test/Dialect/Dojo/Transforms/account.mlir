// RUN: dojo-opt %s --dojo-account | FileCheck %s

// Input and output have 128 bytes each, moved once. In each of 3 steps one node sends its quarter to the
// three others of the row: 3 x 3 x 32, and of the four copies that are wanted the source can have one in place. The buffers
// end at 4160; the bound is the reserved bytes and both buffers.
// CHECK: dojo.figures = {dram_bound_bytes = 256 : i64, dram_bytes = 256 : i64
// CHECK-SAME: noc_bytes = 288 : i64, nodes_used = 4 : i64
// CHECK-SAME: sram_peak_bytes = 4160 : i64
#spread = #dojo.layout<[32 step 8], x = [d0 : 4], y = 0>
#piece = #dojo.layout<[8], y = 0>
#row = #dojo.layout<[8]>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
dojo.dram @in "input" : tensor<32xf32>
dojo.dram @out "output" : tensor<32xf32>
func.func @step() {
  %in = dojo.get_dram @in : !dojo.buffer<tensor<32xf32, #dojo.dram>>
  %out = dojo.get_dram @out : !dojo.buffer<tensor<32xf32, #dojo.dram>>
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<32xf32, #spread>>
  %b = dojo.alloc {address = 4128 : i64} : !dojo.buffer<tensor<8xf32, #piece>>
  dojo.move ins(%in : !dojo.buffer<tensor<32xf32, #dojo.dram>>) outs(%a : !dojo.buffer<tensor<32xf32, #spread>>) by affine_map<(d0) -> (d0)>
  dojo.launch @kernel ins() outs(%a : !dojo.buffer<tensor<32xf32, #spread>>)
  dojo.repeat 3 {
  ^bb0(%s: index):
    dojo.move ins(%a : !dojo.buffer<tensor<32xf32, #spread>>) outs(%b : !dojo.buffer<tensor<8xf32, #piece>>) symbol(%s) by affine_map<(d0)[s0] -> (d0 + s0 * 8)>
    dojo.yield
  }
  dojo.move ins(%a : !dojo.buffer<tensor<32xf32, #spread>>) outs(%out : !dojo.buffer<tensor<32xf32, #dojo.dram>>) by affine_map<(d0) -> (d0)>
  return
}
func.func private @kernel(%a: memref<8xf32>) attributes {dojo.kernel} {
  return
}
}
