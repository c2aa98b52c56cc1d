// RUN: dojo-opt %s --dojo-synchronise --verify-diagnostics --split-input-file

#a = #dojo.layout<[8 step 2], x = [d0 : 4]>
#b = #dojo.layout<[8]>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step() {
  %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  // expected-error @+1 {{has no routine; run --convert-moves-to-d1 before}}
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) by affine_map<(d0) -> (d0)>
  return
}
}

// -----

#a = #dojo.layout<[8 step 2], x = [d0 : 4]>
#b = #dojo.layout<[8]>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step() {
  // expected-error @+1 {{has no address; run --dojo-place before}}
  %a = dojo.alloc : !dojo.buffer<tensor<8xf32, #a>>
  %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #b>>
  dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #a>>) outs(%b : !dojo.buffer<tensor<8xf32, #b>>) by affine_map<(d0) -> (d0)> routine "m"
  return
}
}
