//===- FitSteps.cpp - a structured op in less memory ----------------------===//
#include "FitSteps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

static int64_t bytesOf(const Layout &layout, OpOperand &operand) {
  auto type = cast<RankedTensorType>(operand.get().getType());
  return layout.localElements() * elementBytes(type.getElementType());
}

int64_t dojo::estimateBytes(const MappedOp &mapped, bool resultsInDram, const Coords &grid) {
  linalg::LinalgOp op = mapped.op;
  int64_t bytes = 0;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand->get().getType());
    if (!type)
      continue;
    int64_t piece = bytesOf(mapped.layoutOf(*operand), *operand);
    bytes += piece;
    if (!mapped.advances(*operand))
      continue;
    int64_t panel = elementBytes(type.getElementType());
    for (int64_t size : mapped.shapeOf(*operand))
      panel *= size;
    bytes += std::max<int64_t>(piece, 2 * llvm::divideCeil(panel, numNodes(grid)));
  }
  int64_t partial = 0; // results of all nodes of a split reduction, gathered
  for (unsigned r : mapped.splitReductions())
    partial += mapped.iterators[r].blocks;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    bytes += (1 + partial) * bytesOf(mapped.layoutOf(init), init);
    if (mapped.stepsResults() && !resultsInDram)
      bytes += bytesOf(mapped.unstepped().layoutOf(init), init);
  }
  return bytes;
}

/// The mapping with one iterator in steps of a width.
static MappingAttr withSteps(MappingAttr mapping, int64_t iterator, int64_t width) {
  return MappingAttr::get(mapping.getContext(), mapping.getDigits(), {iterator, width},
                          mapping.getInner(), mapping.getTile());
}

std::optional<StepChoice> dojo::chooseSteps(linalg::LinalgOp op, int64_t room, bool resultsInDram,
                                            const Coords &grid) {
  // Mappings that break a rule are no candidates.
  ScopedDiagnosticHandler silence(op.getContext(), [](Diagnostic &) { return success(); });
  auto mapping = op->getAttrOfType<MappingAttr>(mappingAttrName);
  FailureOr<MappedOp> now = MappedOp::get(op, mapping, grid);
  if (failed(now))
    return std::nullopt;
  const int64_t least = 2 * now->steps();
  std::optional<StepChoice> best;
  auto isBetter = [&](const StepChoice &choice) {
    if (!best)
      return true;
    bool fits = choice.bytes <= room, bestFits = best->bytes <= room;
    if (fits != bestFits)
      return fits;
    return fits ? std::pair(choice.steps, choice.bytes) < std::pair(best->steps, best->bytes)
                : choice.bytes < best->bytes;
  };
  for (auto [i, range] : llvm::enumerate(op.getStaticLoopRanges())) {
    int64_t unit = mapping.blocks(i) * mapping.multiple(i), last = range;
    for (int64_t steps = least; last > unit; ++steps) {
      int64_t width = llvm::alignTo(llvm::divideCeil(range, steps), unit);
      if (width >= last)
        continue;
      last = width;
      FailureOr<MappedOp> mapped = MappedOp::get(op, withSteps(mapping, i, width), grid);
      if (failed(mapped) || mapped->steps() < least)
        continue;
      StepChoice choice{mapped->mapping, mapped->steps(),
                        estimateBytes(*mapped, resultsInDram, grid)};
      if (isBetter(choice))
        best = choice;
      if (choice.bytes <= room)
        break;
    }
  }
  return best;
}
