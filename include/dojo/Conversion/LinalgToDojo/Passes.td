//===- Passes.td - from structured ops to the dojo dialect ----------------===//
#ifndef DOJO_CONVERSION_LINALGTODOJO_PASSES_TD
#define DOJO_CONVERSION_LINALGTODOJO_PASSES_TD

include "mlir/Pass/PassBase.td"

def SelectMapping : Pass<"dojo-select-mapping", "::mlir::ModuleOp"> {
  let summary = "give every structured op a #dojo.mapping";
  let description = [{
    Ops that carry one keep it, so a strategy of one's own is a pass that runs before this one
    (docs/guides/WriteAMappingStrategy.md). The rule for the others cuts contractions, windows and
    reductions so that the busiest node has the least to do within its SRAM, and lets elementwise ops
    follow the layout of their largest operand.

    A mapping file has a line for each op, by the ONNX node it comes from (docs/Mapping.md).

    ```mlir
    linalg.matmul {dojo.mapping = #dojo.mapping<y = [d0 : 4], x = [d1 : 4], inner = d1>} ...
    ```
  }];
  let options = [
    Option<"mappingFile", "mapping", "std::string", "\"\"", "a file of mappings to obey">
  ];
  let dependentDialects = ["::dojo::ir::DojoDialect"];
}

def ExportMapping : Pass<"dojo-export-mapping", "::mlir::ModuleOp"> {
  let summary = "write the mapping and the storage of every op as a mapping file";
  let description = [{
    Run behind --dojo-fit, it writes what that chose too. --dojo-select-mapping reads the file.
  }];
  let options = [
    Option<"file", "file", "std::string", "\"-\"", "where to write; - is the standard output">
  ];
}

def Partition : Pass<"dojo-partition", "::mlir::ModuleOp"> {
  let summary = "spread structured ops over the grid by their mappings";
  let description = [{
    Each mapped op becomes a dojo.compute on local pieces, preceded by the moves that bring its
    operands into the layouts the mapping asks for. Slices, transposes, paddings, concatenations
    and reshapes become the maps of moves. Arguments, results and constants become dojo.dram; a
    split reduction ends in dojo.reduce; steps in time are a dojo.repeat, and so is an scf.for that
    carries tensors (docs/Dojo.md).
  }];
  let dependentDialects = ["::dojo::ir::DojoDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::arith::ArithDialect"];
}

#endif // DOJO_CONVERSION_LINALGTODOJO_PASSES_TD
