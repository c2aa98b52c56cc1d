//===- SimdPlan.cpp - lanes and register blocks ---------------------------===//
#include "Simd.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::kernels;

/// Vector registers a plan may count on; the rest is for what estimates miss.
static constexpr unsigned registerBudget = isa::numVectorRegs - 4;
/// Instructions of one block, about; and the points of an unrolled reduction.
static constexpr unsigned blockInstructions = 160;
static constexpr int64_t longestPartialUnroll = 8;
/// Cycles from an arithmetic result to its use.
static constexpr unsigned latency = 4;

/// Unit or zero stride in every input; a parallel iterator unit in every output;
/// the lanes of a reduction can be combined at its end.
static bool fitsLanes(const Nest &nest, unsigned j) {
  const Iterator &iterator = nest.iterators[j];
  if (iterator.extent % isa::numLanes)
    return false;
  if (iterator.reduction && !llvm::all_of(llvm::seq<unsigned>(0, nest.outputs().size()),
                                          [&](unsigned o) { return matchCombiner(nest, o); }))
    return false;
  auto unit = [&](const Access &a) { return a.stride(j) == a.bytes; };
  return llvm::all_of(nest.inputs(),
                      [&](const Access &a) { return !a.base || !a.stride(j) || unit(a); }) &&
         (iterator.reduction || llvm::all_of(nest.outputs(), unit));
}

static std::optional<unsigned> chooseVector(const Nest &nest) {
  std::optional<unsigned> best;
  auto merit = [&](unsigned j) {
    return std::make_pair(
        !nest.iterators[j].reduction,
        llvm::count_if(nest.accesses, [&](const Access &a) { return a.stride(j) != 0; }));
  };
  for (unsigned j = 0; j < nest.iterators.size(); ++j)
    if (fitsLanes(nest, j) && (!best || merit(j) > merit(*best)))
      best = j;
  return best;
}

namespace {

/// A candidate: how many points, in vectors, one block has of some iterators.
struct Unroll {
  SmallVector<std::pair<unsigned, int64_t>, 2> factors;

  int64_t of(const Access &access) const {
    int64_t distinct = 1;
    for (auto [j, factor] : factors)
      distinct *= access.stride(j) ? factor : 1;
    return distinct;
  }
  int64_t points() const {
    int64_t product = 1;
    for (auto [j, factor] : factors)
      product *= factor;
    return product;
  }
};

struct Estimate {
  bool fits;
  double cyclesPerPoint;
  unsigned loads;     ///< registers for what is loaded
  unsigned constants; ///< registers left for constants
};

class Planner {
public:
  Planner(const Nest &nest, const BodyCost &cost) : nest(nest), cost(cost) {
    plan.vector = chooseVector(nest);
    plan.blocks.assign(nest.iterators.size(), 1);
    if (plan.vector)
      plan.blocks[*plan.vector] = isa::numLanes;
  }

  SimdPlan run() {
    Unroll unroll = chooseUnroll();
    for (auto [j, factor] : unroll.factors)
      plan.blocks[j] *= factor;
    Estimate estimate = this->estimate(unroll);
    plan.constants = std::min(estimate.constants, cost.constants);
    plan.loads = estimate.loads + estimate.constants - plan.constants;
    orderLoops();
    unrollReductions(unroll.points() * cost.operations + estimate.loads, estimate.loads);
    return plan;
  }

private:
  Estimate estimate(const Unroll &unroll) const;
  Unroll chooseUnroll() const;
  void orderLoops();
  void unrollReductions(int64_t instructions, int64_t loads);
  int64_t sharedLoads(unsigned reduction, int64_t factor) const;
  int64_t vectors(unsigned j) const { return nest.iterators[j].extent / plan.blocks[j]; }

  const Nest &nest;
  const BodyCost &cost;
  SimdPlan plan;
};

} // namespace

Estimate Planner::estimate(const Unroll &unroll) const {
  int64_t points = unroll.points(), loads = 0, stores = 0, pointers = 0;
  bool reduction = nest.hasReduction();
  for (const Access &access : nest.inputs())
    if (access.base && access.read) {
      loads += unroll.of(access);
      ++pointers;
    }
  for (const Access &access : nest.outputs()) {
    loads += access.read && !reduction ? unroll.of(access) : 0;
    stores += reduction ? 0 : unroll.of(access);
    pointers += !reduction;
  }
  int64_t accumulators = reduction ? points * nest.outputs().size() : 0;
  int64_t registers = accumulators + loads + points * cost.live;
  int64_t left = std::max<int64_t>(registerBudget - registers, 0);
  int64_t remade = std::max<int64_t>(cost.constants - left, 0);
  double arithmetic = std::max<int64_t>(points, latency) * cost.operations;
  double memory = (loads + stores) / 2.0;
  double overhead = 1 + pointers / 2.0 + 2 * remade;
  int64_t instructions = points * cost.operations + loads + stores;
  return {registers <= registerBudget && instructions <= blockInstructions,
          (std::max(arithmetic, memory) + overhead) / points, unsigned(loads), unsigned(left)};
}

/// Tries every pair of parallel iterators and every pair of divisors.
Unroll Planner::chooseUnroll() const {
  Unroll best;
  double least = estimate(best).cyclesPerPoint;
  auto consider = [&](const Unroll &unroll) {
    Estimate e = estimate(unroll);
    if (e.fits && e.cyclesPerPoint < least * 0.99) {
      least = e.cyclesPerPoint;
      best = unroll;
    }
  };
  auto divisors = [&](unsigned j) {
    SmallVector<int64_t> result;
    for (int64_t f = 1; f <= std::min<int64_t>(vectors(j), registerBudget); ++f)
      if (vectors(j) % f == 0)
        result.push_back(f);
    return result;
  };
  for (unsigned i = 0; i < nest.iterators.size(); ++i) {
    if (nest.iterators[i].reduction)
      continue;
    for (int64_t f : divisors(i)) {
      consider({{{i, f}}});
      for (unsigned j = 0; j < i; ++j)
        if (!nest.iterators[j].reduction)
          for (int64_t g : divisors(j))
            consider({{{j, g}, {i, f}}});
    }
  }
  return best;
}

void Planner::orderLoops() {
  llvm::append_range(plan.order, llvm::seq<unsigned>(0, nest.iterators.size()));
  auto key = [&](unsigned j) {
    const Iterator &iterator = nest.iterators[j];
    const Access &leading = iterator.reduction ? nest.accesses.front() : nest.outputs().front();
    bool innermost = plan.vector == j;
    return std::make_tuple(iterator.reduction, innermost, -std::abs(leading.stride(j)), j);
  };
  llvm::sort(plan.order, [&](unsigned a, unsigned b) { return key(a) < key(b); });
}

/// What several points of the reductions in a block load alike, with `reduction`
/// unrolled by a further `factor`: it is loaded once and lives across them.
int64_t Planner::sharedLoads(unsigned reduction, int64_t factor) const {
  SmallVector<int64_t> counts, steps;
  int64_t points = 1;
  for (unsigned j = 0; j < nest.iterators.size(); ++j) {
    steps.push_back(plan.vector == j ? isa::numLanes : 1);
    counts.push_back(plan.blocks[j] / steps[j] * (j == reduction ? factor : 1));
    points *= counts[j];
  }
  int64_t shared = 0;
  for (const Access &access : nest.inputs()) {
    if (!access.base || !access.read)
      continue;
    // By offset, the reduction points that load it.
    llvm::DenseMap<int64_t, llvm::SmallDenseSet<int64_t>> loaders;
    for (int64_t p = 0; p < points; ++p) {
      int64_t rest = p, offset = 0, reductionPoint = 0;
      for (unsigned j = 0; j < counts.size(); ++j) {
        int64_t index = rest % counts[j];
        rest /= counts[j];
        offset += index * steps[j] * access.stride(j);
        if (nest.iterators[j].reduction)
          reductionPoint = reductionPoint * counts[j] + index;
      }
      loaders[offset].insert(reductionPoint);
    }
    shared += llvm::count_if(loaders, [](auto &entry) { return entry.second.size() > 1; });
  }
  return shared;
}

/// `loads` of a point are under way while the shared ones wait.
void Planner::unrollReductions(int64_t instructions, int64_t loads) {
  int64_t accumulators = nest.outputs().size();
  for (unsigned j = 0; j < nest.iterators.size(); ++j)
    if (!nest.iterators[j].reduction)
      accumulators *= plan.blocks[j] / (plan.vector == j ? isa::numLanes : 1);
  for (unsigned j : llvm::reverse(plan.order)) {
    if (!nest.iterators[j].reduction)
      return;
    int64_t extent = vectors(j);
    int64_t most = std::max<int64_t>(blockInstructions / std::max<int64_t>(instructions, 1), 1);
    int64_t factor = extent;
    if (factor > most)
      factor = std::min(most, longestPartialUnroll);
    while (extent % factor ||
           (factor > 1 && accumulators + loads + sharedLoads(j, factor) > registerBudget))
      --factor;
    plan.blocks[j] *= factor;
    instructions *= factor;
    if (factor != extent)
      return;
  }
}

SimdPlan kernels::planSimd(const Nest &nest, const BodyCost &cost) {
  return Planner(nest, cost).run();
}
