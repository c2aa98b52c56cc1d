// RUN: dojo-opt %s --dojo-partition --verify-diagnostics --split-input-file

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  // expected-error @+1 {{has no dojo.mapping; run --dojo-select-mapping before}}
  %r = linalg.exp ins(%a : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<8x8xf32>, %c: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error @+1 {{mapping splits a reduction whose init is not a linalg.fill}}
  %r = linalg.matmul {dojo.mapping = #dojo.mapping<x = [d2 : 4]>} ins(%a, %a : tensor<8x8xf32>, tensor<8x8xf32>) outs(%c : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
ml_program.global private mutable @g : tensor<8xf32>
func.func @step() -> tensor<8xf32> {
  // expected-error @+1 {{reads a global that init does not store}}
  %a = ml_program.global_load @g : tensor<8xf32>
  return %a : tensor<8xf32>
}
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{is not of the structured level}}
  %r = arith.addf %a, %a : tensor<8xf32>
  return %r : tensor<8xf32>
}
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  // expected-error @+1 {{mapping cuts iterator d2 of 8 into 9 blocks}}
  %r = linalg.matmul {dojo.mapping = #dojo.mapping<y = [d2 : 3], x = [d2 : 3]>} ins(%a, %a : tensor<8x8xf32>, tensor<8x8xf32>) outs(%f : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}
}

// -----

#rows = affine_map<(d0, d1) -> (d0, d1)>
#sum = affine_map<(d0, d1) -> (d0)>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<8x8xf32>) -> tensor<8xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  // expected-error @+1 {{mapping steps of 3 do not divide iterator d1 of 8, and only a contraction or a lookup can pad its reduction}}
  %r = linalg.generic {indexing_maps = [#rows, #sum], iterator_types = ["parallel", "reduction"],
                       dojo.mapping = #dojo.mapping<y = [d0 : 4], steps = [d1 : 3]>}
      ins(%a : tensor<8x8xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%x: f32, %o: f32):
    %s = arith.addf %o, %x : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}
}

// -----

#rows = affine_map<(d0, d1) -> (d0, d1)>
#sum = affine_map<(d0, d1) -> (d0)>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<8x8xf32>) -> tensor<8xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  // expected-error @+1 {{mapping must cut reduction iterator d1 of 8 into equal blocks without padding}}
  %r = linalg.generic {indexing_maps = [#rows, #sum], iterator_types = ["parallel", "reduction"],
                       dojo.mapping = #dojo.mapping<x = [d1 : 3]>}
      ins(%a : tensor<8x8xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%x: f32, %o: f32):
    %s = arith.addf %o, %x : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}
}

// -----

#rows = affine_map<(d0, d1) -> (d0, d1)>
#sum = affine_map<(d0, d1) -> (d0)>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<8x8xf32>) -> tensor<8xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  // expected-error @+1 {{mapping splits a reduction that is not one associative operation}}
  %r = linalg.generic {indexing_maps = [#rows, #sum], iterator_types = ["parallel", "reduction"],
                       dojo.mapping = #dojo.mapping<x = [d1 : 4]>}
      ins(%a : tensor<8x8xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%x: f32, %o: f32):
    %twice = arith.addf %o, %o : f32
    %s = arith.addf %twice, %x : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  // expected-error @+1 {{storage is dram, or absent for SRAM, found "disk"}}
  %r = linalg.exp {dojo.mapping = #dojo.mapping<x = [d0 : 4]>, dojo.storage = "disk"} ins(%a : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @init() {
  %w = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  ml_program.global_store @g = %w : tensor<2xf32>
  return
}
// expected-error @+1 {{storage is dram, or absent for SRAM, found "tape"}}
ml_program.global private mutable @g : tensor<2xf32> {dojo.storage = "tape"}
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
// expected-error @+1 {{argument 1 is 'f32', expected a tensor}}
func.func @step(%a: tensor<8xf32>, %b: f32) {
  return
}
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
// expected-error @+1 {{storage is dram, or absent for SRAM, found "disk"}}
ml_program.global private mutable @g : tensor<8xf32> {dojo.storage = "disk"}
func.func @step(%a: tensor<8xf32>) {
  ml_program.global_store @g = %a : tensor<8xf32>
  return
}
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %e = tensor.empty() : tensor<8x8xf32>
  // expected-error @+1 {{mapping steps through iterators d0 and d1, and one at most is cut in time}}
  %r = linalg.exp {dojo.mapping = #dojo.mapping<steps = [d0 : 4, d1 : 4]>} ins(%a : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}
}

// -----

#map = affine_map<(d0) -> (d0)>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step() -> tensor<8xi32> {
  %e = tensor.empty() : tensor<8xi32>
  // expected-error @+1 {{mapping steps through iterator d0, whose position the body reads}}
  %r = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel"]} outs(%e : tensor<8xi32>) attrs = {dojo.mapping = #dojo.mapping<steps = [d0 : 4]>} {
  ^bb0(%o: i32):
    %i = linalg.index 0 : index
    %c = arith.index_cast %i : index to i32
    linalg.yield %c : i32
  } -> tensor<8xi32>
  return %r : tensor<8xi32>
}
}

// -----

module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
// expected-error @+1 {{result 0 has extents array<i64: 1, 1>, expected pairs of a dimension and the number of a result of type tensor<i32>}}
func.func @step(%a: tensor<8xf32>, %n: tensor<i32>) -> (tensor<8xf32> {dojo.extents = array<i64: 1, 1>}, tensor<i32>) {
  return %a, %n : tensor<8xf32>, tensor<i32>
}
}
