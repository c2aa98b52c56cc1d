//===- MappingSearchTest.cpp ----------------------------------------------===//
#include "dojo/Scheduling/MappingSearch.h"
#include "llvm/Support/MathExtras.h"
#include "gtest/gtest.h"
#include <random>

using namespace dojo;
using namespace dojo::sched;

/// FP32 matmul: result[i, j] += left[i, k] * right[k, j], on a 2 x 2 grid.
static MappingProblem matmul(int64_t m, int64_t n, int64_t k, int64_t budget) {
  MappingProblem problem;
  problem.iterators = {{m, true, 1, false}, {n, true, 1, false}, {k, true, 1, false, true}};
  problem.operands = {{4, true, {{1, 0, 0}, {0, 0, 1}}},
                      {4, true, {{0, 0, 1}, {0, 1, 0}}},
                      {4, false, {{1, 0, 0}, {0, 1, 0}}}};
  problem.grid = {1, 1, 2, 2};
  problem.sramBudget = budget;
  problem.workPerCycle = 8;
  problem.bytesPerCycle = 16;
  problem.tileRows = 1;
  return problem;
}

static constexpr Axis y = static_cast<Axis>(2), x = static_cast<Axis>(3);

TEST(MappingSearch, CostOfOneNode) {
  MappingCost cost = evaluate(matmul(4, 8, 16, 1 << 20), {{}, {1, 1, 1}});
  // 512 points / 8 + (256 + 512 bytes) / 16; the result adds 128 bytes of SRAM.
  EXPECT_DOUBLE_EQ(cost.cycles, 64 + 48);
  EXPECT_EQ(cost.sramBytes, 256 + 512 + 128);
}

TEST(MappingSearch, CostOfRowsAndColumns) {
  MappingCost cost = evaluate(matmul(4, 8, 16, 1 << 20), {{{y, 0, 2}, {x, 1, 2}}, {1, 1, 1}});
  EXPECT_DOUBLE_EQ(cost.cycles, 16 + 24);
  EXPECT_EQ(cost.sramBytes, 128 + 256 + 32);
}

TEST(MappingSearch, CostOfSplitReduction) {
  MappingCost cost = evaluate(matmul(4, 8, 16, 1 << 20), {{{y, 2, 2}}, {1, 1, 1}});
  // Two partial results of 128 bytes are gathered in a phase of its own.
  EXPECT_DOUBLE_EQ(cost.cycles, 32 + (128 + 256 + 256) / 16.0 + MappingProblem::cyclesOfAPhase);
  EXPECT_EQ(cost.sramBytes, 128 + 256 + 128 + 256);
}

TEST(MappingSearch, CostOfRoundedExtents) {
  MappingCost cost = evaluate(matmul(3, 8, 16, 1 << 20), {{{y, 0, 2}}, {4, 1, 1}});
  EXPECT_DOUBLE_EQ(cost.cycles, 64 + 48);
}

/// 8 rows of 16 numbers out of 64: out[i, c] += index[i] == row[r] ? table[r, c] : 0.
static MappingProblem lookup() {
  MappingProblem problem = matmul(8, 16, 64, 1 << 20);
  problem.iterators[2].isFound = true;
  problem.operands = {{4, true, {{1, 0, 0}}},
                      {4, true, {{0, 0, 1}}},
                      {4, true, {{0, 0, 1}, {0, 1, 0}}, true},
                      {4, false, {{1, 0, 0}, {0, 1, 0}}}};
  return problem;
}

TEST(MappingSearch, CostOfALookupDoesNotKnowItsTable) {
  // 128 points / 8; indices, numbers and, repeated, the table arrive.
  EXPECT_DOUBLE_EQ(evaluate(lookup(), {{}, {1, 1, 1}}).cycles, 16 + (32 + 256 + 4096) / 16.0);
}

TEST(MappingSearch, WhatRestsOnItsNodeIsNotMoved) {
  // Each element of the table on one node, then with rows repeated along x.
  EXPECT_DOUBLE_EQ(evaluate(lookup(), {{{y, 2, 2}, {x, 1, 2}}, {1, 1, 1}}).cycles,
                   8 + (32 + 128 + 2 * 256) / 16.0 + MappingProblem::cyclesOfAPhase);
  EXPECT_DOUBLE_EQ(evaluate(lookup(), {{{y, 1, 2}}, {1, 1, 1}}).cycles,
                   8 + (32 + 256 + 2048) / 16.0);
}

TEST(MappingSearch, FitsTheBudgetWhenSomethingFits) {
  // Only rows and columns cut in two fit 416 bytes.
  MappingProblem problem = matmul(4, 8, 16, 416);
  EXPECT_LE(evaluate(problem, solve(problem)).sramBytes, 416);
}

/// One legal solution: each axis cuts at most two iterators.
static MappingSolution randomSolution(const MappingProblem &problem, std::mt19937 &random) {
  MappingSolution solution;
  for (const auto &it : problem.iterators)
    solution.multiples.push_back(it.multiple);
  for (Axis axis : {y, x}) {
    int64_t left = problem.grid[static_cast<unsigned>(axis)];
    for (unsigned i = random() % 2; i < problem.iterators.size(); i += 1 + random() % 3) {
      int64_t blocks = 1 + random() % std::min(left, problem.iterators[i].range);
      if (blocks == 1)
        continue;
      solution.cuts.push_back({axis, i, blocks});
      left /= blocks;
    }
  }
  return solution;
}

TEST(MappingSearch, NoWorseThanRandomSolutions) {
  std::mt19937 random(1);
  for (unsigned round = 0; round < 20; ++round) {
    auto range = [&] { return int64_t(4 + random() % 60); };
    MappingProblem problem = matmul(range(), range(), range(), 1 << 20);
    problem.grid = {1, 1, 3, 3}; // a product of two cuts is one cut already
    double best = evaluate(problem, solve(problem)).cycles;
    for (unsigned i = 0; i < 1000; ++i)
      ASSERT_LE(best, evaluate(problem, randomSolution(problem, random)).cycles);
  }
}

TEST(MappingSearch, CutsAnEvenReductionIntoEqualBlocks) {
  // A sum over 1,000,001 = 101 * 9,901 points has no other equal blocks; one over 1,000,000 has.
  MappingProblem problem;
  problem.operands = {{4, true, {{1}}}, {4, false, {}}};
  problem.grid = {1, 1, 4, 3};
  problem.sramBudget = 8 << 20;
  problem.workPerCycle = 16;
  problem.bytesPerCycle = 64;
  problem.tileRows = 1;
  problem.iterators = {{1000001, true, 1, false, true, true}};
  EXPECT_TRUE(solve(problem).cuts.empty());
  problem.iterators[0].range = 1000000;
  MappingSolution solution = solve(problem);
  ASSERT_EQ(solution.cuts.size(), 2u);
  EXPECT_EQ(solution.cuts[0].blocks * solution.cuts[1].blocks, 8);
}
