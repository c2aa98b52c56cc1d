//===- FitSteps.h - a structured op in less memory --------------*- C++ -*-===//
//
// What an op needs while it runs, estimated from its mapping: its inputs in the layouts
// it asks for, or two panels of those that advance, each with the shards it comes from;
// its results, or one panel of them beside the place where panels are put together.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_PIPELINES_FITSTEPS_H
#define DOJO_LIB_PIPELINES_FITSTEPS_H

#include "dojo/Conversion/LinalgToDojo/OperandLayouts.h"

namespace dojo {

/// Bytes on a node. Results in DRAM need no place.
int64_t estimateBytes(const ir::MappedOp &mapped, bool resultsInDram, const Coords &grid);

struct StepChoice {
  ir::MappingAttr mapping;
  int64_t steps;
  int64_t bytes;
};

/// The fewest steps, at least twice those it has, in which it needs no more than `room`
/// bytes; of equally many the iterator that needs least, the first of these. If no number does,
/// the choice that needs least. None if the op cannot be cut further.
std::optional<StepChoice> chooseSteps(mlir::linalg::LinalgOp op, int64_t room, bool resultsInDram,
                                      const Coords &grid);

} // namespace dojo

#endif // DOJO_LIB_PIPELINES_FITSTEPS_H
