//===- Passes.td - what holds the pipeline together -----------------------===//
#ifndef DOJO_PIPELINES_PASSES_TD
#define DOJO_PIPELINES_PASSES_TD

include "mlir/Pass/PassBase.td"

def Fit : Pass<"dojo-fit", "::mlir::ModuleOp"> {
  let summary = "keep in DRAM what does not fit into SRAM";
  let description = [{
    Places copies of the module. If one does not fit, weights (ml_program.globals) stay in DRAM, by
    `dojo.storage = "dram"`; then the driver looks at the moments at which still too much is alive: an
    op that can stream its weight gets `steps` in its mapping; results that only lie there are stored
    in DRAM, by the same attribute on their ops; other ops get steps, and what they use is stored
    too. When all fits, as many of the smaller weights as can come back to SRAM. If nothing is left to edit, the error
    names the op, the peak, the bound, the largest buffers, the missing bytes and what was tried.
  }];
  let dependentDialects = ["::dojo::ir::DojoDialect"];
}

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
