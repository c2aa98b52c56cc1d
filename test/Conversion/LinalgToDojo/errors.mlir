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
