// RUN: dojo-opt %s --convert-scf-arith-to-d1 | FileCheck %s

// CHECK-LABEL: func @immediates
// CHECK-SAME: %[[A:.*]]: !d1.x, %[[B:.*]]: !d1.x
func.func @immediates(%a: i64, %b: i64) attributes {d1.routine} {
  %c5 = arith.constant 5 : i64
  %c8 = arith.constant 8 : i64
  %c8191 = arith.constant 8191 : i64
  %c8192 = arith.constant 8192 : i64
  // CHECK: d1.addi %[[A]], 8191
  %0 = arith.addi %a, %c8191 : i64
  // CHECK: %[[C:.*]] = d1.li 8192
  // CHECK: d1.add %[[A]], %[[C]]
  %1 = arith.addi %a, %c8192 : i64
  // CHECK: d1.addi %[[A]], -8192
  %2 = arith.subi %a, %c8192 : i64
  // CHECK: d1.muli %[[A]], 5
  %3 = arith.muli %a, %c5 : i64
  // CHECK: d1.shli %[[A]], 3
  %4 = arith.muli %a, %c8 : i64
  // CHECK: %[[SIGN:.*]] = d1.sari %[[A]], 63
  // CHECK: %[[BIAS:.*]] = d1.shri %[[SIGN]], 61
  // CHECK: %[[SUM:.*]] = d1.add %[[A]], %[[BIAS]]
  // CHECK: d1.sari %[[SUM]], 3
  %5 = arith.divsi %a, %c8 : i64
  // CHECK: d1.sari %[[A]], 3
  %6 = arith.floordivsi %a, %c8 : i64
  // CHECK: d1.min %[[A]], %[[B]]
  %7 = arith.minsi %a, %b : i64
  // CHECK: d1.slti %[[A]], 5
  %8 = arith.cmpi slt, %a, %c5 : i64
  %9 = arith.extui %8 : i1 to i64
  d1.std %9, %b, 0 : (i64, i64) -> ()
  return
}

// A coordinate is never negative, so its remainder is a mask.
// CHECK-LABEL: func @known_ranges
func.func @known_ranges(%p: i64) attributes {d1.routine} {
  %c8 = arith.constant 8 : i64
  // CHECK: %[[X:.*]] = d1.coord 3
  %x = d1.coord 3 : () -> i64
  // CHECK: d1.sari %[[X]], 3
  %0 = arith.divsi %x, %c8 : i64
  // CHECK: d1.andi %[[X]], 7
  %1 = arith.remsi %x, %c8 : i64
  // CHECK: d1.rem
  %2 = arith.remsi %p, %c8 : i64
  return
}

// CHECK-LABEL: func @constants
func.func @constants(%p: i64) attributes {d1.routine} {
  // CHECK: %[[ZERO:.*]] = d1.zero
  %c0 = arith.constant 0 : i64
  %far = arith.constant 0x123456789abcdef1 : i64
  %bit = arith.constant 0x4000000000000000 : i64
  // CHECK: d1.std %[[ZERO]]
  d1.std %c0, %p, 0 : (i64, i64) -> ()
  // CHECK: %[[A:.*]] = d1.li 18
  // CHECK: %[[B:.*]] = d1.lis %[[A]], 3349
  // CHECK: %[[C:.*]] = d1.lis %[[B]], 10121
  // CHECK: %[[D:.*]] = d1.lis %[[C]], 10995
  // CHECK: %[[E:.*]] = d1.lis %[[D]], 7921
  // CHECK: d1.std %[[E]]
  d1.std %far, %p, 8 : (i64, i64) -> ()
  // CHECK: %[[ONE:.*]] = d1.li 1
  // CHECK: d1.shli %[[ONE]], 62
  d1.std %bit, %p, 16 : (i64, i64) -> ()
  return
}

// CHECK-LABEL: func @choices
// CHECK-SAME: %[[A:.*]]: !d1.x, %[[B:.*]]: !d1.x
func.func @choices(%a: i64, %b: i64) attributes {d1.routine} {
  %c0 = arith.constant 0 : i64
  %c3 = arith.constant 3 : i64
  %c7 = arith.constant 7 : i64
  // CHECK: %[[LESS:.*]] = d1.slt %[[A]], %[[B]]
  %less = arith.cmpi slt, %a, %b : i64
  // CHECK: %[[FOUR:.*]] = d1.shli %{{.*}}, 2
  // CHECK: d1.addi %[[FOUR]], 3
  %0 = arith.select %less, %c7, %c3 : i64
  // CHECK: %[[MASK:.*]] = d1.sub %{{.*}}, %{{.*}}
  // CHECK: d1.and %[[A]], %[[MASK]]
  %1 = arith.select %less, %a, %c0 : i64
  // CHECK: d1.xor
  // CHECK: d1.and
  // CHECK: d1.xor
  %2 = arith.select %less, %a, %b : i64
  return
}
