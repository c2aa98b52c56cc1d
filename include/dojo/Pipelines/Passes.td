//===- Passes.td - what holds the pipeline together -----------------------===//
#ifndef DOJO_PIPELINES_PASSES_TD
#define DOJO_PIPELINES_PASSES_TD

include "mlir/Pass/PassBase.td"

def GenerateCode : Pass<"d1-generate-code", "::mlir::ModuleOp"> {
  let summary = "take routines and entries through the d1 back end, each once";
  let description = [{
    Runs the pipeline d1-backend on every function marked d1.routine or d1.entry that has not been
    through it, and marks it `d1.allocated`. Routines go first, before placement; entries after it.
  }];
  let dependentDialects = ["::dojo::d1::D1Dialect"];
}

def BoundCode : Pass<"dojo-bound-code", "::mlir::ModuleOp"> {
  let summary = "the bytes placement keeps for code";
  let description = [{
    Sets `dojo.code_bytes`: the exact bytes of the routines, which have their registers, and a bound
    for the entries, whose constants depend on addresses still to be chosen.
  }];
}

#endif // DOJO_PIPELINES_PASSES_TD
