// RUN: dojo-opt %s --convert-scf-arith-to-d1 | FileCheck %s

// CHECK-LABEL: func @counted
func.func @counted(%a: i64) attributes {d1.routine} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c3 = arith.constant 3 : i64
  %c8 = arith.constant 8 : i64
  // An unused induction variable takes no register.
  // CHECK: %[[N:.*]] = d1.li 8
  // CHECK: d1.repeat %[[N]] : (!d1.x) -> ()
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    d1.drain
  }
  // CHECK: %[[N:.*]] = d1.li 3
  // CHECK: %[[LOW:.*]] = d1.li 0
  // CHECK: d1.repeat %[[N]], %[[LOW]]
  // CHECK: %[[NEXT:.*]] = d1.addi %{{.*}}, 3
  // CHECK: d1.yield %[[NEXT]]
  scf.for %i = %c0 to %c8 step %c3 : i64 {
    d1.std %i, %a, 0 : (i64, i64) -> ()
  }
  return
}

// CHECK-LABEL: func @guarded
// CHECK-SAME: %[[LOW:.*]]: !d1.x, %[[HIGH:.*]]: !d1.x
func.func @guarded(%low: i64, %high: i64) attributes {d1.routine} {
  %c4 = arith.constant 4 : i64
  // CHECK: d1.if lt %[[LOW]], %[[HIGH]]
  // CHECK: %[[SPAN:.*]] = d1.sub %[[HIGH]], %[[LOW]]
  // CHECK: %[[UP:.*]] = d1.addi %[[SPAN]], 3
  // CHECK: %[[N:.*]] = d1.sari %[[UP]], 2
  // CHECK: d1.repeat %[[N]]
  scf.for %i = %low to %high step %c4 : i64 {
    d1.drain
  }
  return
}

// Constants leave the loops that call nothing.
// CHECK-LABEL: func @step
func.func @step() attributes {d1.entry} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  %c9000 = arith.constant 9000 : i64
  // CHECK: d1.repeat
  scf.for %i = %c0 to %c2 step %c1 : i64 {
    // CHECK: %[[C:.*]] = d1.li 9000
    // CHECK: d1.repeat
    scf.for %j = %c0 to %c2 step %c1 : i64 {
      // CHECK-NOT: d1.li
      // CHECK: d1.add %{{.*}}, %[[C]]
      %p = arith.addi %j, %c9000 : i64
      d1.std %i, %p, 0 : (i64, i64) -> ()
    }
    // CHECK: d1.li 9000
    // CHECK: d1.call @counted
    d1.call @counted(%c9000) : (i64) -> ()
    d1.mark 7
  }
  return
}

// CHECK-LABEL: func @branches
// CHECK-SAME: %[[A:.*]]: !d1.x, %[[B:.*]]: !d1.x
func.func @branches(%a: i64, %b: i64) attributes {d1.routine} {
  // CHECK-NOT: d1.slt
  %greater = arith.cmpi sgt, %a, %b : i64
  // CHECK: %[[R:.*]] = d1.if lt %[[B]], %[[A]]
  %r = scf.if %greater -> (i64) {
    // CHECK: d1.yield %[[A]]
    scf.yield %a : i64
  } else {
    // CHECK: d1.yield %[[B]]
    scf.yield %b : i64
  }
  d1.std %r, %a, 0 : (i64, i64) -> ()
  return
}
