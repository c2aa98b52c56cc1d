//===- ONNXOps.td - the onnx dialect --------------------------------------===//
//
// An ONNX graph as it stands in the file: one generic operation per node, with
// the operator as data. docs/ONNX.md gives the rationale.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_DIALECT_ONNX_IR_ONNXOPS_TD
#define DOJO_DIALECT_ONNX_IR_ONNXOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def ONNX_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::dojo::onnx";
  let summary = "ONNX graphs, node by node, known operators or not";
  let description = [{
    What `dojo-translate --import-onnx` makes of a file, before anything is decided; `--lower-onnx` leaves
    nothing of it. docs/ONNX.md gives the rationale.
  }];
  let useDefaultTypePrinterParser = 1;
}

class ONNX_Type<string name, string mnem, string what> : TypeDef<ONNX_Dialect, name> {
  let mnemonic = mnem;
  let summary = what;
}
def ONNX_AnyType : ONNX_Type<"Any", "any", "a value whose type the file does not state, or that is none of tensor, sequence and optional">;
def ONNX_StringType : ONNX_Type<"String", "string", "element of a tensor of strings">;

class ONNX_ListType<string name, string mnem, string what> : ONNX_Type<name, mnem, what> {
  let parameters = (ins "::mlir::Type":$element);
  let assemblyFormat = "`<` $element `>`";
}
def ONNX_SequenceType : ONNX_ListType<"Sequence", "seq", "a list of tensors of one element type, of any shapes">;
def ONNX_OptionalType : ONNX_ListType<"Optional", "optional", "a tensor of this element type or a sequence, or nothing">;

def ONNX_Value : AnyTypeOf<[AnyTensor, ONNX_SequenceType, ONNX_OptionalType, ONNX_AnyType, NoneType]>;

class ONNX_Op<string mnemonic, list<Trait> traits = []> : Op<ONNX_Dialect, mnemonic, traits>;

def ONNX_NodeOp : ONNX_Op<"node"> {
  let summary = "one node of an ONNX graph";
  let description = [{
    `opset` is the version of the operator's domain that the model imports; the
    operator's own version follows from it. An absent optional operand is
    `onnx.none`. Graphs among the attributes (the bodies of If, Loop and Scan)
    are regions, in the order of their names in `bodies`; they see the values of
    the enclosing graph. The node's name is its location.

    ```mlir
    %y = onnx.node "Relu"(%x) opset 21 {} : (tensor<2x3xf32>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins StrAttr:$op_type, Variadic<ONNX_Value>:$inputs, OptionalAttr<StrAttr>:$domain,
                       I64Attr:$opset, DictionaryAttr:$params, OptionalAttr<StrArrayAttr>:$bodies);
  let results = (outs Variadic<ONNX_Value>:$outputs);
  let regions = (region VariadicRegion<AnyRegion>:$graphs);
  let assemblyFormat = [{
    $op_type `(` $inputs `)` (`domain` $domain^)? `opset` $opset $params
    (`bodies` $bodies^ $graphs)? attr-dict `:` functional-type($inputs, $outputs)
  }];
  let hasVerifier = 1;
}

def ONNX_ConstantOp : ONNX_Op<"constant", [Pure, AllTypesMatch<["value", "result"]>]> {
  let summary = "an initializer of the graph";
  let description = [{
    More than 64 elements are a `dense_resource`, mapped from the file and never hashed.

    ```mlir
    %w = onnx.constant dense_resource<w1> : tensor<32x64xf32>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$value attr-dict";
}

def ONNX_NoneOp : ONNX_Op<"none", [Pure]> {
  let summary = "an optional operand that is absent";
  let description = [{
    ONNX writes it as an empty name. Operands keep their positions by it.
  }];
  let results = (outs NoneType:$result);
  let assemblyFormat = "attr-dict";
  let builders = [OpBuilder<(ins), [{ $_state.addTypes($_builder.getNoneType()); }]>];
}

def ONNX_YieldOp : ONNX_Op<"yield", [Pure, Terminator, ParentOneOf<["NodeOp"]>]> {
  let summary = "the outputs of a subgraph";
  let description = [{
    Ends each region of an `onnx.node`.
  }];
  let arguments = (ins Variadic<ONNX_Value>:$results);
  let assemblyFormat = "($results^ `:` type($results))? attr-dict";
}

#endif // DOJO_DIALECT_ONNX_IR_ONNXOPS_TD
