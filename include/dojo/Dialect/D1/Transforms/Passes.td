//===- Passes.td - passes on the d1 dialect -------------------------------===//
#ifndef DOJO_DIALECT_D1_TRANSFORMS_PASSES_TD
#define DOJO_DIALECT_D1_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def D1FoldOffsets : Pass<"d1-fold-offsets", "::mlir::func::FuncOp"> {
  let summary = "move constant summands of addresses into the immediates of loads and stores";
  let description = [{
    Before instruction selection, on arith: constants are moved outward through
    sums and products by constants, ((x + c) * k + y = (x * k + y) + c * k), and a
    load or store takes the last one as far as its immediate holds it.

    ```mlir file=offsets.mlir
    func.func @load(%a: i64) -> !d1.v {
      %c64 = arith.constant 64 : i64
      %p = arith.addi %a, %c64 : i64
      %v = d1.vld %p, 0 : (i64) -> !d1.v
      return %v : !d1.v
    }
    ```
    ```console
    $ dojo-opt offsets.mlir --d1-fold-offsets | grep vld
        ... = d1.vld %arg0, 64 : (i64) -> !d1.v
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def D1Schedule : Pass<"d1-schedule", "::mlir::func::FuncOp"> {
  let summary = "order instructions by the cycles in which they issue, and overlap iterations";
  let description = [{
    Routines only, on d1 code before registers are allocated. An innermost loop with a constant
    count becomes a loop in which several iterations are under way, and the code before and behind
    it that starts and ends them; it bears the cycles between two iterations, `d1.interval`, their
    lower bounds by slots and ports, `d1.resource_bound`, and by latency around a circle,
    `d1.recurrence_bound`, and how many iterations overlap, `d1.stages`: 1 for an innermost loop that
    stays as it is. Straight lines are list-scheduled. Each schedule passes the checker; `d1.checked`
    counts them. Calls, marks, loops, and what sends or waits keep their places.

    Allocation does not spill, so that the order must leave it enough registers: the function bears
    as `d1.schedule` the first of these efforts with which it succeeds: "overlapped", "tight" and "tighter"
    (some scalar and vector registers are left alone), "line" (no loop overlaps), "program order".

    ```mlir
    %r:2 = d1.repeat %n, %p, %zero : (!d1.x, !d1.x, !d1.v) -> (!d1.x, !d1.v) {
    ^bb0(%left: !d1.x, %at: !d1.x, %sum: !d1.v):
      %x = d1.vld %at, 0 : (!d1.x) -> !d1.v
      %next = d1.addi %at, 64 : (!d1.x) -> !d1.x
      %more = d1.vadd %sum, %x : (!d1.v, !d1.v) -> !d1.v
      d1.yield %next, %more : !d1.x, !d1.v
    }
    ```
    loads the next vector while it adds the last one.
  }];
  let dependentDialects = ["::dojo::d1::D1Dialect"];
  let options = [Option<"machine", "machine", "std::string", [{"d1-die"}],
                        "a preset, a machine file or its text: slots, ports and latencies">];
}

def D1AllocateRegisters : Pass<"d1-allocate-registers", "::mlir::func::FuncOp"> {
  let summary = "give every value its register, without spilling";
  let description = [{
    Copies stand first wherever two values must share a register; those whose
    sides can share one as well are removed again. Accumulators cannot be
    copied. Constants, coordinates and zeroed accumulators are computed again
    next to their uses where registers are short. A routine that still needs
    more registers than there are is refused, with the place and the number.

    ```mlir file=registers.mlir
    func.func @product(%a: !d1.x) attributes {d1.routine} {
      %zero = d1.mzero : () -> !d1.a
      %l = d1.vld %a, 0 : (!d1.x) -> !d1.v
      %r = d1.vld %a, 64 : (!d1.x) -> !d1.v
      %m = d1.mmul %zero, %l, %r : (!d1.a, !d1.v, !d1.v) -> !d1.a
      %rows = d1.mread %m, 0 : (!d1.a) -> !d1.v
      d1.vst %rows, %a, 0 : (!d1.v, !d1.x) -> ()
      return
    }
    ```
    ```console
    $ dojo-opt registers.mlir --d1-allocate-registers | grep mmul
        ... = d1.mmul ... : (!d1.a<0>, !d1.v<0>, !d1.v<1>) -> !d1.a<0>
    ```
  }];
  let dependentDialects = ["::dojo::d1::D1Dialect"];
}

#endif // DOJO_DIALECT_D1_TRANSFORMS_PASSES_TD
