// RUN: dojo-opt %s --dojo-place --verify-diagnostics --split-input-file | FileCheck %s

// Two tensors that live together stand apart, behind what is kept for code.
#a = #dojo.layout<[16]>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
// CHECK: dojo.dram @x {{.*}} {address = 0 : i64}
// CHECK: dojo.dram @y {{.*}} {address = 64 : i64}
dojo.dram @x "input" : tensor<4xf32>
dojo.dram @y "output" : tensor<4xf32>
func.func @step() {
  // CHECK: dojo.alloc {address = [[FIRST:[0-9]+]] : i64}
  // CHECK-NOT: address = [[FIRST]] :
  // CHECK: dojo.alloc {address = {{[0-9]+}} : i64}
  %a = dojo.alloc : !dojo.buffer<tensor<16xf32, #a>>
  %b = dojo.alloc : !dojo.buffer<tensor<16xf32, #a>>
  dojo.move ins(%a : !dojo.buffer<tensor<16xf32, #a>>) outs(%b : !dojo.buffer<tensor<16xf32, #a>>) by affine_map<(d0) -> (d0)>
  return
}
}

// -----

#a = #dojo.layout<[4194304]>
// expected-error @+1 {{no room in SRAM}}
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step() {
  %a = dojo.alloc : !dojo.buffer<tensor<4194304xf32, #a>>
  dojo.move ins(%a : !dojo.buffer<tensor<4194304xf32, #a>>) outs(%a : !dojo.buffer<tensor<4194304xf32, #a>>) by affine_map<(d0) -> (d0)>
  return
}
}

// -----

// expected-error @+1 {{the code of 99999999 bytes exceeds}}
module attributes {dojo.machine = #dojo.machine<"d1-mini">, dojo.code_bytes = 99999999 : i64} {
}

// -----

// expected-error @+1 {{has no dojo.machine attribute}}
module {
}
