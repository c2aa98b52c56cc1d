// RUN: dojo-opt %s --d1-schedule --split-input-file --verify-diagnostics | FileCheck %s

// Four sums hide the latency of an addition: the loads of the next iteration
// issue among the additions of this one, one vector a cycle.
// CHECK-LABEL: func @sum
// CHECK-SAME: d1.schedule = "overlapped"
// CHECK-COUNT-4: d1.vld
// CHECK: %[[N:.*]] = d1.li 7 :
// CHECK: d1.repeat %[[N]]
// CHECK-SAME: d1.interval = 4 : i64, d1.recurrence_bound = 4 : i64, d1.resource_bound = 4 : i64, d1.stages = 2 : i64
// CHECK-COUNT-4: d1.vld
// CHECK: d1.yield
// CHECK-NOT: d1.vld
// CHECK-COUNT-4: d1.vadd
func.func @sum(%a: !d1.x, %c: !d1.x, %z: !d1.v) attributes {d1.routine, d1.disjoint} {
  %n = d1.li 8 : () -> !d1.x
  %r:5 = d1.repeat %n, %a, %z, %z, %z, %z : (!d1.x, !d1.x, !d1.v, !d1.v, !d1.v, !d1.v) -> (!d1.x, !d1.v, !d1.v, !d1.v, !d1.v) {
  ^bb0(%left: !d1.x, %at: !d1.x, %s0: !d1.v, %s1: !d1.v, %s2: !d1.v, %s3: !d1.v):
    %x0 = d1.vld %at, 0 : (!d1.x) -> !d1.v
    %t0 = d1.vadd %s0, %x0 : (!d1.v, !d1.v) -> !d1.v
    %x1 = d1.vld %at, 64 : (!d1.x) -> !d1.v
    %t1 = d1.vadd %s1, %x1 : (!d1.v, !d1.v) -> !d1.v
    %x2 = d1.vld %at, 128 : (!d1.x) -> !d1.v
    %t2 = d1.vadd %s2, %x2 : (!d1.v, !d1.v) -> !d1.v
    %x3 = d1.vld %at, 192 : (!d1.x) -> !d1.v
    %t3 = d1.vadd %s3, %x3 : (!d1.v, !d1.v) -> !d1.v
    %next = d1.addi %at, 256 : (!d1.x) -> !d1.x
    d1.yield %next, %t0, %t1, %t2, %t3 : !d1.x, !d1.v, !d1.v, !d1.v, !d1.v
  }
  d1.vst %r#1, %c, 0 : (!d1.v, !d1.x) -> ()
  d1.vst %r#2, %c, 64 : (!d1.v, !d1.x) -> ()
  d1.vst %r#3, %c, 128 : (!d1.v, !d1.x) -> ()
  d1.vst %r#4, %c, 192 : (!d1.v, !d1.x) -> ()
  return
}

// -----

// Without the promise that arguments are disjoint, a load of the next iteration
// waits for the store of this one.
// CHECK-LABEL: func @copy
// CHECK: d1.repeat
// CHECK-SAME: d1.interval = 5 : i64, d1.recurrence_bound = 5 : i64, d1.resource_bound = 1 : i64, d1.stages = 2 : i64
func.func @copy(%a: !d1.x, %c: !d1.x) attributes {d1.routine} {
  %n = d1.li 8 : () -> !d1.x
  %r:2 = d1.repeat %n, %a, %c : (!d1.x, !d1.x, !d1.x) -> (!d1.x, !d1.x) {
  ^bb0(%left: !d1.x, %from: !d1.x, %to: !d1.x):
    %x = d1.vld %from, 0 : (!d1.x) -> !d1.v
    d1.vst %x, %to, 0 : (!d1.v, !d1.x) -> ()
    %f = d1.addi %from, 64 : (!d1.x) -> !d1.x
    %t = d1.addi %to, 64 : (!d1.x) -> !d1.x
    d1.yield %f, %t : !d1.x, !d1.x
  }
  return
}

// -----

// Stores of one buffer at distances that do not meet change places with loads;
// one that meets does not.
// CHECK-LABEL: func @line
// CHECK: d1.vld %arg0, 0
// CHECK: d1.vld %arg0, 192
// CHECK: d1.vst %{{.*}}, %arg0, 64
// CHECK: d1.vld %arg0, 96
func.func @line(%a: !d1.x) attributes {d1.routine} {
  %x = d1.vld %a, 0 : (!d1.x) -> !d1.v
  d1.vst %x, %a, 64 : (!d1.v, !d1.x) -> ()
  %b = d1.addi %a, 96 : (!d1.x) -> !d1.x
  %y = d1.vld %a, 96 : (!d1.x) -> !d1.v
  %z = d1.vld %a, 192 : (!d1.x) -> !d1.v
  d1.vst %y, %b, 256 : (!d1.v, !d1.x) -> ()
  d1.vst %z, %b, 320 : (!d1.v, !d1.x) -> ()
  return
}

// -----

// Entries are left as they are.
// CHECK-LABEL: func @entry
// CHECK-NOT: d1.schedule
func.func @entry() attributes {d1.entry} {
  return
}

// -----

// What a loop carries stays in one accumulator: its next value starts when the rows of
// the one before are read, though it has the longest way to go.
// CHECK-LABEL: func @bank
// CHECK-SAME: d1.schedule = "overlapped"
// CHECK: d1.mzero
// CHECK: d1.repeat
// CHECK: d1.repeat
// CHECK-NOT: d1.mzero
// CHECK: d1.mread %{{.*}}, 1
// CHECK: d1.mzero
func.func @bank(%c: !d1.x, %v: !d1.v) attributes {d1.routine} {
  %n = d1.li 4 : () -> !d1.x
  %first = d1.mzero : () -> !d1.a
  %r = d1.repeat %n, %first : (!d1.x, !d1.a) -> (!d1.a) {
  ^bb0(%left: !d1.x, %old: !d1.a):
    %m = d1.li 8 : () -> !d1.x
    %sum = d1.repeat %m, %old : (!d1.x, !d1.a) -> (!d1.a) {
    ^bb0(%steps: !d1.x, %t: !d1.a):
      %u = d1.mmul %t, %v, %v : (!d1.a, !d1.v, !d1.v) -> !d1.a
      d1.yield %u : !d1.a
    }
    %x = d1.mread %sum, 0 : (!d1.a) -> !d1.v
    d1.vst %x, %c, 0 : (!d1.v, !d1.x) -> ()
    %y = d1.mread %sum, 1 : (!d1.a) -> !d1.v
    d1.vst %y, %c, 64 : (!d1.v, !d1.x) -> ()
    %start = d1.mzero : () -> !d1.a
    %next = d1.mmul %start, %v, %v : (!d1.a, !d1.v, !d1.v) -> !d1.a
    d1.yield %next : !d1.a
  }
  return
}

// -----

// A loop of unknown count does not overlap: an iteration ends with its addition, which
// waits for the load.
// CHECK-LABEL: func @unknown
// CHECK-SAME: d1.checked = 0 : i64
// CHECK: d1.repeat
// CHECK-SAME: d1.interval = 5 : i64, d1.recurrence_bound = 4 : i64, d1.resource_bound = 1 : i64, d1.stages = 1 : i64
func.func @unknown(%a: !d1.x, %n: !d1.x, %z: !d1.v) attributes {d1.routine} {
  %r:2 = d1.repeat %n, %a, %z : (!d1.x, !d1.x, !d1.v) -> (!d1.x, !d1.v) {
  ^bb0(%left: !d1.x, %at: !d1.x, %sum: !d1.v):
    %x = d1.vld %at, 0 : (!d1.x) -> !d1.v
    %next = d1.addi %at, 64 : (!d1.x) -> !d1.x
    %more = d1.vadd %sum, %x : (!d1.v, !d1.v) -> !d1.v
    d1.yield %next, %more : !d1.x, !d1.v
  }
  d1.vst %r#1, %a, 0 : (!d1.v, !d1.x) -> ()
  return
}
