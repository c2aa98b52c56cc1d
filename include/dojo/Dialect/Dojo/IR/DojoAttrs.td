//===- DojoAttrs.td - layouts, mappings and machines ----------------------===//
#ifndef DOJO_DIALECT_DOJO_IR_DOJOATTRS_TD
#define DOJO_DIALECT_DOJO_IR_DOJOATTRS_TD

include "dojo/Dialect/Dojo/IR/DojoDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"

class Dojo_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Dojo_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Dojo_LayoutAttr : Dojo_Attr<"Layout", "layout"> {
  let summary = "how a tensor lies on the mesh";
  let description = [{
    The encoding of a tensor that is spread over nodes; dojo/Layout/Layout.h gives the meaning.

    ```mlir
    #dojo.layout<[1, 64, 56 step 4 offset -1 window 6 extent 8, 56],
                 y = [d2 : 14], x = [d1 : 4, * : 2, d3 : 2], order = [0, 2, 3, 1]>
    ```
    Each dimension gives its size and, where they differ from the whole, the step from block to
    block, the offset of the first (0), the elements held (the step) and the elements taken in
    memory (those held). A digit `* : 3` repeats the tensor three times within an axis. An axis
    that is not named repeats the tensor; `x = 0` keeps it on coordinate 0 alone. `order` names the dimensions in memory, outermost first, when it is not
    theirs.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t", "size, step, offset, window, extent of each">:$dims,
                        ArrayRefParameter<"int64_t", "axis, dimension, count of each digit">:$digits,
                        ArrayRefParameter<"int64_t", "pinned axes">:$pinned,
                        ArrayRefParameter<"int64_t", "dimensions in memory">:$order);
  let hasCustomAssemblyFormat = 1;
  let genMnemonicAlias = 1;
  let extraClassDeclaration = [{
    static LayoutAttr get(::mlir::MLIRContext *context, const ::dojo::Layout &layout);
    ::dojo::Layout getLayout() const;
  }];
}

def Dojo_DramAttr : Dojo_Attr<"Dram", "dram"> {
  let summary = "encoding of a tensor that stands dense and row-major in DRAM";
}

def Dojo_MappingAttr : Dojo_Attr<"Mapping", "mapping"> {
  let summary = "how the iterators of a structured op are spread over the grid";
  let description = [{
    ```mlir
    #dojo.mapping<y = [d2 : 6, d3 : 3], x = [d1 : 16], steps = [d4 : 64], inner = d1,
                  tile = [d2 : 4, d3 : 2]>
    ```
    An axis lists iterators of the op, each with the number of blocks it is cut into, outermost
    first; an iterator on two axes is cut by the first and then by the second. A reduction
    iterator on an axis splits the reduction; its partial results are then added. `steps` cuts a
    reduction in time, with the width of a step. `inner` is the iterator that is innermost in
    memory and fills vectors. `tile` lists iterators whose local extent is rounded up, and to
    what multiple.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t", "axis, iterator, blocks">:$digits,
                        ArrayRefParameter<"int64_t", "iterator, width">:$steps,
                        "int64_t":$inner,
                        ArrayRefParameter<"int64_t", "iterator, multiple">:$tile);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// Blocks that an iterator is cut into over all axes.
    int64_t blocks(int64_t iterator) const;
    /// The multiple an iterator's local extent is rounded up to; 1 unless `tile` names it.
    int64_t multiple(int64_t iterator) const;
    /// The width of an iterator's steps, 0 when it is not cut in time.
    int64_t step(int64_t iterator) const;
  }];
}

def Dojo_MachineAttr : Dojo_Attr<"Machine", "machine"> {
  let summary = "the machine a module is compiled for";
  let description = [{
    The name of a preset (`#dojo.machine<"d1-die">`) or the JSON text of a machine file
    (docs/Machine.md). The module carries it as `dojo.machine`.
  }];
  let parameters = (ins StringRefParameter<"preset or JSON text">:$text);
  let assemblyFormat = "`<` $text `>`";
}

#endif // DOJO_DIALECT_DOJO_IR_DOJOATTRS_TD
