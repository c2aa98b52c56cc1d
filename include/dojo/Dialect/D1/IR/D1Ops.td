//===- D1Ops.td - the d1 dialect ------------------------------------------===//
//
// One operation for each straight-line instruction of the ISA, generated from
// its record, on typed registers. docs/D1.md gives the rationale.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_DIALECT_D1_IR_D1OPS_TD
#define DOJO_DIALECT_D1_IR_D1OPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

def D1_Dialect : Dialect {
  let name = "d1";
  let cppNamespace = "::dojo::d1";
  let summary = "instructions of the D1 node on typed registers";
  let useDefaultTypePrinterParser = 1;
}

class D1_Reg<string name, string mnem, string what> : TypeDef<D1_Dialect, name> {
  let mnemonic = mnem;
  let summary = what;
  let description = [{Without a number, a register still to be chosen: an SSA value. With one, that register.}];
  let parameters = (ins OptionalParameter<"std::optional<unsigned>", "the register's number">:$number);
  let assemblyFormat = "(`<` $number^ `>`)?";
  let builders = [TypeBuilder<(ins), [{ return $_get($_ctxt, std::nullopt); }]>];
}
def D1_ScalarReg : D1_Reg<"ScalarReg", "x", "64-bit scalar register">;
def D1_VectorReg : D1_Reg<"VectorReg", "v", "64-byte vector register">;
def D1_AccReg : D1_Reg<"AccReg", "a", "8x8 FP32 matrix accumulator">;

// Before instruction selection scalars are i64 and computed by the arith dialect.
def D1_ScalarOperand : AnyTypeOf<[I64, D1_ScalarReg]>;

// Opcode names the record of Instructions.td.
class D1_InstOp<string mnemonic, string opcode, list<Trait> traits>
    : Op<D1_Dialect, mnemonic, traits> {
  let extraClassDeclaration = [{
    static constexpr ::dojo::isa::Opcode opcode = ::dojo::isa::Opcode::}] # opcode # [{;
  }];
}

include "dojo/ISA/Operations.td"

#endif // DOJO_DIALECT_D1_IR_D1OPS_TD
