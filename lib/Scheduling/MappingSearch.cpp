//===- MappingSearch.cpp - cut a loop nest over the grid ------------------===//
#include "dojo/Scheduling/MappingSearch.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/MathExtras.h"

using namespace dojo;
using namespace dojo::sched;

namespace {

/// The digits of one axis: at most two iterators.
using AxisChoice = llvm::SmallVector<MappingSolution::Cut, 2>;

using Numbers = llvm::SmallVector<int64_t, 8>;

} // namespace

static Numbers blocksOf(const MappingProblem &problem, llvm::ArrayRef<AxisChoice> axes) {
  Numbers count(problem.iterators.size(), 1), block;
  for (const AxisChoice &choice : axes)
    for (const MappingSolution::Cut &cut : choice)
      count[cut.iterator] *= cut.blocks;
  for (auto [it, n] : llvm::zip(problem.iterators, count))
    block.push_back(llvm::divideCeil(it.range, n));
  return block;
}

/// Rounds local ranges up: to each iterator's own multiple, then the rows of a
/// matrix tile over the one or two row iterators that waste least.
static Numbers multiplesFor(const MappingProblem &problem, llvm::ArrayRef<int64_t> block) {
  Numbers best;
  for (const auto &it : problem.iterators)
    best.push_back(it.multiple);
  if (problem.tileRows == 1)
    return best;
  Numbers plain = best;
  double bestWaste = 0;
  auto consider = [&](unsigned i, int64_t rowsI, unsigned j, int64_t rowsJ) {
    double waste = double(llvm::alignTo(block[i], rowsI)) / block[i];
    if (j != i)
      waste *= double(llvm::alignTo(block[j], rowsJ)) / block[j];
    if (bestWaste != 0 && waste >= bestWaste)
      return;
    bestWaste = waste;
    best = plain;
    best[i] = rowsI;
    if (j != i)
      best[j] = rowsJ;
  };
  for (unsigned i = 0; i < block.size(); ++i) {
    if (!problem.iterators[i].isRow)
      continue;
    consider(i, problem.tileRows, i, 1);
    for (unsigned j = i + 1; j < block.size(); ++j)
      for (int64_t rows = 2; problem.iterators[j].isRow && rows < problem.tileRows; rows *= 2)
        consider(i, rows, j, problem.tileRows / rows);
  }
  return best;
}

/// Partial results of each point of the result.
static int64_t partialsOf(const MappingProblem &problem, llvm::ArrayRef<int64_t> block) {
  int64_t partials = 1;
  for (auto [it, b] : llvm::zip(problem.iterators, block))
    if (it.isReduction)
      partials *= llvm::divideCeil(it.range, b);
  return partials;
}

/// Whether no two nodes hold the same element of the operand.
static bool heldOnce(const MappingProblem &problem, const MappingProblem::Operand &operand,
                     llvm::ArrayRef<AxisChoice> axes) {
  llvm::SmallBitVector digitsOn(numAxes);
  for (const AxisChoice &choice : axes)
    for (const MappingSolution::Cut &cut : choice) {
      digitsOn.set(static_cast<unsigned>(cut.axis));
      if (llvm::none_of(operand.forms, [&](auto &form) { return form[cut.iterator] != 0; }))
        return false;
    }
  for (unsigned a = 0; a < numAxes; ++a)
    if (problem.grid[a] > 1 && !digitsOn.test(a))
      return false;
  return true;
}

static MappingCost costOf(const MappingProblem &problem, llvm::ArrayRef<AxisChoice> axes,
                          llvm::ArrayRef<int64_t> block, llvm::ArrayRef<int64_t> multiples) {
  Numbers extent;
  double work = 1;
  for (auto [it, b, m] : llvm::zip(problem.iterators, block, multiples)) {
    extent.push_back(llvm::alignTo(b, m));
    work *= it.isFound ? 1 : extent.back();
  }
  int64_t sram = 0, moved = 0, resultBytes = 0;
  for (const MappingProblem::Operand &operand : problem.operands) {
    int64_t bytes = operand.elementBytes;
    for (const auto &form : operand.forms) {
      int64_t size = 1;
      for (unsigned i = 0; i < extent.size(); ++i)
        size += form[i] * (extent[i] - 1);
      bytes *= size;
    }
    sram += bytes;
    bool stays = operand.rests && heldOnce(problem, operand, axes);
    moved += operand.isMoved && !stays ? bytes : 0;
    resultBytes = bytes;
  }
  double phases = 0;
  if (int64_t partials = partialsOf(problem, block); partials > 1) {
    moved += partials * resultBytes;
    sram += partials * resultBytes;
    phases = MappingProblem::cyclesOfAPhase;
  }
  return {work / problem.workPerCycle + double(moved) / problem.bytesPerCycle + phases, sram};
}

/// Whether iterators that no padding may enter are cut into equal blocks.
static bool isLegal(const MappingProblem &problem, llvm::ArrayRef<AxisChoice> axes) {
  Numbers count(problem.iterators.size(), 1);
  for (const AxisChoice &choice : axes)
    for (const MappingSolution::Cut &cut : choice)
      count[cut.iterator] *= cut.blocks;
  return llvm::all_of(llvm::zip(problem.iterators, count), [](auto pair) {
    auto &[it, n] = pair;
    return !it.isEven || it.range % n == 0;
  });
}

MappingCost sched::evaluate(const MappingProblem &problem, const MappingSolution &solution) {
  AxisChoice all(solution.cuts.begin(), solution.cuts.end());
  return costOf(problem, all, blocksOf(problem, all), solution.multiples);
}

/// Counts that give different block sizes, in units of the iterator's multiple.
static Numbers countsFor(const MappingProblem::Iterator &it, int64_t limit) {
  Numbers counts;
  int64_t units = llvm::divideCeil(it.range, it.multiple);
  for (int64_t n = 2; n <= std::min(limit, units); ++n)
    if (llvm::divideCeil(units, llvm::divideCeil(units, n)) == uint64_t(n))
      counts.push_back(n);
  return counts;
}

static llvm::SmallVector<AxisChoice> choicesFor(const MappingProblem &problem, Axis axis) {
  llvm::SmallVector<AxisChoice> choices{{}};
  int64_t extent = problem.grid[static_cast<unsigned>(axis)];
  for (unsigned i = 0; i < problem.iterators.size(); ++i) {
    if (!problem.iterators[i].canSpread)
      continue;
    for (int64_t n : countsFor(problem.iterators[i], extent)) {
      choices.push_back({{axis, i, n}});
      for (unsigned j = i + 1; j < problem.iterators.size(); ++j)
        if (problem.iterators[j].canSpread)
          for (int64_t m : countsFor(problem.iterators[j], extent / n))
            choices.push_back({{axis, i, n}, {axis, j, m}});
    }
  }
  return choices;
}

MappingSolution sched::solve(const MappingProblem &problem) {
  llvm::SmallVector<llvm::SmallVector<AxisChoice>> choices;
  for (unsigned a = 0; a < numAxes; ++a)
    choices.push_back(choicesFor(problem, static_cast<Axis>(a)));

  MappingSolution best;
  MappingCost bestCost{};
  auto better = [&](const MappingCost &cost) {
    bool fits = cost.sramBytes <= problem.sramBudget;
    bool bestFits = bestCost.sramBytes <= problem.sramBudget;
    if (best.multiples.empty() || fits != bestFits)
      return best.multiples.empty() || fits;
    return fits ? cost.cycles < bestCost.cycles : cost.sramBytes < bestCost.sramBytes;
  };
  std::array<AxisChoice, numAxes> current;
  auto search = [&](auto &self, unsigned axis) -> void {
    if (axis == numAxes) {
      if (!isLegal(problem, current))
        return;
      Numbers block = blocksOf(problem, current), multiples = multiplesFor(problem, block);
      MappingCost cost = costOf(problem, current, block, multiples);
      if (!better(cost))
        return;
      bestCost = cost;
      best.cuts.clear();
      for (const AxisChoice &choice : current)
        best.cuts.append(choice);
      best.multiples.assign(multiples.begin(), multiples.end());
      return;
    }
    for (const AxisChoice &choice : choices[axis]) {
      current[axis] = choice;
      self(self, axis + 1);
    }
  };
  search(search, 0);
  return best;
}
