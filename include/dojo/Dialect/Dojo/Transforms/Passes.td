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

def LocaliseMoves : Pass<"dojo-localise-moves", "::mlir::ModuleOp"> {
  let summary = "moves of single elements within the nodes become computation";
  let description = [{
    A move in which every node takes all it gets from its own piece, at the same places on each
    node, and in which no two elements are neighbours in both pieces (a transposition of the innermost
    dimension), would send a packet an element to the node itself. It becomes a dojo.compute that
    copies; what it copies of a piece is a memref.subview. Longer runs stay moves.

    ```mlir file=transpose.mlir
    module attributes {dojo.machine = #dojo.machine<"d1-node">} {
      func.func @step() {
        %a = dojo.alloc : !dojo.buffer<tensor<128x256xf32, #dojo.layout<[128, 256]>>>
        %b = dojo.alloc : !dojo.buffer<tensor<256x128xf32, #dojo.layout<[256, 128]>>>
        dojo.move ins(%a : !dojo.buffer<tensor<128x256xf32, #dojo.layout<[128, 256]>>>)
                  outs(%b : !dojo.buffer<tensor<256x128xf32, #dojo.layout<[256, 128]>>>)
                  by affine_map<(d0, d1) -> (d1, d0)>
        return
      }
    }
    ```
    ```console
    $ dojo-opt transpose.mlir --dojo-localise-moves | grep -E 'dojo.compute|linalg.generic'
        dojo.compute ins(%0 : ...) outs(%1 : ...) {
          linalg.generic ... ins(%arg0 : memref<128x256xf32...>) outs(%arg1 : memref<256x128xf32...>) {
    ```
  }];
  let dependentDialects = ["::dojo::ir::DojoDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect"];
}

def OutlineKernels : Pass<"dojo-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "each distinct computation becomes one function";
  let description = [{
    A dojo.compute becomes a dojo.launch of a function with the attribute `dojo.kernel`; equal
    bodies on equal local shapes share it.

    ```mlir file=compute.mlir
    #x = #dojo.layout<[32 step 8], x = [d0 : 4]>
    #y = #dojo.layout<[32 step 8], y = [d0 : 4]>
    func.func @step() {
      %a = dojo.alloc : !dojo.buffer<tensor<32xf32, #x>>
      %b = dojo.alloc : !dojo.buffer<tensor<32xf32, #y>>
      dojo.compute ins() outs(%a : !dojo.buffer<tensor<32xf32, #x>>) {
      ^bb0(%out: memref<8xf32>):
        linalg.exp ins(%out : memref<8xf32>) outs(%out : memref<8xf32>)
        dojo.yield
      }
      dojo.compute ins() outs(%b : !dojo.buffer<tensor<32xf32, #y>>) {
      ^bb0(%out: memref<8xf32>):
        linalg.exp ins(%out : memref<8xf32>) outs(%out : memref<8xf32>)
        dojo.yield
      }
      return
    }
    ```
    ```console
    $ dojo-opt compute.mlir --dojo-outline-kernels | grep -E 'launch|func'
      func.func @step() {
        dojo.launch @exp_0 ins() outs(%0 : !dojo.buffer<tensor<32xf32, #layout>>)
        dojo.launch @exp_0 ins() outs(%1 : !dojo.buffer<tensor<32xf32, #layout1>>)
      func.func private @exp_0(%arg0: memref<8xf32>) attributes {dojo.kernel} {
    ```
  }];
  let dependentDialects = ["::dojo::ir::DojoDialect", "::mlir::func::FuncDialect"];
}

def Account : Pass<"dojo-account", "::mlir::ModuleOp"> {
  let summary = "what each ONNX node costs, beside its bounds";
  let description = [{
    Sets `dojo.ops` on the module, a dictionary for each ONNX node and entry, and `dojo.figures`,
    their sums (of SRAM their maxima): docs/Reports.md tells each figure. Counts init and one step,
    on the moves and launches of a placed program.
  }];
}

def Schedule : Pass<"dojo-schedule", "::mlir::ModuleOp"> {
  let summary = "load what the next step needs while this one computes";
  let description = [{
    A dojo.repeat with two slots whose steps load from DRAM becomes a pipeline: each memory that is
    loaded becomes two, the body stands twice, and the load of step s + 1 begins before the
    computation of step s.

    ```mlir
    dojo.repeat 9 slots 2 {          dojo.move %w -> %a by [0]
    ^bb0(%s):                        dojo.repeat 4 {
      dojo.move %w -> %a by [s]      ^bb0(%i):
      dojo.launch @k ins(%a)           dojo.move %w -> %b by [2 * i + 1];  dojo.launch @k ins(%a)
    }                                  dojo.drain
                                       dojo.move %w -> %a by [2 * i + 2];  dojo.launch @k ins(%b)
                                     }
                                     dojo.launch @k ins(%a)
    ```
    The sequential reading does not change. A repeat that stores what it loads stays as it is.
  }];
  let dependentDialects = ["::dojo::ir::DojoDialect", "::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect"];
}

def Synchronise : Pass<"dojo-synchronise", "::mlir::ModuleOp"> {
  let summary = "derive every wait and signal from byte ranges";
  let description = [{
    A move between nodes becomes send and receive with a semaphore of its own. A dojo.barrier stands
    between the last access to any byte of its destination and the send: as few barriers as will do, each
    in front of the first send that needs it. A dojo.drain stands before the
    first write to bytes that may still be on their way out, or use of bytes on their way in.
    Where the semaphores are used up, a barrier stands, behind which they are used again; so does
    one between a store to DRAM and a load of the same tensor.
    Needs addresses. docs/Dojo.md tells why it cannot deadlock.

    ```mlir file=waits.mlir
    #spread = #dojo.layout<[8 step 2], x = [d0 : 4]>
    #whole = #dojo.layout<[8]>
    module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
      func.func @step() {
        %a = dojo.alloc {address = 4096 : i64} : !dojo.buffer<tensor<8xf32, #spread>>
        %b = dojo.alloc {address = 8192 : i64} : !dojo.buffer<tensor<8xf32, #whole>>
        dojo.launch @fill ins() outs(%a : !dojo.buffer<tensor<8xf32, #spread>>)
        dojo.move ins(%a : !dojo.buffer<tensor<8xf32, #spread>>) outs(%b : !dojo.buffer<tensor<8xf32, #whole>>)
          by affine_map<(d0) -> (d0)> routine "move_0"
        dojo.launch @fill ins() outs(%a : !dojo.buffer<tensor<8xf32, #spread>>)
        return
      }
      func.func private @fill(memref<2xf32>) attributes {dojo.kernel}
    }
    ```
    ```console
    $ dojo-opt waits.mlir --dojo-synchronise | grep -oE 'dojo.(barrier|send|receive|drain|launch)'
    dojo.launch
    dojo.barrier
    dojo.send
    dojo.receive
    dojo.drain
    dojo.launch
    ```
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
