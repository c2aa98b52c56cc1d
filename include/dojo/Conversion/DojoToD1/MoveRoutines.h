//===- MoveRoutines.h - a move as code that all nodes share -----*- C++ -*-===//
//
// A move between nodes is two routines, run in this order by every node, behind a barrier
// that frees the destination:
//   send     a sender pushes each of its receivers its piece and signals its `ready`
//            semaphore
//   receive  a receiver waits for all its senders
// A load from DRAM is `pull`, a store to it `store`: each destination node pulls
// what it holds; of the nodes that hold an element the one that owns it, at
// coordinate 0 of every axis that repeats it, stores it.
//
// No node has a table. From its own coordinates a node computes the interval of
// every dimension that it owns (or holds), the range of partner blocks that it
// meets, and the intersection with each; both sides use one formula, so they
// agree on who talks to whom. A node's own piece is a push to itself.
//
// Routines leave pushes and pulls under way: a drain must follow before the source is
// overwritten, or pulled data read. The scratch is free again when a routine returns.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_DOJOTOD1_MOVEROUTINES_H
#define DOJO_CONVERSION_DOJOTOD1_MOVEROUTINES_H

#include "dojo/Layout/Move.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dojo {

/// Arguments, all i64; the symbol only where the move uses one:
///   send(source, destination, scratch, ready, [symbol])
///   receive(ready, [symbol])
///   pull(dram, destination, scratch, [symbol])
///   store(source, dram, scratch, [symbol])
/// Buffers and the scratch (isa::moveScratchBytes, aligned as a descriptor) are SRAM
/// byte addresses, `dram` is a global address, `ready` is a number.
enum class MovePart { send, receive, pull, store };

/// Builds the routine (a func.func with attribute d1.routine) at the builder's
/// insertion point. The move must pass Move::check(grid). For pull the source,
/// for store the destination is dense and row-major: only its sizes are used.
mlir::func::FuncOp buildMoveRoutine(mlir::OpBuilder &builder, mlir::Location loc,
                                    llvm::StringRef name, MovePart part, const Move &move,
                                    const Coords &grid);

} // namespace dojo

#endif // DOJO_CONVERSION_DOJOTOD1_MOVEROUTINES_H
