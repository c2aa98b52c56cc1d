//===- D1Ops.td - the d1 dialect ------------------------------------------===//
//
// One operation for each straight-line instruction of the ISA, generated from
// its record, on typed registers; and the structure around them: loops, branches
// with results, calls and marks. docs/D1.md gives the rationale.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_DIALECT_D1_IR_D1OPS_TD
#define DOJO_DIALECT_D1_IR_D1OPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

def D1_Dialect : Dialect {
  let name = "d1";
  let cppNamespace = "::dojo::d1";
  let summary = "instructions of the D1 node on typed registers";
  let description = [{
    One operation for each straight-line instruction, by the name it has in docs/ISA.md, and the
    structure around them, which is listed here. Operands of an instruction are the registers it reads,
    results those it writes, immediates attributes:

    ```mlir
    %v = d1.vld %address, 64 : (!d1.x) -> !d1.v
    %m = d1.mmul %acc, %a, %b : (!d1.a, !d1.v, !d1.v) -> !d1.a
    ```
    docs/D1.md gives the rationale.
  }];
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

def D1_AnyReg : AnyTypeOf<[D1_ScalarReg, D1_VectorReg, D1_AccReg]>;
// What a loop or a branch carries: before instruction selection also i64.
def D1_Carried : AnyTypeOf<[I64, D1_ScalarReg, D1_VectorReg, D1_AccReg]>;

def D1_InstructionOpInterface : OpInterface<"InstructionOpInterface"> {
  let cppNamespace = "::dojo::d1";
  let description = [{
    An operation that is one instruction word. Its register operands stand in
    the order of the record's `use` and `update` operands, its results in that of
    the `def` and `update` ones, its immediates are attributes of the same name.
  }];
  let methods = [
    InterfaceMethod<"The instruction's record.", "const ::dojo::isa::Instruction &",
                    "getInstruction", (ins), [{}],
                    [{ return ::dojo::isa::get(ConcreteOp::opcode); }]>,
  ];
}

// Opcode names the record of Instructions.td.
class D1_InstOp<string mnemonic, string opcode, list<Trait> traits>
    : Op<D1_Dialect, mnemonic, !listconcat(traits, [D1_InstructionOpInterface])> {
  let extraClassDeclaration = [{
    static constexpr ::dojo::isa::Opcode opcode = ::dojo::isa::Opcode::}] # opcode # [{;
  }];
}

// The reference of the dialect leaves the instructions to docs/ISA.md.
#ifndef D1_STRUCTURE_ONLY
include "dojo/ISA/Operations.td"
#endif

class D1_Op<string mnemonic, list<Trait> traits = []> : Op<D1_Dialect, mnemonic, traits>;

def D1_ZeroOp : D1_Op<"zero", [Pure]> {
  let summary = "register x0, which reads as zero";
  let results = (outs D1_ScalarReg:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let builders = [OpBuilder<(ins), [{
    $_state.addTypes(ScalarRegType::get($_builder.getContext(), 0u));
  }]>];
  let hasVerifier = 1;
}

def D1_YieldOp : D1_Op<"yield", [Pure, Terminator, ParentOneOf<["RepeatOp", "IfOp"]>]> {
  let summary = "what an iteration or a branch hands on";
  let arguments = (ins Variadic<D1_AnyReg>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def D1_RepeatOp : D1_Op<"repeat", [RecursiveMemoryEffects, SingleBlock]> {
  let summary = "run the body a number of times that is at least one";
  let description = [{
    The first block argument counts down from `count` to 1 in the register of
    `count`; the others carry values from one iteration to the next, starting
    with `inits`. The count must be at least 1: who cannot prove it stands the
    loop inside a `d1.if`. It becomes the body and one `bdnz`.

    ```mlir
    %sum = d1.repeat %n, %zero : (!d1.x, !d1.v) -> !d1.v {
    ^bb0(%left: !d1.x, %acc: !d1.v):
      %next = d1.vadd %acc, %x : (!d1.v, !d1.v) -> !d1.v
      d1.yield %next : !d1.v
    }
    ```
  }];
  let arguments = (ins D1_ScalarReg:$count, Variadic<D1_AnyReg>:$inits);
  let results = (outs Variadic<D1_AnyReg>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $count (`,` $inits^)? attr-dict `:` functional-type(operands, results) $body
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$count, "::mlir::ValueRange":$inits)>];
  let extraClassDeclaration = [{
    ::mlir::BlockArgument getCounter() { return getBody().getArgument(0); }
    ::mlir::Block::BlockArgListType getCarried() { return getBody().getArguments().drop_front(); }
    YieldOp getYield();
  }];
}

def D1_Condition : I32EnumAttr<"Condition", "how two scalars compare", [
    I32EnumAttrCase<"eq", 0>, I32EnumAttrCase<"ne", 1>,
    I32EnumAttrCase<"lt", 2>, I32EnumAttrCase<"ge", 3>]> {
  let cppNamespace = "::dojo::d1";
}

def D1_IfOp : D1_Op<"if", [RecursiveMemoryEffects]> {
  let summary = "a branch on two scalars, with results";
  let description = [{
    ```mlir
    %r = d1.if lt %a, %b : (!d1.x, !d1.x) -> !d1.x {
      d1.yield %a : !d1.x
    } else {
      d1.yield %b : !d1.x
    }
    ```
    Comparisons are signed. Both regions stand, even if they only yield.
  }];
  let arguments = (ins D1_Condition:$condition, D1_ScalarReg:$lhs, D1_ScalarReg:$rhs);
  let results = (outs Variadic<D1_AnyReg>:$results);
  let regions = (region SizedRegion<1>:$thenRegion, SizedRegion<1>:$elseRegion);
  let assemblyFormat = [{
    $condition $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
    $thenRegion `else` $elseRegion
  }];
  let hasRegionVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "Condition":$condition, "::mlir::Value":$lhs,
                                 "::mlir::Value":$rhs, "::mlir::TypeRange":$results)>];
  let extraClassDeclaration = [{
    YieldOp getThenYield();
    YieldOp getElseYield();
  }];
}

def D1_CallOp : D1_Op<"call", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "jump to a routine and come back";
  let description = [{
    The arguments travel in x10, x11, ...; the call may change every register
    but those the ABI preserves (Abi.h).
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<D1_ScalarOperand>:$arguments);
  let assemblyFormat = "$callee `(` $arguments `)` attr-dict `:` functional-type($arguments, results)";
}

def D1_MarkOp : D1_Op<"mark"> {
  let summary = "a place in the code whose address is recorded";
  let description = [{
    No bytes. Accesses stay on their side of it. Marks bound the lives of buffers
    in the binary's buffer table.
  }];
  let arguments = (ins I64Attr:$id);
  let assemblyFormat = "$id attr-dict";
}

#endif // DOJO_DIALECT_D1_IR_D1OPS_TD
