// RUN: dojo-opt %s --d1-fold-offsets --cse | FileCheck %s

// CHECK-LABEL: func @r
// CHECK-SAME: %[[A:.*]]: i64, %[[I:.*]]: i64
func.func @r(%a: i64, %i: i64) attributes {d1.routine} {
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %c8192 = arith.constant 8192 : i64
  // CHECK: %[[SCALED:.*]] = arith.muli %[[I]], %{{.*}}
  %next = arith.addi %i, %c1 : i64
  %scaled = arith.muli %next, %c64 : i64
  // CHECK: %[[P:.*]] = arith.addi %[[A]], %[[SCALED]]
  %p = arith.addi %a, %scaled : i64
  // CHECK: d1.vld %[[P]], 64
  %0 = d1.vld %p, 0 : (i64) -> !d1.v
  // CHECK: d1.vst %{{.*}}, %[[P]], 80
  d1.vst %0, %p, 16 : (!d1.v, i64) -> ()
  // Beyond the immediate the sum stays.
  // CHECK: %[[FAR:.*]] = arith.addi %[[A]], %{{.*}}
  // CHECK: d1.vst %{{.*}}, %[[FAR]], 0
  %far = arith.addi %a, %c8192 : i64
  d1.vst %0, %far, 0 : (!d1.v, i64) -> ()
  // CHECK: d1.vst1 %{{.*}}, %[[A]], 8188
  d1.vst1 %0, %far, -4 : (!d1.v, i64) -> ()
  return
}
