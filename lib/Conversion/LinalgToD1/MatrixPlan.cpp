//===- MatrixPlan.cpp - tiles and accumulator blocks ----------------------===//
#include "Matrix.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::kernels;

/// Vector registers for the operand tiles of one step.
static constexpr int64_t operandRegisters = isa::numVectorRegs - 8;
/// Tiles of a block: one bank of accumulators. As many hide the latency of the
/// matrix unit, and leave the loop registers for the operands under way.
static constexpr int64_t mostTiles = isa::numAccRegs / 2;
/// Matrix instructions in the innermost loop, at most, and steps of k.
static constexpr int64_t loopInstructions = 64, longestUnroll = 2;

namespace {

class Planner {
public:
  Planner(const Nest &nest, unsigned a, unsigned b)
      : nest(nest), a(nest.accesses[a]), b(nest.accesses[b]), c(nest.outputs().front()) {
    plan.a = a;
    plan.b = b;
    plan.tile.assign(nest.iterators.size(), 1);
  }

  std::optional<MatrixPlan> run() {
    if (!a.element.isBF16() || !b.element.isBF16() || !findColumns() || !findDepth() || !findRows())
      return std::nullopt;
    plan.blocks = plan.tile;
    chooseBlocks();
    unrollDepth();
    return plan;
  }

private:
  bool isColumn(unsigned j) const {
    return !nest.iterators[j].reduction && !a.stride(j) && b.stride(j) == b.bytes &&
           c.stride(j) == c.bytes;
  }
  bool isRow(unsigned j) const {
    return !nest.iterators[j].reduction && !b.stride(j) && a.stride(j) && c.stride(j);
  }
  bool isDepth(unsigned j) const {
    return nest.iterators[j].reduction && a.stride(j) == a.bytes && b.stride(j);
  }
  bool divides(int64_t size, unsigned j) const { return nest.iterators[j].extent % size == 0; }
  unsigned numIterators() const { return nest.iterators.size(); }

  bool findColumns() {
    for (plan.n = 0; plan.n < numIterators(); ++plan.n)
      if (isColumn(plan.n) && divides(isa::matrixColumns, plan.n)) {
        plan.tile[plan.n] = isa::matrixColumns;
        return true;
      }
    return false;
  }
  bool findDepth() {
    for (plan.k = 0; plan.k < numIterators(); ++plan.k)
      if (isDepth(plan.k) && divides(isa::matrixDepth, plan.k)) {
        plan.tile[plan.k] = isa::matrixDepth;
        return true;
      }
    return false;
  }
  bool findRows();
  void chooseBlocks();
  void unrollDepth();
  int64_t tiles(unsigned j) const { return nest.iterators[j].extent / plan.tile[j]; }

  const Nest &nest;
  const Access &a, &b, &c;
  MatrixPlan plan;
};

} // namespace

bool Planner::findRows() {
  for (unsigned j = 0; j < numIterators(); ++j)
    if (isRow(j) && divides(isa::matrixRows, j)) {
      plan.rowInner = plan.rowOuter = j;
      plan.rowsInner = plan.tile[j] = isa::matrixRows;
      return true;
    }
  for (int64_t inner : {4, 2})
    for (unsigned i = 0; i < numIterators(); ++i)
      for (unsigned o = 0; o < numIterators(); ++o)
        if (i != o && isRow(i) && isRow(o) && divides(inner, i) &&
            divides(isa::matrixRows / inner, o)) {
          plan.rowInner = i;
          plan.rowOuter = o;
          plan.rowsInner = plan.tile[i] = inner;
          plan.tile[o] = isa::matrixRows / inner;
          return true;
        }
  return false;
}

/// Fewest instructions a matrix instruction: each tile of an operand costs its
/// load and its address.
void Planner::chooseBlocks() {
  double least = 1e9;
  SmallVector<int64_t> best = plan.tile;
  for (unsigned j = 0; j < numIterators(); ++j) {
    if (nest.iterators[j].reduction || j == plan.n)
      continue;
    for (int64_t f = 1; f <= std::min(tiles(j), mostTiles); ++f)
      for (int64_t g = 1; g <= std::min(tiles(plan.n), mostTiles); ++g) {
        int64_t loads = (a.stride(j) ? f : 1) + g * (b.stride(j) ? f : 1);
        if (tiles(j) % f || tiles(plan.n) % g || f * g > mostTiles || loads > operandRegisters)
          continue;
        double cost = (2.0 * loads + 3) / (f * g);
        if (cost < least) {
          least = cost;
          best = plan.tile;
          best[j] *= f;
          best[plan.n] *= g;
        }
      }
  }
  plan.blocks = best;
}

void Planner::unrollDepth() {
  int64_t accumulators = 1;
  for (unsigned j = 0; j < numIterators(); ++j)
    accumulators *= plan.blocks[j] / plan.tile[j];
  int64_t factor = std::min(longestUnroll, std::max<int64_t>(loopInstructions / accumulators, 1));
  while (tiles(plan.k) % factor)
    --factor;
  plan.blocks[plan.k] *= factor;
}

std::optional<MatrixPlan> kernels::planMatrix(const Nest &nest) {
  if (!isContractionToF32(nest))
    return std::nullopt;
  if (auto plan = Planner(nest, 0, 1).run())
    return plan;
  return Planner(nest, 1, 0).run();
}
