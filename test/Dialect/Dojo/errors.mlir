// RUN: dojo-opt %s --verify-diagnostics --split-input-file

// expected-error @+1 {{role is input, output, count, constant, state or scratch, found 'weights'}}
dojo.dram @x "weights" : tensor<4xf32>

// -----

// expected-error @+1 {{a constant needs a value}}
dojo.dram @x "constant" : tensor<4xf32>

// -----

// expected-error @+1 {{only a constant has a value}}
dojo.dram @x "input" = dense<0.0> : tensor<4xf32> : tensor<4xf32>

// -----

// expected-error @+1 {{value has type 'tensor<4xf32>', expected 'tensor<8xf32>'}}
dojo.dram @x "constant" = dense<0.0> : tensor<4xf32> : tensor<8xf32>

// -----

#a = #dojo.layout<[8 step 2], x = [d0 : 4]>
func.func @reshape(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{needs two spread tensors, or two in DRAM, of the same elements}}
  %b = dojo.reshape %a : tensor<8xf32, #a> -> tensor<8xbf16, #a>
  return
}

// -----

#a = #dojo.layout<[8 step 2], x = [d0 : 4]>
#b = #dojo.layout<[8]>
func.func @reshape(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{a node holds 8 bytes of the source and 32 of the result}}
  %b = dojo.reshape %a : tensor<8xf32, #a> -> tensor<8xf32, #b>
  return
}

// -----

#a = #dojo.layout<[8]>
func.func @move(%a: tensor<8xf32, #a>, %b: tensor<8xbf16, #a>) {
  // expected-error @+1 {{moves elements of one type, found 'f32' and 'bf16'}}
  %c = dojo.move ins(%a : tensor<8xf32, #a>) outs(%b : tensor<8xbf16, #a>) by affine_map<(d0) -> (d0)> -> tensor<8xbf16, #a>
  return
}

// -----

#a = #dojo.layout<[8]>
func.func @move(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{the result has the type of the destination tensor}}
  dojo.move ins(%a : tensor<8xf32, #a>) outs(%a : tensor<8xf32, #a>) by affine_map<(d0) -> (d0)>
  return
}

// -----

#a = #dojo.layout<[8]>
func.func @move(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{the map takes an index of the destination}}
  %c = dojo.move ins(%a : tensor<8xf32, #a>) outs(%a : tensor<8xf32, #a>) by affine_map<(d0, d1) -> (d0)> -> tensor<8xf32, #a>
  return
}

// -----

#a = #dojo.layout<[8]>
#b = #dojo.layout<[8, 8]>
func.func @move(%a: tensor<8xf32, #a>, %b: tensor<8x8xf32, #b>) {
  // expected-error @+1 {{each source dimension may depend on one destination dimension, linearly}}
  %c = dojo.move ins(%a : tensor<8xf32, #a>) outs(%b : tensor<8x8xf32, #b>) by affine_map<(d0, d1) -> (d0 + d1)> -> tensor<8x8xf32, #b>
  return
}

// -----

func.func @move(%a: tensor<8xf32, #dojo.dram>) {
  // expected-error @+1 {{not from DRAM to DRAM}}
  %c = dojo.move ins(%a : tensor<8xf32, #dojo.dram>) outs(%a : tensor<8xf32, #dojo.dram>) by affine_map<(d0) -> (d0)> -> tensor<8xf32, #dojo.dram>
  return
}

// -----

#a = #dojo.layout<[8]>
func.func @move(%a: tensor<8xf32>, %b: tensor<8xf32, #a>) {
  // expected-error @+1 {{needs a layout or #dojo.dram on 'tensor<8xf32>'}}
  %c = dojo.move ins(%a : tensor<8xf32>) outs(%b : tensor<8xf32, #a>) by affine_map<(d0) -> (d0)> -> tensor<8xf32, #a>
  return
}

// -----

#a = #dojo.layout<[8], x = 0>
func.func @broadcast(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{axis is dy, dx, y or x, found 'z'}}
  %b = dojo.broadcast %a along "z" : tensor<8xf32, #a> -> tensor<8xf32, #a>
  return
}

// -----

#a = #dojo.layout<[8]>
func.func @broadcast(%a: tensor<8xf32>) {
  // expected-error @+1 {{needs a layout on its source and its result}}
  %b = dojo.broadcast %a along "x" : tensor<8xf32> -> tensor<8xf32, #a>
  return
}

// -----

#a = #dojo.layout<[8], x = 0>
func.func @broadcast(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{the result must repeat on axis x}}
  %b = dojo.broadcast %a along "x" : tensor<8xf32, #a> -> tensor<8xf32, #a>
  return
}

// -----

#a = #dojo.layout<[8]>
func.func @broadcast(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{the source must be pinned on axis x}}
  %b = dojo.broadcast %a along "x" : tensor<8xf32, #a> -> tensor<8xf32, #a>
  return
}

// -----

#a = #dojo.layout<[8], y = 0, x = 0>
#b = #dojo.layout<[8]>
func.func @broadcast(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{source and result differ elsewhere than on axis x}}
  %b = dojo.broadcast %a along "x" : tensor<8xf32, #a> -> tensor<8xf32, #b>
  return
}

// -----

#a = #dojo.layout<[8]>
func.func @gather(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{axis is dy, dx, y or x, found 'z'}}
  %b = dojo.all_gather %a along "z" : tensor<8xf32, #a> -> tensor<8xf32, #a>
  return
}

// -----

#a = #dojo.layout<[8]>
func.func @gather(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{the source must be spread over axis x}}
  %b = dojo.all_gather %a along "x" : tensor<8xf32, #a> -> tensor<8xf32, #a>
  return
}

// -----

#a = #dojo.layout<[8 step 2], x = [d0 : 4]>
#b = #dojo.layout<[16]>
func.func @gather(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{source and result differ in shape}}
  %b = dojo.all_gather %a along "x" : tensor<8xf32, #a> -> tensor<16xf32, #b>
  return
}

// -----

#a = #dojo.layout<[4 step 1, 8], x = [d0 : 4]>
#b = #dojo.layout<[4]>
func.func @reduce(%a: tensor<4x8xf32, #a>) {
  // expected-error @+1 {{the result is the source without its first dimension}}
  %b = dojo.reduce %a : tensor<4x8xf32, #a> -> tensor<4xf32, #b> {
  ^bb0(%x: f32, %y: f32):
    %z = arith.addf %x, %y : f32
    dojo.yield %z : f32
  }
  return
}

// -----

#a = #dojo.layout<[4 step 1, 8], x = [d0 : 4]>
#b = #dojo.layout<[8]>
func.func @reduce(%a: tensor<4x8xf32, #a>) {
  // expected-error @+1 {{the combiner takes two elements of the source}}
  %b = dojo.reduce %a : tensor<4x8xf32, #a> -> tensor<8xf32, #b> {
  ^bb0(%x: f32):
    %z = arith.addf %x, %x : f32
    dojo.yield %z : f32
  }
  return
}

// -----

#a = #dojo.layout<[4 step 1, 8], x = [d0 : 4]>
#b = #dojo.layout<[8]>
func.func @reduce(%a: tensor<4x8xf32, #a>) {
  // expected-error @+1 {{the combiner is one of addf, mulf, maximumf, minimumf, addi, maxsi, minsi}}
  %b = dojo.reduce %a : tensor<4x8xf32, #a> -> tensor<8xf32, #b> {
  ^bb0(%x: f32, %y: f32):
    %z = arith.subf %x, %y : f32
    dojo.yield %z : f32
  }
  return
}

// -----

#a = #dojo.layout<[8]>
func.func @compute(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{has 1 operands and 0 block arguments}}
  %b = dojo.compute ins() outs(%a : tensor<8xf32, #a>) {
    %c = arith.constant dense<0.0> : tensor<8xf32>
    dojo.yield %c : tensor<8xf32>
  } -> tensor<8xf32, #a>
  return
}

// -----

func.func @compute(%a: tensor<8xf32>) {
  // expected-error @+1 {{needs a layout on 'tensor<8xf32>'}}
  %b = dojo.compute ins() outs(%a : tensor<8xf32>) {
  ^bb0(%l: tensor<8xf32>):
    dojo.yield %l : tensor<8xf32>
  } -> tensor<8xf32>
  return
}

// -----

#a = #dojo.layout<[8 step 2], x = [d0 : 4]>
func.func @compute(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{block argument 0 is 'tensor<8xf32>', expected the 2 elements of a piece, such as 'tensor<2xf32>'}}
  %b = dojo.compute ins() outs(%a : tensor<8xf32, #a>) {
  ^bb0(%l: tensor<8xf32>):
    dojo.yield %l : tensor<8xf32>
  } -> tensor<8xf32, #a>
  return
}

// -----

#a = #dojo.layout<[8]>
#b = #dojo.layout<[8], x = 0>
func.func @compute(%a: tensor<8xf32, #a>) {
  // expected-error @+1 {{yields one tensor for each output, of its type}}
  %b = dojo.compute ins() outs(%a : tensor<8xf32, #a>) {
  ^bb0(%l: tensor<8xf32>):
    dojo.yield %l : tensor<8xf32>
  } -> tensor<8xf32, #b>
  return
}

// -----

func.func @repeat() {
  // expected-error @+1 {{count is at least 1}}
  dojo.repeat 0 {
  ^bb0(%s: index):
    dojo.yield
  }
  return
}

// -----

func.func @repeat() {
  // expected-error @+1 {{the body takes the step as an index and the carried values}}
  dojo.repeat 2 {
  ^bb0(%s: i64):
    dojo.yield
  }
  return
}

// -----

// expected-error @+1 {{expected a dimension or iterator such as d0}}
#m = #dojo.mapping<x = [k : 4]>

// -----

// expected-error @+1 {{expected an axis (dy, dx, y, x), steps, inner or tile, found 'z'}}
#m = #dojo.mapping<z = [d0 : 4]>

// -----

// expected-error @+1 {{expected an axis (dy, dx, y, x) or order, found 'z'}}
#l = #dojo.layout<[8], z = 0>

// -----

// expected-error @+1 {{an axis can be pinned to coordinate 0 only}}
#l = #dojo.layout<[8], x = 1>

// -----

#l = #dojo.layout<[8]>
func.func @launch() {
  %a = dojo.alloc : !dojo.buffer<tensor<8xf32, #l>>
  // expected-error @+1 {{reads a buffer that is also its output; kernels do not compute in place}}
  dojo.launch @k ins(%a : !dojo.buffer<tensor<8xf32, #l>>) outs(%a : !dojo.buffer<tensor<8xf32, #l>>)
  return
}

// -----

func.func @repeat() {
  // expected-error @+1 {{slots are 1 or 2, found 3}}
  dojo.repeat 2 slots 3 {
  ^bb0(%s: index):
    dojo.yield
  }
  return
}

// -----

#l = #dojo.layout<[8]>
func.func @launch() {
  %a = dojo.alloc : !dojo.buffer<tensor<8xf32, #l>>
  // expected-error @+1 {{writes one buffer as two outputs}}
  dojo.launch @k ins() outs(%a, %a : !dojo.buffer<tensor<8xf32, #l>>, !dojo.buffer<tensor<8xf32, #l>>)
  return
}

// -----

#a = #dojo.layout<[8]>
func.func @move(%a: tensor<8xf32, #a>, %i: index, %j: index) {
  %n = affine.apply affine_map<(d0, d1) -> (d0 + d1)>(%i, %j)
  // expected-error @+1 {{the symbol is the step of a dojo.repeat, an affine.apply of it to one number, or a constant}}
  %c = dojo.move ins(%a : tensor<8xf32, #a>) outs(%a : tensor<8xf32, #a>) symbol(%n) by affine_map<(d0)[s0] -> (d0 + s0)> -> tensor<8xf32, #a>
  return
}

// -----

func.func @reshape(%a: tensor<8xf32, #dojo.dram>) {
  // expected-error @+1 {{needs two spread tensors, or two in DRAM, of the same elements}}
  %b = dojo.reshape %a : tensor<8xf32, #dojo.dram> -> tensor<8xf32, #dojo.layout<[8]>>
  return
}
