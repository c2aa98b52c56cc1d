// RUN: dojo-opt %s | dojo-opt | FileCheck %s

#rows = #dojo.layout<[64, 32 step 8 offset -1 window 10 extent 16], y = [d1 : 4], x = 0, order = [1, 0]>
#cols = #dojo.layout<[64 step 16, 32], x = [d0 : 4]>

// CHECK-DAG: #[[COLS:layout[0-9]*]] = #dojo.layout<[64 step 16, 32], x = [d0 : 4]>
// CHECK-DAG: #[[ROWS:layout[0-9]*]] = #dojo.layout<[64, 32 step 8 offset -1 window 10 extent 16], y = [d1 : 4], x = 0, order = [1, 0]>

// CHECK: dojo.mapping = #dojo.mapping<y = [d0 : 4], x = [d1 : 2, d0 : 2], steps = [d2 : 64], inner = d1, tile = [d0 : 8]>
module attributes {dojo.machine = #dojo.machine<"d1-mini">,
                   dojo.mapping = #dojo.mapping<y = [d0 : 4], x = [d1 : 2, d0 : 2], steps = [d2 : 64], inner = d1, tile = [d0 : 8]>} {
// CHECK: dojo.dram @x "input"("pixels") : tensor<64x32xf32>
dojo.dram @x "input"("pixels") : tensor<64x32xf32>

// CHECK-LABEL: func @values
func.func @values() {
  %x = dojo.get_dram @x : tensor<64x32xf32, #dojo.dram>
  // CHECK: dojo.empty : tensor<64x32xf32, #[[COLS]]>
  %e = dojo.empty : tensor<64x32xf32, #cols>
  %a = dojo.move ins(%x : tensor<64x32xf32, #dojo.dram>) outs(%e : tensor<64x32xf32, #cols>)
    by affine_map<(d0, d1) -> (d0, d1)> -> tensor<64x32xf32, #cols>
  // CHECK: dojo.empty : tensor<64x32xf32, #[[ROWS]]>
  %f = dojo.empty : tensor<64x32xf32, #rows>
  %b = dojo.move ins(%a : tensor<64x32xf32, #cols>) outs(%f : tensor<64x32xf32, #rows>)
    by affine_map<(d0, d1) -> (d0, d1)> -> tensor<64x32xf32, #rows>
  %c = dojo.repeat 4 init(%b : tensor<64x32xf32, #rows>) {
  ^bb0(%s: index, %acc: tensor<64x32xf32, #rows>):
    %d = dojo.compute ins() outs(%acc : tensor<64x32xf32, #rows>) {
    ^bb1(%l: tensor<64x16xf32>):
      dojo.yield %l : tensor<64x16xf32>
    } -> tensor<64x32xf32, #rows>
    dojo.yield %d : tensor<64x32xf32, #rows>
  } -> tensor<64x32xf32, #rows>
  return
}
}
