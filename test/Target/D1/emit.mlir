// RUN: dojo-opt %s --d1-backend | dojo-translate --d1-to-assembly | FileCheck %s

// One word closes a counted loop; the branch of a guard is the opposite one.
// CHECK: sum:
// CHECK-NEXT: li x2, 0
// CHECK-NEXT: bge x0, x11, [[END:L.*]]
// CHECK-NEXT: [[BODY:L.*]]:
// CHECK-NEXT: ldd x3, x10, 8
// CHECK-NEXT: add x2, x2, x3
// CHECK-NEXT: bdnz x11, [[BODY]]
// CHECK-NEXT: [[END]]:
// CHECK-NEXT: std x2, x10, 0
// CHECK-NEXT: jalr x0, x1, 0
func.func @sum(%a: i64, %n: i64) attributes {d1.routine} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %s = scf.for %i = %c0 to %n step %c1 iter_args(%t = %c0) -> (i64) : i64 {
    %x = d1.ldd %a, 8 : (i64) -> i64
    %u = arith.addi %t, %x : i64
    scf.yield %u : i64
  }
  d1.std %s, %a, 0 : (i64, i64) -> ()
  return
}

// CHECK: step:
// CHECK-NEXT: li x10, 4096
// CHECK-NEXT: li x11, 3
// CHECK-NEXT: jal x1, sum
// CHECK-NEXT: mark5:
// CHECK-NEXT: coord x2, 3
// CHECK-NEXT: beq x2, x0, [[HERE:L.*]]
// CHECK-NEXT: drain
// CHECK-NEXT: [[HERE]]:
// CHECK-NEXT: halt
func.func @step() attributes {d1.entry} {
  %c0 = arith.constant 0 : i64
  %c3 = arith.constant 3 : i64
  %c4096 = arith.constant 4096 : i64
  d1.call @sum(%c4096, %c3) : (i64, i64) -> ()
  d1.mark 5
  %x = d1.coord 3 : () -> i64
  %is = arith.cmpi eq, %x, %c0 : i64
  scf.if %is {
  } else {
    d1.drain
  }
  return
}
