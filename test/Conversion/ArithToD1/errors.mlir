// RUN: dojo-opt %s --convert-scf-arith-to-d1 --split-input-file --verify-diagnostics

// expected-error@+1 {{'many' takes 13 arguments; a routine takes 12 at most}}
func.func @many(%0: i64, %1: i64, %2: i64, %3: i64, %4: i64, %5: i64, %6: i64, %7: i64, %8: i64,
                %9: i64, %10: i64, %11: i64, %12: i64) attributes {d1.routine} {
  return
}

// -----

// expected-error@+1 {{'step' takes 1 arguments; an entry takes none}}
func.func @step(%a: i64) attributes {d1.entry} {
  return
}

// -----

// expected-error@+1 {{'r' takes an argument of type 'f32'; arguments are i64}}
func.func @r(%a: f32) attributes {d1.routine} {
  return
}

// -----

// expected-error@+1 {{'r' returns values; routines and entries return nothing}}
func.func @r(%a: i64) -> i64 attributes {d1.routine} {
  return %a : i64
}

// -----

func.func @r(%a: i64) attributes {d1.routine} {
  cf.br ^next
^next:
  return
}
// expected-error@-5 {{'r' must be one block of scf}}

// -----

func.func @r(%a: f32) attributes {d1.entry} {
  return
}
// expected-error@-3 {{'r' takes 1 arguments; an entry takes none}}

// -----

func.func @r() attributes {d1.routine} {
  %c = arith.constant 1.0 : f32
  // expected-error@+1 {{'arith.addf' op has no instruction on D1 for these types; d1 code is made of scf.for, scf.if, calls, arith on i64, and d1 instructions}}
  %0 = arith.addf %c, %c : f32
  return
}

// -----

func.func @r(%n: i64) attributes {d1.routine} {
  %c1 = arith.constant 1 : i64
  // expected-error@+1 {{'scf.for' op must count in i64 and compare signed to become d1 code}}
  scf.for unsigned %i = %c1 to %n step %c1 : i64 {
  }
  return
}

// -----

func.func @k() attributes {d1.routine} {
  return
}
func.func @r() attributes {d1.routine} {
  // expected-error@+1 {{'d1.call' op stands in routine 'r'; a routine calls nothing, so inline 'k' or call it from an entry}}
  d1.call @k() : () -> ()
  return
}

// -----

func.func private @k(i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64)
    attributes {d1.routine}
func.func @step() attributes {d1.entry} {
  %0 = arith.constant 0 : i64
  // expected-error@+1 {{'d1.call' op passes 13 arguments; a call passes 12 at most}}
  d1.call @k(%0, %0, %0, %0, %0, %0, %0, %0, %0, %0, %0, %0, %0)
    : (i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64) -> ()
  return
}
