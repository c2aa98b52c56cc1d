//===- Passes.td - what holds the pipeline together -----------------------===//
#ifndef DOJO_PIPELINES_PASSES_TD
#define DOJO_PIPELINES_PASSES_TD

include "mlir/Pass/PassBase.td"

def BoundCode : Pass<"dojo-bound-code", "::mlir::ModuleOp"> {
  let summary = "the bytes placement keeps for code";
  let description = [{
    Sets `dojo.code_bytes`: the exact bytes of the routines, which have their registers, and a bound
    for the entries, whose constants depend on addresses still to be chosen.
  }];
}

#endif // DOJO_PIPELINES_PASSES_TD
