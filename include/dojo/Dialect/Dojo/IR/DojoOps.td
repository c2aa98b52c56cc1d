//===- DojoOps.td - operations of the dojo dialect ------------------------===//
#ifndef DOJO_DIALECT_DOJO_IR_DOJOOPS_TD
#define DOJO_DIALECT_DOJO_IR_DOJOOPS_TD

include "dojo/Dialect/Dojo/IR/DojoAttrs.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===-- Types -------------------------------------------------------------===//

def Dojo_BufferType : TypeDef<Dojo_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "memory that holds a spread tensor, or a tensor in DRAM";
  let parameters = (ins "::mlir::RankedTensorType":$tensor);
  let assemblyFormat = "`<` $tensor `>`";
}

// Every operation on data exists on values, and after --dojo-bufferize on buffers.
def Dojo_Data : AnyTypeOf<[AnyRankedTensor, Dojo_BufferType]>;

class Dojo_Op<string mnemonic, list<Trait> traits = []> : Op<Dojo_Dialect, mnemonic, traits>;

//===-- Storage -----------------------------------------------------------===//

def Dojo_DramOp : Dojo_Op<"dram", [Symbol]> {
  let summary = "a tensor in DRAM: an input, an output, constant data or state";
  let description = [{
    ```mlir
    dojo.dram @input input("image") : tensor<1x3x224x224xf32>
    dojo.dram @weights constant dense_resource<w> : tensor<64x3x7x7xf32>
    ```
    `role` is input, output, count (how many places of an output hold data, as its `dojo.extents` says), constant, state
    (what one entry stores for another) or scratch (what an entry stores for itself); `title` the name its user knows; `address` the byte in DRAM, once placed.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$role, OptionalAttr<StrAttr>:$title,
                       OptionalAttr<ElementsAttr>:$value, TypeAttrOf<AnyRankedTensor>:$type,
                       OptionalAttr<I64Attr>:$address);
  let assemblyFormat = "$sym_name $role (`(` $title^ `)`)? (`=` $value^)? `:` $type attr-dict";
  let hasVerifier = 1;
}

def Dojo_GetDramOp : Dojo_Op<"get_dram", [Pure]> {
  let summary = "the data of a dojo.dram";
  let description = [{
    A tensor with the encoding `#dojo.dram`, or its buffer. Moves from it load, moves to it store.
  }];
  let arguments = (ins FlatSymbolRefAttr:$name);
  let results = (outs Dojo_Data:$result);
  let assemblyFormat = "$name attr-dict `:` type($result)";
}

def Dojo_ResidentOp : Dojo_Op<"resident", [Symbol]> {
  let summary = "SRAM that lives from one entry to the next";
  let description = [{
    What `init` leaves for `step`: weights, and state. Its bytes are nobody else's at any time.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Dojo_BufferType>:$type,
                       OptionalAttr<I64Attr>:$address);
  let assemblyFormat = "$sym_name `:` $type attr-dict";
}

def Dojo_GetResidentOp : Dojo_Op<"get_resident", [Pure]> {
  let summary = "the memory of a dojo.resident";
  let description = [{
    Several entries may name one resident; all get the same address.
  }];
  let arguments = (ins FlatSymbolRefAttr:$name);
  let results = (outs Dojo_BufferType:$result);
  let assemblyFormat = "$name attr-dict `:` type($result)";
}

def Dojo_EmptyOp : Dojo_Op<"empty", [Pure]> {
  let summary = "a spread tensor of undefined elements";
  let description = [{
    The destination of a move or of a computation, before there are buffers. It becomes a dojo.alloc, or
    the dojo.resident of the global its tensor is stored in.
  }];
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Dojo_AllocOp : Dojo_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "SRAM for a spread tensor, at the same address of every node that holds a part";
  let description = [{
    Lives from its first use to its last in the sequential reading. `address` is the byte in SRAM,
    once --dojo-place has chosen it or a person has written it.
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$address);
  let results = (outs Dojo_BufferType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Dojo_ReshapeOp : Dojo_Op<"reshape", [Pure]> {
  let summary = "the same bytes under another shape";
  let description = [{
    Moves nothing: each node's piece is the same run of elements in both layouts. A tensor in DRAM
    is one run of elements.
  }];
  let arguments = (ins Dojo_Data:$source);
  let results = (outs Dojo_Data:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

//===-- Movement ----------------------------------------------------------===//

def Dojo_MoveOp : Dojo_Op<"move", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the only movement of data";
  let description = [{
    ```mlir
    %w = dojo.move ins(%x : tensor<8x8xf32, #a>) outs(%e : tensor<10x8xf32, #b>)
         by affine_map<(d0, d1) -> (d0 - 1, d1)> -> tensor<10x8xf32, #b>
    ```
    The map takes a logical index of the destination to one of the source; each source dimension
    depends on at most one destination dimension, and on the symbol: the number of the step of an
    enclosing dojo.repeat, or an affine.apply of it. Where it leaves the source, the destination keeps what it held. A
    source or a destination in DRAM loads or stores. dojo/Layout/Move.h says which copy is read.
    `routine` names the code of the move, once --convert-moves-to-d1 has made it.
  }];
  let arguments = (ins Dojo_Data:$source, Dojo_Data:$dest, Optional<Index>:$symbol,
                       AffineMapAttr:$map, OptionalAttr<StrAttr>:$routine);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    `ins` `(` $source `:` type($source) `)` `outs` `(` $dest `:` type($dest) `)`
    (`symbol` `(` $symbol^ `)`)? `by` $map (`routine` $routine^)? attr-dict (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getSourceTensor();
    ::mlir::RankedTensorType getDestTensor();
    bool readsDram();
    bool writesDram();
    bool isBetweenNodes() { return !readsDram() && !writesDram(); }
    /// The move as plain data; a tensor in DRAM counts as whole and row-major.
    ::dojo::Move getMove();
  }];
}

class Dojo_Collective<string mnemonic, list<Trait> traits = []>
    : Dojo_Op<mnemonic, !listconcat(traits, [Pure])> {
  let results = (outs AnyRankedTensor:$result);
  let hasVerifier = 1;
}

def Dojo_BroadcastOp : Dojo_Collective<"broadcast"> {
  let summary = "the piece of coordinate 0 of an axis, on every coordinate of it";
  let description = [{
    ```mlir
    %r = dojo.broadcast %w along "x" : tensor<64xf32, #pinned> -> tensor<64xf32, #repeated>
    ```
    The source is pinned on the axis; the result repeats on it and is laid out alike elsewhere.
  }];
  let arguments = (ins AnyRankedTensor:$source, StrAttr:$axis);
  let assemblyFormat = "$source `along` $axis attr-dict `:` type($source) `->` type($result)";
}

def Dojo_AllGatherOp : Dojo_Collective<"all_gather"> {
  let summary = "the pieces of all coordinates of an axis, joined on each of them";
  let description = [{
    The source is spread over the axis, the result repeats on it.
  }];
  let arguments = (ins AnyRankedTensor:$source, StrAttr:$axis);
  let assemblyFormat = "$source `along` $axis attr-dict `:` type($source) `->` type($result)";
}

def Dojo_ReduceOp : Dojo_Collective<"reduce", [SingleBlock, IsolatedFromAbove]> {
  let summary = "partial results combined over their first dimension";
  let description = [{
    ```mlir
    %s = dojo.reduce %p : tensor<4x64xf32, #spread> -> tensor<64xf32, #result> {
    ^bb0(%a: f32, %b: f32):
      %c = arith.addf %a, %b : f32
      dojo.yield %c : f32
    }
    ```
    Dimension 0 of the source numbers the partial results, which lie on different nodes. When the
    result repeats over their axis this is an all_reduce, when it is spread over it a
    reduce_scatter. The region is the combiner: add, mul, max, min of floats or integers; partial
    results are combined in ascending order.
  }];
  let arguments = (ins AnyRankedTensor:$source);
  let regions = (region SizedRegion<1>:$combiner);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result) $combiner";
  let hasVerifier = 0;
  let hasRegionVerifier = 1;
}

//===-- Computation -------------------------------------------------------===//

def Dojo_ComputeOp : Dojo_Op<"compute", [IsolatedFromAbove, SingleBlock, AttrSizedOperandSegments,
                                         MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "each node computes on its own pieces";
  let description = [{
    The block arguments are the local pieces of the operands, ins then outs, in logical dimension
    order; the body is linalg on them and yields the new pieces of outs. Nodes that hold no block
    of the first output skip it. Every element of the extents is computed, padding too.
    `facts` are for the report alone: the `mapping` obeyed; of a split reduction how many leading
    dimensions of the output number its `partials`; of a contraction the useful `macs` of all
    nodes, the `node_macs` of one node with padding, the `runs` (steps) that both take together, and
    `matrix` where its operands are those of the matrix unit.
  }];
  let arguments = (ins Variadic<Dojo_Data>:$ins, Variadic<Dojo_Data>:$outs,
                       OptionalAttr<DictionaryAttr>:$facts);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` ($ins^ `:` type($ins))? `)` `outs` `(` $outs `:` type($outs) `)` attr-dict-with-keyword
    $body (`->` type($results)^)?
  }];
  let hasRegionVerifier = 1;
}

def Dojo_LaunchOp : Dojo_Op<"launch", [AttrSizedOperandSegments,
                                       MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "a call of an outlined kernel on buffers";
  let description = [{
    Passes the addresses of the buffers, ins then outs. Nodes that hold no block of the first output skip
    the call. An output is a buffer of its own: the kernel touches its bytes through no other operand.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Dojo_BufferType>:$ins,
                       Variadic<Dojo_BufferType>:$outs, OptionalAttr<DictionaryAttr>:$facts);
  let assemblyFormat = [{
    $kernel `ins` `(` ($ins^ `:` type($ins))? `)` `outs` `(` $outs `:` type($outs) `)` attr-dict
  }];
  let hasVerifier = 1;
}

def Dojo_RepeatOp : Dojo_Op<"repeat", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "the body, count times, with values carried from one step to the next";
  let description = [{
    The first block argument is the number of the step, from 0; the others are the carried values.
    With two `slots`, --dojo-schedule lets what a step loads from DRAM arrive while the step before
    it computes.
  }];
  let arguments = (ins I64Attr:$count, Variadic<AnyType>:$inits,
                       DefaultValuedAttr<I64Attr, "1">:$slots);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $count (`init` `(` $inits^ `:` type($inits) `)`)? (`slots` $slots^)? attr-dict-with-keyword
    $body
    (`->` type($results)^)?
  }];
  let hasRegionVerifier = 1;
}

def Dojo_YieldOp : Dojo_Op<"yield", [Pure, Terminator,
    ParentOneOf<["ComputeOp", "RepeatOp", "ReduceOp"]>]> {
  let summary = "ends a region with its values";
  let description = [{
    The new pieces of a dojo.compute, the carried values of a dojo.repeat, the combination of a
    dojo.reduce. On buffers a compute yields nothing.
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

//===-- Synchronised movement ---------------------------------------------===//

// What --dojo-synchronise makes of a move between nodes; `ready` is a semaphore.
class Dojo_MovePart<string mnemonic, string what> : Dojo_Op<mnemonic> {
  let summary = what;
  let arguments = (ins Dojo_BufferType:$source, Dojo_BufferType:$dest, Optional<Index>:$symbol,
                       StrAttr:$routine, I64Attr:$ready);
  let assemblyFormat = [{
    $routine $source `to` $dest (`symbol` `(` $symbol^ `)`)? `ready` $ready attr-dict
    `:` type($source) `to` type($dest)
  }];
}

def Dojo_SendOp : Dojo_MovePart<"send",
    "senders of a move push to their receivers and signal them"> {
  let description = [{
    Stands behind a barrier that frees the destination, unless each node sends to itself alone. The pushes
    are asynchronous: the source may be read until the next dojo.drain.
  }];
}
def Dojo_ReceiveOp : Dojo_MovePart<"receive", "receivers wait for all senders of a move"> {
  let description = [{
    After it the whole destination may be read. Signals arrive behind the data they announce.
  }];
}

def Dojo_BarrierOp : Dojo_Op<"barrier"> {
  let summary = "wait until every node has come here";
  let description = [{
    ```mlir
    dojo.barrier frees(%a, %b : ...)
    ```
    Behind it pushes of other nodes may write to the buffers that it `frees`: no node uses their bytes for
    anything else any more. Semaphores that moves before it used may be used again: all those moves are
    done. It also stands between a store to DRAM and a load of the same tensor, which another
    node may do.
  }];
  let arguments = (ins Variadic<Dojo_BufferType>:$frees);
  let assemblyFormat = "(`frees` `(` $frees^ `:` type($frees) `)`)? attr-dict";
}

def Dojo_DrainOp : Dojo_Op<"drain"> {
  let summary = "wait until own pushes have left, or arrived in DRAM, and own pulls have arrived";
  let description = [{
    Stands before the first write to bytes that may still be on their way out, and before the first
    use of bytes that may still be on their way in. It waits for no other node.
  }];
  let assemblyFormat = "attr-dict";
}

#endif // DOJO_DIALECT_DOJO_IR_DOJOOPS_TD
