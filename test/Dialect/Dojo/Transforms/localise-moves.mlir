// RUN: dojo-opt %s --dojo-localise-moves --split-input-file | FileCheck %s

// What each node holds of the source it holds of the destination, with the innermost dimension
// exchanged: the nodes copy. The padding of the destination is left as it is.
// CHECK-LABEL: func.func @local
// CHECK-NOT: dojo.move
// CHECK: dojo.compute ins(%0 : {{.*}}) outs(%1 :
// CHECK-NEXT: ^bb0(%[[IN:.*]]: memref<8x24xf32, strided<[24, 1]>>, %[[OUT:.*]]: memref<24x12xf32, strided<[12, 1]>>):
// CHECK-NEXT: %[[TO:.*]] = memref.subview %[[OUT]][0, 0] [24, 8] [1, 1]
// CHECK-NEXT: linalg.generic
// CHECK-SAME: ins(%[[IN]] : {{.*}}) outs(%[[TO]] :
#rows = #dojo.layout<[32 step 8, 24], x = [d0 : 4]>
#columns = #dojo.layout<[24, 32 step 8 extent 12], x = [d1 : 4]>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
  func.func @local() {
    %a = dojo.alloc : !dojo.buffer<tensor<32x24xf32, #rows>>
    %b = dojo.alloc : !dojo.buffer<tensor<24x32xf32, #columns>>
    dojo.move ins(%a : !dojo.buffer<tensor<32x24xf32, #rows>>) outs(%b : !dojo.buffer<tensor<24x32xf32, #columns>>)
              by affine_map<(d0, d1) -> (d1, d0)>
    return
  }
}

// -----

// A slice of every second column.
// CHECK-LABEL: func.func @slice
// CHECK: memref.subview %{{.*}}[0, 3] [16, 10] [1, 2]
// CHECK-NEXT: linalg.generic
#whole = #dojo.layout<[16, 24]>
#part = #dojo.layout<[16, 10]>
module attributes {dojo.machine = #dojo.machine<"d1-node">} {
  func.func @slice() {
    %a = dojo.alloc : !dojo.buffer<tensor<16x24xf32, #whole>>
    %b = dojo.alloc : !dojo.buffer<tensor<16x10xf32, #part>>
    dojo.move ins(%a : !dojo.buffer<tensor<16x24xf32, #whole>>) outs(%b : !dojo.buffer<tensor<16x10xf32, #part>>)
              by affine_map<(d0, d1) -> (d0, d1 * 2 + 3)>
    return
  }
}

// -----

// Between nodes, or with rows that stay whole, it is a move.
// CHECK-LABEL: func.func @moves
// CHECK-COUNT-2: dojo.move
#spread = #dojo.layout<[32 step 8, 32], x = [d0 : 4]>
#matrices = #dojo.layout<[4, 6, 16]>
#exchanged = #dojo.layout<[6, 4, 16]>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
  func.func @moves() {
    %a = dojo.alloc : !dojo.buffer<tensor<32x32xf32, #spread>>
    %b = dojo.alloc : !dojo.buffer<tensor<32x32xf32, #spread>>
    dojo.move ins(%a : !dojo.buffer<tensor<32x32xf32, #spread>>) outs(%b : !dojo.buffer<tensor<32x32xf32, #spread>>)
              by affine_map<(d0, d1) -> (d1, d0)>
    %c = dojo.alloc : !dojo.buffer<tensor<4x6x16xf32, #matrices>>
    %d = dojo.alloc : !dojo.buffer<tensor<6x4x16xf32, #exchanged>>
    dojo.move ins(%c : !dojo.buffer<tensor<4x6x16xf32, #matrices>>) outs(%d : !dojo.buffer<tensor<6x4x16xf32, #exchanged>>)
              by affine_map<(d0, d1, d2) -> (d1, d0, d2)>
    return
  }
}
