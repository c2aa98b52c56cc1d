//===- Passes.td - from scf and arith to d1 -------------------------------===//
#ifndef DOJO_CONVERSION_ARITHTOD1_PASSES_TD
#define DOJO_CONVERSION_ARITHTOD1_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertScfArithToD1 : Pass<"convert-scf-arith-to-d1", "::mlir::func::FuncOp"> {
  let summary = "select instructions for the scalars, loops and calls of routines and entries";
  let description = [{
    In functions marked d1.routine or d1.entry, i64 and i1 become `!d1.x`, arith
    becomes scalar instructions with immediates where they fit, scf.for becomes
    d1.repeat (inside a d1.if unless it surely runs), scf.if becomes d1.if on
    the compared values, a d1.call takes registers.

    A constant that is no immediate stands before the outermost loop around its
    use that calls nothing, else right before its use.

    ```mlir file=count.mlir
    func.func @count(%a: i64) attributes {d1.routine} {
      %c0 = arith.constant 0 : i64
      %c1 = arith.constant 1 : i64
      %c8 = arith.constant 8 : i64
      scf.for %i = %c0 to %c8 step %c1 : i64 {
        %p = arith.addi %a, %i : i64
        d1.stb %i, %p, 0 : (i64, i64) -> ()
      }
      return
    }
    ```
    ```console
    $ dojo-opt count.mlir --convert-scf-arith-to-d1
    ...
        %0 = d1.li 8 : () -> !d1.x
        %1 = d1.li 0 : () -> !d1.x
        %2 = d1.repeat %0, %1 : (!d1.x, !d1.x) -> !d1.x {
        ^bb0(%arg1: !d1.x, %arg2: !d1.x):
          %3 = d1.add %arg0, %arg2 : (!d1.x, !d1.x) -> !d1.x
          d1.stb %arg2, %3, 0 : (!d1.x, !d1.x) -> ()
          %4 = d1.addi %arg2, 1 : (!d1.x) -> !d1.x
          d1.yield %4 : !d1.x
        }
    ...
    ```
  }];
  let dependentDialects = ["::dojo::d1::D1Dialect"];
}

#endif // DOJO_CONVERSION_ARITHTOD1_PASSES_TD
