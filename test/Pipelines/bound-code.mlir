// RUN: dojo-opt %s --d1-generate-code --dojo-bound-code | FileCheck %s

// A routine counts its exact words, an entry a bound: with nothing to do, its frame of 16 words.
// The routine is one addition, one store and the return.
// CHECK: dojo.code_bytes = 76 : i64
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step() {
  return
}
func.func private @add(%a: i64, %b: i64) attributes {d1.routine} {
  %c = arith.addi %a, %b : i64
  d1.std %c, %a, 0 : (i64, i64) -> ()
  return
}
}
