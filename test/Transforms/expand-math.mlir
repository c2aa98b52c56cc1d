// RUN: dojo-opt %s --dojo-expand-math --split-input-file --verify-diagnostics | FileCheck %s
// RUN: %python %S/Inputs/sweep.py 8209

// What a node computes by itself stays.
// CHECK-LABEL: @native
// CHECK: math.sqrt
// CHECK: math.fma
// CHECK: math.roundeven
func.func @native(%x: f32) -> f32 {
  %a = math.sqrt %x : f32
  %b = math.fma %a, %x, %x : f32
  %c = math.roundeven %b : f32
  return %c : f32
}

// CHECK-LABEL: @rsqrt
// CHECK-NEXT: %[[ONE:.*]] = arith.constant 1.0
// CHECK-NEXT: %[[ROOT:.*]] = math.sqrt %arg0
// CHECK-NEXT: arith.divf %[[ONE]], %[[ROOT]]
func.func @rsqrt(%x: f32) -> f32 {
  %r = math.rsqrt %x : f32
  return %r : f32
}

// A square needs no logarithm.
// CHECK-LABEL: @square
// CHECK: %[[SQUARE:.*]] = arith.mulf %arg0, %arg0
// CHECK-NEXT: return %[[SQUARE]]
func.func @square(%x: f32) -> f32 {
  %two = arith.constant 2.0 : f32
  %r = math.powf %x, %two : f32
  return %r : f32
}

// CHECK-LABEL: @narrow
// CHECK: arith.extf %arg0 : bf16 to f32
// CHECK: arith.truncf {{.*}} : f32 to bf16
// CHECK-NOT: math.exp
func.func @narrow(%x: bf16) -> bf16 {
  %r = math.exp %x : bf16
  return %r : bf16
}

// CHECK-LABEL: @unsigned
// CHECK: %[[WIDE:.*]] = arith.extui %arg0 : i1 to i32
// CHECK: arith.sitofp %[[WIDE]] : i32 to f32
func.func @unsigned(%x: i1) -> f32 {
  %r = arith.uitofp %x : i1 to f32
  return %r : f32
}

// CHECK-LABEL: @to_bf16
// CHECK: %[[WIDE:.*]] = arith.sitofp %arg0 : i32 to f32
// CHECK: arith.truncf %[[WIDE]] : f32 to bf16
func.func @to_bf16(%x: i32) -> bf16 {
  %r = arith.sitofp %x : i32 to bf16
  return %r : bf16
}

// -----

func.func @unknown(%x: i32) -> i32 {
  // expected-error@+1 {{'math.ctpop' op on 'i32' has no expansion into the arithmetic of a node; lower it to operations that have one before this pass}}
  %r = math.ctpop %x : i32
  return %r : i32
}
