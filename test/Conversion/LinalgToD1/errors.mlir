// RUN: dojo-opt %s --dojo-set-target --convert-kernels-to-d1 --split-input-file --verify-diagnostics

// expected-error @+1 {{is not a kernel: expected one block and no results}}
func.func private @declared(memref<4xf32>) attributes {dojo.kernel}

// -----

// expected-error @+1 {{is not a kernel: expected memref arguments, found 'f32'}}
func.func private @scalar(%a: f32) attributes {dojo.kernel} {
  return
}

// -----

func.func private @foreign(%a: memref<4xf32>) attributes {dojo.kernel} {
  // expected-error @+1 {{stands in a kernel, which holds structured operations, views and constants}}
  %b = memref.alloc() : memref<4xf32>
  return
}

// -----

func.func private @dynamic(%a: memref<?xf32>) attributes {dojo.kernel} {
  %zero = arith.constant 0.0 : f32
  // expected-error @+1 {{operand #1 has type 'memref<?xf32>'; kernels need static shapes and strides}}
  linalg.fill ins(%zero : f32) outs(%a : memref<?xf32>)
  return
}

// -----

func.func private @element(%a: memref<4xf64>) attributes {dojo.kernel} {
  %zero = arith.constant 0.0 : f64
  // expected-error @+1 {{operand #0 has element type 'f64'; kernels compute on f32, bf16, i32, i16, i8 and i1}}
  linalg.fill ins(%zero : f64) outs(%a : memref<4xf64>)
  return
}

// -----

func.func private @poison(%a: memref<4xf32>) attributes {dojo.kernel} {
  %p = ub.poison : f32
  // expected-error @+1 {{operand #0 is a scalar that is not a constant; pass it as a buffer}}
  linalg.fill ins(%p : f32) outs(%a : memref<4xf32>)
  return
}

// -----

func.func private @division(%a: memref<4xf32>, %b: memref<8xf32>) attributes {dojo.kernel} {
  // expected-error @+1 {{operand #0 has the map affine_map<(d0) -> (d0 floordiv 2)>, which is not linear; rewrite it as an operation with one iterator for each part of the index}}
  linalg.generic {indexing_maps = [affine_map<(i)->(i floordiv 2)>, affine_map<(i)->(i)>], iterator_types = ["parallel"]}
    ins(%a : memref<4xf32>) outs(%b : memref<8xf32>) {
  ^bb0(%x: f32, %o: f32):
    linalg.yield %x : f32
  }
  return
}

// -----

func.func private @scan(%a: memref<4xf32>, %b: memref<4xf32>) attributes {dojo.kernel} {
  // expected-error @+1 {{has an output that depends on reduction iterator 0; make the iterator parallel}}
  linalg.generic {indexing_maps = [affine_map<(i)->(i)>, affine_map<(i)->(i)>], iterator_types = ["reduction"]}
    ins(%a : memref<4xf32>) outs(%b : memref<4xf32>) {
  ^bb0(%x: f32, %o: f32):
    linalg.yield %x : f32
  }
  return
}

// -----

func.func private @wide(%a: memref<4xi32>, %b: memref<4xi32>) attributes {dojo.kernel} {
  linalg.generic {indexing_maps = [affine_map<(i)->(i)>, affine_map<(i)->(i)>], iterator_types = ["parallel"]}
    ins(%a : memref<4xi32>) outs(%b : memref<4xi32>) {
  ^bb0(%x: i32, %o: i32):
    // expected-error @+1 {{in the body of a kernel has type 'i64', which has no lanes; use f32, bf16, i32, i16, i8 or i1}}
    %w = arith.extsi %x : i32 to i64
    %r = arith.trunci %w : i64 to i32
    linalg.yield %r : i32
  }
  return
}

// -----

func.func private @exponential(%a: memref<4xf32>, %b: memref<4xf32>) attributes {dojo.kernel} {
  linalg.generic {indexing_maps = [affine_map<(i)->(i)>, affine_map<(i)->(i)>], iterator_types = ["parallel"]}
    ins(%a : memref<4xf32>) outs(%b : memref<4xf32>) {
  ^bb0(%x: f32, %o: f32):
    // expected-error @+1 {{'math.exp' op in the body of a kernel has no lane instructions; expand it into arith operations}}
    %r = math.exp %x : f32
    linalg.yield %r : f32
  }
  return
}
