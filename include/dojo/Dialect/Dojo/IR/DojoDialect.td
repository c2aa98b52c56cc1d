//===- DojoDialect.td - the dojo dialect ----------------------------------===//
#ifndef DOJO_DIALECT_DOJO_IR_DOJODIALECT_TD
#define DOJO_DIALECT_DOJO_IR_DOJODIALECT_TD

include "mlir/IR/OpBase.td"

def Dojo_Dialect : Dialect {
  let name = "dojo";
  let cppNamespace = "::dojo::ir";
  let summary = "one program for all nodes: tensors with layouts, moves and local computation";
  let description = [{
    Reads as a sequential program. Tensors carry their place on the mesh as an encoding; three
    things happen: a node computes on what it holds, data moves, a node waits. docs/Dojo.md gives
    the rationale.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

#endif // DOJO_DIALECT_DOJO_IR_DOJODIALECT_TD
