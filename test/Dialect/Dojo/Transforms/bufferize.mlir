// RUN: dojo-opt %s --dojo-bufferize --verify-diagnostics --split-input-file | FileCheck %s

#a = #dojo.layout<[8 step 2], x = [d0 : 4]>
#b = #dojo.layout<[8]>
// CHECK-LABEL: func @step
func.func @step() {
  // CHECK: %[[A:.*]] = dojo.alloc
  // CHECK: %[[B:.*]] = dojo.alloc
  // CHECK: dojo.move ins(%[[A]] {{.*}} outs(%[[B]]
  %a = dojo.empty : tensor<8xf32, #a>
  %b = dojo.empty : tensor<8xf32, #b>
  %c = dojo.move ins(%a : tensor<8xf32, #a>) outs(%b : tensor<8xf32, #b>) by affine_map<(d0) -> (d0)> -> tensor<8xf32, #b>
  return
}

// -----

#a = #dojo.layout<[8]>
ml_program.global private mutable @g : tensor<8xf32, #a>
func.func @step() {
  // expected-error @+1 {{reads a global that nothing stores}}
  %a = ml_program.global_load @g : tensor<8xf32, #a>
  return
}

// -----

#a = #dojo.layout<[8]>
func.func @step() {
  %a = dojo.empty : tensor<8xf32, #a>
  // expected-error @+1 {{yields a tensor that was not computed in its output}}
  %b = dojo.compute ins() outs(%a : tensor<8xf32, #a>) {
  ^bb0(%l: tensor<8xf32>):
    %e = tensor.empty() : tensor<8xf32>
    dojo.yield %e : tensor<8xf32>
  } -> tensor<8xf32, #a>
  return
}

// -----

#a = #dojo.layout<[8]>
func.func @step() {
  %a = dojo.empty : tensor<8xf32, #a>
  // expected-error @+1 {{carries a tensor that is not updated in place}}
  %b = dojo.repeat 2 init(%a : tensor<8xf32, #a>) {
  ^bb0(%s: index, %c: tensor<8xf32, #a>):
    %d = dojo.empty : tensor<8xf32, #a>
    dojo.yield %d : tensor<8xf32, #a>
  } -> tensor<8xf32, #a>
  return
}

// -----

func.func @step() {
  // expected-error @+1 {{has no memory; expected the dojo dialect}}
  %a = tensor.empty() : tensor<8xf32>
  return
}
