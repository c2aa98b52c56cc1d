// RUN: dojo-opt %s --dojo-outline-kernels | FileCheck %s

// Equal bodies on equal pieces are one kernel, whatever their buffers and where they lie; another
// piece is another kernel. A kernel is named after the last structured op it runs.
#x = #dojo.layout<[32 step 8], x = [d0 : 4]>
#y = #dojo.layout<[32 step 8], y = [d0 : 4]>
#half = #dojo.layout<[32 step 16], x = [d0 : 2]>

// CHECK-LABEL: func.func @step
// CHECK-NOT: dojo.compute
// CHECK: %[[A:.*]] = dojo.alloc
// CHECK: %[[A_OUT:.*]] = dojo.alloc
// CHECK: %[[B:.*]] = dojo.alloc
// CHECK: %[[B_OUT:.*]] = dojo.alloc
// CHECK: %[[C:.*]] = dojo.alloc
// CHECK: %[[C_OUT:.*]] = dojo.alloc
// CHECK: dojo.launch @exp_0 ins(%[[A]] : {{.*}}) outs(%[[A_OUT]] :
// CHECK: dojo.launch @exp_0 ins(%[[B]] : {{.*}}) outs(%[[B_OUT]] :
// CHECK: dojo.launch @exp_1 ins(%[[C]] : {{.*}}) outs(%[[C_OUT]] :
// CHECK: func.func private @exp_0(%{{.*}}: memref<8xf32>, %{{.*}}: memref<8xf32>) attributes {dojo.kernel}
// CHECK-NEXT: linalg.exp
// CHECK-NEXT: return
// CHECK: func.func private @exp_1(%{{.*}}: memref<16xf32>, %{{.*}}: memref<16xf32>) attributes {dojo.kernel}
// CHECK-NOT: @exp_2
func.func @step() {
  %a = dojo.alloc : !dojo.buffer<tensor<32xf32, #x>>
  %a_out = dojo.alloc : !dojo.buffer<tensor<32xf32, #x>>
  %b = dojo.alloc : !dojo.buffer<tensor<32xf32, #y>>
  %b_out = dojo.alloc : !dojo.buffer<tensor<32xf32, #y>>
  %c = dojo.alloc : !dojo.buffer<tensor<32xf32, #half>>
  %c_out = dojo.alloc : !dojo.buffer<tensor<32xf32, #half>>
  dojo.compute ins(%a : !dojo.buffer<tensor<32xf32, #x>>) outs(%a_out : !dojo.buffer<tensor<32xf32, #x>>) {
  ^bb0(%in: memref<8xf32>, %out: memref<8xf32>):
    linalg.exp ins(%in : memref<8xf32>) outs(%out : memref<8xf32>)
    dojo.yield
  }
  dojo.compute ins(%b : !dojo.buffer<tensor<32xf32, #y>>) outs(%b_out : !dojo.buffer<tensor<32xf32, #y>>) {
  ^bb0(%in: memref<8xf32>, %out: memref<8xf32>):
    linalg.exp ins(%in : memref<8xf32>) outs(%out : memref<8xf32>)
    dojo.yield
  }
  dojo.compute ins(%c : !dojo.buffer<tensor<32xf32, #half>>) outs(%c_out : !dojo.buffer<tensor<32xf32, #half>>) {
  ^bb0(%in: memref<16xf32>, %out: memref<16xf32>):
    linalg.exp ins(%in : memref<16xf32>) outs(%out : memref<16xf32>)
    dojo.yield
  }
  return
}
