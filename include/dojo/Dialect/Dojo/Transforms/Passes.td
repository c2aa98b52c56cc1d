//===- Passes.td - passes on the dojo dialect -----------------------------===//
#ifndef DOJO_DIALECT_DOJO_TRANSFORMS_PASSES_TD
#define DOJO_DIALECT_DOJO_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def SetTarget : Pass<"dojo-set-target", "::mlir::ModuleOp"> {
  let summary = "name the machine a module is compiled for";
  let description = [{
    Sets the module's `dojo.machine` to a preset, or to the text of a machine file.
  }];
  let options = [
    Option<"machineName", "machine", "std::string", "\"d1-die\"", "a preset or a JSON file">
  ];
  let dependentDialects = ["::dojo::ir::DojoDialect"];
}

def ExpandCollectives : Pass<"dojo-expand-collectives", "::mlir::ModuleOp"> {
  let summary = "collectives as moves and computation";
  let description = [{
    A broadcast or an all_gather is a move to the result's layout. A reduce gathers the partial
    results of each piece on the nodes that hold the result, which combine them in ascending
    order. Nothing is unrolled over nodes.
  }];
  let dependentDialects = ["::dojo::ir::DojoDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def Bufferize : Pass<"dojo-bufferize", "::mlir::ModuleOp"> {
  let summary = "give every spread tensor its memory";
  let description = [{
    Each dojo.empty becomes a dojo.alloc, or the dojo.resident of the global it ends in; results
    are the memory of their destinations. Bodies of dojo.compute become linalg on memrefs whose
    strides are those of the layout.
  }];
  let dependentDialects = ["::dojo::ir::DojoDialect", "::mlir::memref::MemRefDialect"];
}

def OutlineKernels : Pass<"dojo-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "each distinct computation becomes one function";
  let description = [{
    A dojo.compute becomes a dojo.launch of a function with the attribute `dojo.kernel`; equal
    bodies on equal local shapes share it.
  }];
  let dependentDialects = ["::dojo::ir::DojoDialect", "::mlir::func::FuncDialect"];
}

def CountTraffic : Pass<"dojo-count-traffic", "::mlir::ModuleOp"> {
  let summary = "bytes that cross between nodes and to DRAM, beside their bounds";
  let description = [{
    Sets `dojo.noc_bytes`, `dojo.dram_bytes`, `dojo.dram_bound_bytes` (each tensor in
    DRAM once, state twice) and
    `dojo.nodes_used` (nodes that run a kernel) on the module. Counts init and one step.
  }];
}

def Synchronise : Pass<"dojo-synchronise", "::mlir::ModuleOp"> {
  let summary = "derive every wait and signal from byte ranges";
  let description = [{
    A move between nodes becomes grant, send and receive with two semaphores of its own. The grant
    stands after the last access to any byte of the destination; a dojo.drain stands before the
    first write to bytes that may still be on their way out, or use of bytes on their way in.
    Where the semaphores are used up, a dojo.barrier stands, behind which they are used again.
    Needs addresses. docs/Dojo.md tells why it cannot deadlock.
  }];
  let dependentDialects = ["::dojo::ir::DojoDialect"];
}

def Place : Pass<"dojo-place", "::mlir::ModuleOp"> {
  let summary = "an address for every buffer, in SRAM and in DRAM";
  let description = [{
    Buffers that are alive at once do not overlap. The code, of `dojo.code_bytes` as the module
    says, stands at address 0, the block descriptor in use after it. Addresses written by a person
    are kept. When it does not fit, the error names the peak, the bound and the largest buffers.
  }];
  let dependentDialects = ["::dojo::ir::DojoDialect"];
}

#endif // DOJO_DIALECT_DOJO_TRANSFORMS_PASSES_TD
