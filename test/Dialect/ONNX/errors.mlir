// RUN: dojo-opt %s --split-input-file --verify-diagnostics

func.func @unnamed_body(%p: tensor<i1>) {
  // expected-error @+1 {{names 2 bodies and has 1}}
  onnx.node "If"(%p) opset 21 {} bodies ["then_branch", "else_branch"] {
    onnx.yield
  } : (tensor<i1>) -> ()
  return
}

// -----

func.func @no_yield(%p: tensor<i1>) {
  // expected-error @+1 {{needs bodies of one block that ends in 'onnx.yield'}}
  onnx.node "If"(%p) opset 21 {} bodies ["then_branch"] {
    func.return
  } : (tensor<i1>) -> ()
  return
}
