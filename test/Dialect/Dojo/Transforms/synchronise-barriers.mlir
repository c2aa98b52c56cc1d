// RUN: dojo-opt %s --dojo-synchronise --verify-diagnostics --split-input-file | FileCheck %s

// The third move needs no barrier for its destination, and gets one because both semaphores are taken.
#a = #dojo.layout<[8 step 2], x = [d0 : 4]>
#b = #dojo.layout<[8]>
module attributes {dojo.machine = #dojo.machine<"{\22base\22: \22d1-mini\22, \22semaphores\22: 2}">} {
// CHECK-LABEL: func.func @step
func.func @step() {
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  %c = dojo.alloc {address = 12288 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  %d = dojo.alloc {address = 16384 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  // CHECK: dojo.barrier frees(%[[B:.*]], %[[C:.*]] :
  // CHECK: dojo.send "m" {{.*}} ready 0
  // CHECK: dojo.send "m" {{.*}} ready 1
  // CHECK: dojo.barrier frees(
  // CHECK-NEXT: dojo.send "m" {{.*}} ready 0
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) by affine_map<(d0) -> (d0)> routine "m"
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%c : !dojo.buffer<tensor<8xf32, #b>>) by affine_map<(d0) -> (d0)> routine "m"
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%d : !dojo.buffer<tensor<8xf32, #b>>) by affine_map<(d0) -> (d0)> routine "m"
  return
}
}

// -----

#a = #dojo.layout<[8 step 2], x = [d0 : 4]>
#b = #dojo.layout<[8]>
module attributes {dojo.machine = #dojo.machine<"{\22base\22: \22d1-mini\22, \22semaphores\22: 1}">} {
func.func @step() {
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  // expected-error @+1 {{needs 2 semaphores at once, the machine has 1; cut it into fewer moves}}
  dojo.repeat 3 {
  ^bb0(%s: index):
    dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) by affine_map<(d0) -> (d0)> routine "m"
    dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) by affine_map<(d0) -> (d0)> routine "m"
    dojo.yield
  }
  return
}
}
