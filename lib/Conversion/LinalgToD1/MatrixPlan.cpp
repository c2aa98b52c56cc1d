//===- MatrixPlan.cpp - tiles and accumulator blocks ----------------------===//
#include "Matrix.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::kernels;

/// Tiles of one operand, of which the loop holds those of two steps.
static constexpr int64_t mostHeldTiles = isa::numVectorRegs / 2 - 4;
/// Matrix instructions in the innermost loop, at most, and steps of k.
static constexpr int64_t loopInstructions = 32, longestUnroll = 2;

namespace {

class Planner {
public:
  Planner(const Nest &nest, const Machine &machine, unsigned a, unsigned b)
      : nest(nest), machine(machine), a(nest.accesses[a]), b(nest.accesses[b]),
        c(nest.outputs().front()) {
    plan.a = a;
    plan.b = b;
    plan.tile.assign(nest.iterators.size(), 1);
  }

  std::optional<MatrixPlan> run() {
    if (!a.element.isBF16() || !b.element.isBF16() || !findColumns() || !findDepth() || !findRows())
      return std::nullopt;
    chooseBlocks();
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
  /// Tries every number of tiles along iterator j and those behind it that divides theirs.
  void tryBlocks(unsigned j);
  void keepBest();
  int64_t unrolled(int64_t accumulators) const;
  double cyclesOfStep(int64_t accumulators, int64_t loads) const;
  int64_t tiles(unsigned j) const { return nest.iterators[j].extent / plan.tile[j]; }

  const Nest &nest;
  const Machine &machine;
  const Access &a, &b, &c;
  MatrixPlan plan;
  SmallVector<int64_t> factors; ///< tiles of a block along each iterator
  std::pair<double, double> least;
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

/// Steps of k in one iteration of the innermost loop.
int64_t Planner::unrolled(int64_t accumulators) const {
  int64_t factor = std::min(longestUnroll, std::max<int64_t>(loopInstructions / accumulators, 1));
  while (tiles(plan.k) % factor)
    --factor;
  return factor;
}

/// An accumulator's steps follow each other by the latency of the unit. A tile of an
/// operand costs its load and its address.
double Planner::cyclesOfStep(int64_t accumulators, int64_t loads) const {
  int64_t issued =
      std::max({llvm::divideCeil(accumulators, machine.matrixIssue),
                llvm::divideCeil(loads, std::min(machine.addressIssue, machine.vectorReadPorts)),
                llvm::divideCeil(loads, machine.integerIssue), uint64_t(machine.matrixLatency)});
  return issued + double(machine.branchLatency - 1) / unrolled(accumulators);
}

void Planner::keepBest() {
  int64_t accumulators = 1, tilesOfA = 1, tilesOfB = 1, blocks = 1, steps = 1;
  for (unsigned j = 0; j < numIterators(); ++j) {
    if (nest.iterators[j].reduction) {
      steps *= tiles(j);
      continue;
    }
    accumulators *= factors[j];
    tilesOfA *= a.stride(j) ? factors[j] : 1;
    tilesOfB *= b.stride(j) ? factors[j] : 1;
    blocks *= tiles(j) / factors[j];
  }
  if (std::min(tilesOfA, tilesOfB) > mostHeldTiles)
    return;
  int64_t loads = tilesOfA + tilesOfB;
  unsigned banks = accumulators * 2 <= isa::numAccRegs ? 2 : 1;
  // Rows leave an accumulator in the SIMD slot, beside the first steps of the next block.
  int64_t stored = accumulators * isa::matrixRows / 2;
  int64_t started = accumulators * (1 + unrolled(accumulators));
  int64_t between = std::max<int64_t>(stored - started, 0) + machine.simdLatency +
                    (banks == 1 ? 2 * machine.matrixLatency : 0);
  double cycles = blocks * (steps * cyclesOfStep(accumulators, loads) + accumulators + between);
  std::pair<double, double> cost{cycles, double(loads) / accumulators};
  if (!plan.blocks.empty() && cost >= least)
    return;
  least = cost;
  plan.banks = banks;
  plan.blocks = plan.tile;
  for (unsigned j = 0; j < numIterators(); ++j)
    plan.blocks[j] *= factors[j];
  plan.blocks[plan.k] *= unrolled(accumulators);
}

void Planner::tryBlocks(unsigned j) {
  if (j == numIterators())
    return keepBest();
  int64_t before = 1;
  for (unsigned i = 0; i < j; ++i)
    before *= factors[i];
  int64_t most =
      nest.iterators[j].reduction ? 1 : std::min<int64_t>(tiles(j), isa::numAccRegs / before);
  for (factors[j] = 1; factors[j] <= most; ++factors[j])
    if (tiles(j) % factors[j] == 0)
      tryBlocks(j + 1);
}

void Planner::chooseBlocks() {
  factors.assign(numIterators(), 1);
  tryBlocks(0);
}

std::optional<MatrixPlan> kernels::planMatrix(const Nest &nest, const Machine &machine) {
  if (!isContractionToF32(nest))
    return std::nullopt;
  if (auto plan = Planner(nest, machine, 0, 1).run())
    return plan;
  return Planner(nest, machine, 1, 0).run();
}
