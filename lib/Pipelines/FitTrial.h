//===- FitTrial.h - what would become of a module in SRAM -------*- C++ -*-===//
//
// Partitions and places a copy of a module. Where it does not fit, the report says at
// which structured ops too much is alive, how much, and what could be elsewhere.
// Structured ops are known by their number in the order of the module.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_PIPELINES_FITTRIAL_H
#define DOJO_LIB_PIPELINES_FITTRIAL_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/BuiltinOps.h"

namespace dojo {

/// A structured op whose computation finds too little room.
struct FullMoment {
  unsigned op;
  int64_t excess; ///< bytes beyond the SRAM
  int64_t room;   ///< bytes that what was there before leaves to the op
  /// Ops whose results are there and that this op does not use, largest first; those
  /// whose results it uses.
  struct Result {
    unsigned op;
    int64_t bytes;
  };
  llvm::SmallVector<Result> bystanders, inputs;
};

struct TrialReport {
  /// `broken`: a pass before placement refuses the module and will say so itself.
  enum { fits, full, broken } outcome;
  std::string why;                       ///< placement's error, where it is full
  llvm::SmallVector<FullMoment> moments; ///< fullest first, one an op
};

/// The structured ops that mappings and storage can be written on.
llvm::SmallVector<mlir::linalg::LinalgOp> structuredOps(mlir::ModuleOp module);

/// Tries to place a copy of the module beside `codeBytes` of code.
TrialReport tryPlacing(mlir::ModuleOp module, int64_t codeBytes);

/// The bytes that placement will keep for code; none where a pass before that refuses
/// the module.
std::optional<int64_t> measureCode(mlir::ModuleOp module);

} // namespace dojo

#endif // DOJO_LIB_PIPELINES_FITTRIAL_H
