// RUN: dojo-opt %s --split-input-file --verify-diagnostics | dojo-opt --split-input-file | FileCheck %s

// CHECK-LABEL: func @r
func.func @r(%n: !d1.x, %a: !d1.x) attributes {d1.routine} {
  // CHECK: %[[Z:.*]] = d1.zero : <0>
  %z = d1.zero : !d1.x<0>
  // CHECK: %{{.*}}:2 = d1.repeat %{{.*}}, %{{.*}}, %{{.*}} : (!d1.x, !d1.x, !d1.x) -> (!d1.x, !d1.x) {
  // CHECK: ^bb0(%{{.*}}: !d1.x, %{{.*}}: !d1.x, %{{.*}}: !d1.x):
  %r:2 = d1.repeat %n, %a, %n : (!d1.x, !d1.x, !d1.x) -> (!d1.x, !d1.x) {
  ^bb0(%left: !d1.x, %p: !d1.x, %q: !d1.x):
    // CHECK: d1.if lt %[[Z]], %{{.*}} : (!d1.x<0>, !d1.x) -> !d1.x {
    %s = d1.if lt %z, %p : (!d1.x<0>, !d1.x) -> !d1.x {
      d1.yield %q : !d1.x
    // CHECK: } else {
    } else {
      d1.yield %p : !d1.x
    }
    d1.yield %s, %p : !d1.x, !d1.x
  }
  return
}
func.func @step() attributes {d1.entry} {
  %a = d1.li 64 : () -> !d1.x
  // CHECK: d1.call @r(%{{.*}}, %{{.*}}) : (!d1.x, !d1.x) -> ()
  d1.call @r(%a, %a) : (!d1.x, !d1.x) -> ()
  // CHECK: d1.mark 3
  d1.mark 3
  return
}

// -----

func.func @r() {
  // expected-error@+1 {{'d1.zero' op gives register x0, so its type is !d1.x<0>}}
  %z = d1.zero : !d1.x<4>
  return
}

// -----

func.func @r(%n: !d1.x<5>, %a: !d1.x<6>) {
  // expected-error@+1 {{'d1.repeat' op carries its values in one register each, but its inits and results differ in type}}
  %r = d1.repeat %n, %a : (!d1.x<5>, !d1.x<6>) -> !d1.x<7> {
  ^bb0(%left: !d1.x<5>, %p: !d1.x<6>):
    d1.yield %p : !d1.x<6>
  }
  return
}

// -----

func.func @r(%n: !d1.x<5>) {
  // expected-error@+1 {{'d1.repeat' op has a body whose arguments are not the count and the inits by type}}
  d1.repeat %n : (!d1.x<5>) -> () {
  ^bb0(%left: !d1.x<6>):
    d1.yield
  }
  return
}

// -----

func.func @r(%n: !d1.x<5>, %a: !d1.x<6>) {
  // expected-error@+1 {{'d1.repeat' op has a body that does not yield the types of its results}}
  %r = d1.repeat %n, %a : (!d1.x<5>, !d1.x<6>) -> !d1.x<6> {
  ^bb0(%left: !d1.x<5>, %p: !d1.x<6>):
    d1.yield %left : !d1.x<5>
  }
  return
}

// -----

func.func @r(%n: !d1.x, %v: !d1.v) {
  // expected-error@+1 {{'d1.if' op has a branch that does not yield the types of its results}}
  %r = d1.if eq %n, %n : (!d1.x, !d1.x) -> !d1.x {
    d1.yield %v : !d1.v
  } else {
    d1.yield %n : !d1.x
  }
  return
}

// -----

func.func @r(%n: !d1.x) {
  return
}
func.func @step() attributes {d1.entry} {
  // expected-error@+1 {{'d1.call' op calls 'r', which is no function marked d1.routine}}
  d1.call @r() : () -> ()
  return
}

// -----

func.func @r(%n: !d1.x) attributes {d1.routine} {
  return
}
func.func @step() attributes {d1.entry} {
  // expected-error@+1 {{'d1.call' op passes 0 arguments to 'r', which takes 1}}
  d1.call @r() : () -> ()
  return
}
