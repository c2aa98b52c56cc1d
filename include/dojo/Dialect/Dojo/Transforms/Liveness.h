//===- Liveness.h - when each buffer is in use ------------------*- C++ -*-===//
//
// The operations of all entries, in order, on one line of time: init, then step.
// An operation inside a repeat stands where it is written; what is used in a
// repeat but made outside of it lives until the repeat ends.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_DIALECT_DOJO_TRANSFORMS_LIVENESS_H
#define DOJO_DIALECT_DOJO_TRANSFORMS_LIVENESS_H

#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "dojo/Machine/Machine.h"
#include "dojo/Placement/Placement.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

namespace dojo::ir {

/// The alloc, or the resident, whose memory a buffer is; null for DRAM.
mlir::Operation *memoryOf(mlir::Value buffer);

/// The dojo.dram whose data a buffer is.
mlir::StringAttr dramNameOf(mlir::Value buffer);

/// The byte in SRAM of a buffer that has been placed.
std::optional<int64_t> addressOf(mlir::Operation *memory);
void setAddress(mlir::Operation *memory, int64_t address);
/// The tensor a memory was made for.
mlir::RankedTensorType tensorOf(mlir::Operation *memory);
/// What a person would call a memory: the ONNX node behind it.
std::string nameOf(mlir::Operation *memory);

struct Lifetime {
  int64_t begin; ///< first use
  int64_t end;   ///< one past the last use
};

struct Timeline {
  std::vector<mlir::Operation *> operations; ///< at their times
  /// Of every alloc and resident of the module, in order of first use. Residents
  /// live until the end of the last entry.
  llvm::MapVector<mlir::Operation *, Lifetime> lifetimes;
};

Timeline timelineOf(mlir::ModuleOp module);

/// Where memories and the code have to lie: the code first, then as they are given.
place::Problem placementProblem(const llvm::MapVector<mlir::Operation *, Lifetime> &lifetimes,
                                const Machine &machine, int64_t codeBytes);

} // namespace dojo::ir

#endif // DOJO_DIALECT_DOJO_TRANSFORMS_LIVENESS_H
