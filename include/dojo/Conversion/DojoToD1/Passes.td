//===- Passes.td - from the dojo dialect to D1 code -----------------------===//
#ifndef DOJO_CONVERSION_DOJOTOD1_PASSES_TD
#define DOJO_CONVERSION_DOJOTOD1_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertMovesToD1 : Pass<"convert-moves-to-d1", "::mlir::ModuleOp"> {
  let summary = "make the routines of every move";
  let description = [{
    A move between nodes gets two routines, NAME_send and NAME_receive; a load
    NAME_pull, a store NAME_store. Equal moves share them: addresses and semaphores are arguments.
    The move keeps NAME as `routine`.
  }];
  let dependentDialects = ["::dojo::ir::DojoDialect", "::dojo::d1::D1Dialect",
                           "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::func::FuncDialect"];
}

def ConvertProgramToD1 : Pass<"convert-program-to-d1", "::mlir::ModuleOp"> {
  let summary = "the driver: calls of kernels and of the parts of moves";
  let description = [{
    Each function of the dojo dialect becomes an entry. A d1.mark stands where the life of a
    buffer begins and ends; the module's `dojo.buffers` lists them with their addresses.
  }];
  let dependentDialects = ["::dojo::d1::D1Dialect", "::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect", "::mlir::func::FuncDialect"];
}

#endif // DOJO_CONVERSION_DOJOTOD1_PASSES_TD
