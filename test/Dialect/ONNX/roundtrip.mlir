// RUN: dojo-opt %s --split-input-file | dojo-opt --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @nodes
func.func @nodes(%x: tensor<?x3xf32>, %p: tensor<i1>) -> !onnx.any {
  // CHECK: onnx.none
  %none = onnx.none
  // CHECK: onnx.constant dense<6.000000e+00> : tensor<f32>
  %six = onnx.constant dense<6.0> : tensor<f32>
  // CHECK: onnx.node "Clip"(%{{.*}}, %{{.*}}, %{{.*}}) opset 21 {} : (tensor<?x3xf32>, none, tensor<f32>) -> tensor<?x3xf32>
  %a = onnx.node "Clip"(%x, %none, %six) opset 21 {} : (tensor<?x3xf32>, none, tensor<f32>) -> tensor<?x3xf32>
  // CHECK: onnx.node "Odd"(%{{.*}}) domain "org.example" opset 2 {depth = 3 : i64} : (tensor<?x3xf32>) -> (!onnx.any, tensor<*x!onnx.string>)
  %b:2 = onnx.node "Odd"(%a) domain "org.example" opset 2 {depth = 3 : i64} : (tensor<?x3xf32>) -> (!onnx.any, tensor<*x!onnx.string>)
  // CHECK: onnx.node "If"(%{{.*}}) opset 21 {} bodies ["then_branch", "else_branch"] {
  // CHECK: onnx.yield %{{.*}} : !onnx.any
  %c = onnx.node "If"(%p) opset 21 {} bodies ["then_branch", "else_branch"] {
    onnx.yield %b#0 : !onnx.any
  }, {
    onnx.yield %b#0 : !onnx.any
  } : (tensor<i1>) -> !onnx.any
  return %c : !onnx.any
}

// CHECK-LABEL: func.func @lists
// CHECK-SAME: !onnx.seq<f32>, %{{.*}}: !onnx.optional<!onnx.seq<i64>>
func.func @lists(%s: !onnx.seq<f32>, %o: !onnx.optional<!onnx.seq<i64>>) {
  // CHECK: onnx.node "SequenceLength"(%{{.*}}) opset 21 {} : (!onnx.seq<f32>) -> tensor<i64>
  %n = onnx.node "SequenceLength"(%s) opset 21 {} : (!onnx.seq<f32>) -> tensor<i64>
  return
}
