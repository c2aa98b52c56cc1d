//===- Passes.td - kernels to routines ------------------------------------===//
#ifndef DOJO_CONVERSION_LINALGTOD1_PASSES_TD
#define DOJO_CONVERSION_LINALGTOD1_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertKernelsToD1 : Pass<"convert-kernels-to-d1", "::mlir::ModuleOp"> {
  let summary = "kernels on local buffers become routines of D1 instructions";
  let description = [{
    Each `func.func` with `dojo.kernel`, whose body is structured operations on
    static strided memrefs, becomes a routine: one i64 byte address for each
    buffer, loops of scf on i64, instructions of d1. Attributes say what was made:
    `d1.unit` is the unit that does the arithmetic (`matrix`, `simd`, or `scalar`
    for one lane at a time), `d1.macs` the multiply-accumulates of one call.

    Only interfaces of structured operations are asked, never their names. Every
    operand's address is linear in the iterators; so a loop nest is a set of
    pointers, each advanced by a constant at the end of each loop.
  }];
  let dependentDialects = ["::dojo::d1::D1Dialect", "::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect", "::mlir::func::FuncDialect",
                           "::dojo::ir::DojoDialect"];
}

#endif // DOJO_CONVERSION_LINALGTOD1_PASSES_TD
