//===- RegisterAllocationTest.cpp - solver and checker ---------------------===//
#include "dojo/Scheduling/RegisterAllocation.h"
#include "dojo/Scheduling/LiveRanges.h"
#include "gtest/gtest.h"
#include <random>

using namespace dojo::regalloc;
using Values = llvm::SmallVector<ValueId, 4>;

namespace {

/// Writes programs down step by step.
struct Program {
  Problem problem;

  explicit Program(unsigned registers, RegisterSet preserved = 0) {
    problem.files = {{(RegisterSet(1) << registers) - 1, preserved}};
  }

  ValueId value(std::optional<unsigned> fixed = std::nullopt) {
    problem.values.push_back({0, fixed});
    return problem.values.size() - 1;
  }
  ValueId step(StepKind kind, Values uses) {
    ValueId def = value();
    problem.steps.push_back({kind, uses, {def}});
    return def;
  }
  ValueId op(Values uses = {}) { return step(StepKind::op, uses); }
  ValueId copy(ValueId from) { return step(StepKind::copy, {from}); }
  void use(Values uses) { problem.steps.push_back({StepKind::op, uses, {}}); }
  void call(Values uses = {}) { problem.steps.push_back({StepKind::call, uses, {}}); }

  Values defs(unsigned count) {
    Values values;
    for (unsigned i = 0; i < count; ++i)
      values.push_back(value());
    return values;
  }
  Values repeat(Values inits) {
    Values carried = defs(inits.size());
    problem.steps.push_back({StepKind::repeatBegin, inits, {}});
    problem.steps.back().defs.append(carried.begin(), carried.end());
    return carried;
  }
  Values endRepeat(Values next) {
    Values results = defs(next.size());
    problem.steps.push_back({StepKind::repeatEnd, next, {}});
    problem.steps.back().defs.append(results.begin(), results.end());
    return results;
  }
};

std::optional<Solution> solved(const Program &program) {
  auto result = solve(program.problem);
  if (auto *solution = std::get_if<Solution>(&result))
    return *solution;
  return std::nullopt;
}

Failure failed(const Program &program) { return std::get<Failure>(solve(program.problem)); }

TEST(RegisterAllocation, ALoopCarriesItsValueInOneRegister) {
  Program p(2);
  ValueId bound = p.op(), init = p.op();
  Values carried = p.repeat({init});
  ValueId next = p.op({carried[0], bound});
  Values result = p.endRepeat({next});
  p.use({result[0]});
  std::optional<Solution> solution = solved(p);
  ASSERT_TRUE(solution);
  EXPECT_EQ(check(p.problem, *solution), std::nullopt);
  EXPECT_EQ((*solution)[init], (*solution)[result[0]]);
  EXPECT_NE((*solution)[bound], (*solution)[next]);
}

TEST(RegisterAllocation, AValueUsedInOneBranchIsNotLiveInTheOther) {
  Program p(1);
  ValueId a = p.op();
  p.problem.steps.push_back({StepKind::ifBegin, {}, {}});
  p.use({a});
  p.problem.steps.push_back({StepKind::ifElse, {}, {}});
  ValueId b = p.op();
  p.use({b});
  p.problem.steps.push_back({StepKind::ifEnd, {}, {}});
  EXPECT_TRUE(solved(p));
}

TEST(RegisterAllocation, AValueFromOutsideLivesThroughTheLoop) {
  Program p(1);
  ValueId outside = p.op();
  p.repeat({});
  p.use({outside});
  p.use({p.op()});
  p.endRepeat({});
  Failure failure = failed(p);
  EXPECT_EQ(failure.reason, Failure::Reason::pressure);
  EXPECT_EQ(failure.needed, 2u);
  EXPECT_EQ(failure.available, 1u);
}

TEST(RegisterAllocation, OnlyPreservedRegistersOutliveACall) {
  Program p(4, 0b1000);
  ValueId kept = p.op();
  p.call();
  p.use({kept});
  std::optional<Solution> solution = solved(p);
  ASSERT_TRUE(solution);
  EXPECT_EQ((*solution)[kept], 3u);

  ValueId one = p.op(), two = p.op();
  p.call();
  p.use({one, two});
  EXPECT_EQ(failed(p).needed, 2u);
}

TEST(RegisterAllocation, ACopyVanishesUnlessBothSidesLive) {
  Program p(4);
  ValueId a = p.op(), b = p.copy(a);
  p.use({b});
  ValueId c = p.op(), d = p.copy(c);
  p.use({c, d});
  std::optional<Solution> solution = solved(p);
  ASSERT_TRUE(solution);
  EXPECT_EQ((*solution)[a], (*solution)[b]);
  EXPECT_NE((*solution)[c], (*solution)[d]);
}

TEST(RegisterAllocation, AnUpdatedValueCannotLiveOn) {
  Program p(4);
  ValueId old = p.op();
  ValueId fresh = p.step(StepKind::update, {old});
  p.use({old, fresh});
  EXPECT_EQ(failed(p).reason, Failure::Reason::tie);
}

TEST(RegisterAllocation, RecomputingRelievesTheWorstStep) {
  Program p(2);
  ValueId constant = p.op(), a = p.op(), b = p.op({a});
  p.use({a, b});
  p.use({constant});
  std::vector<ValueId> chosen = chooseRecomputed(p.problem, failed(p), {true, false, false});
  EXPECT_EQ(chosen, std::vector<ValueId>{constant});
  EXPECT_TRUE(chooseRecomputed(p.problem, failed(p), {false, false, false}).empty());
}

TEST(RegisterAllocation, WhatALoopReadsIsRecomputedLast) {
  Program p(2);
  ValueId inLoop = p.op(), outside = p.op(), counter = p.op();
  p.use({counter});
  p.repeat({});
  p.use({inLoop});
  p.endRepeat({});
  // Many uses in one stretch are one computation; so the use in the loop is dearer.
  for (int i = 0; i < 10; ++i)
    p.use({outside});
  p.repeat({});
  p.endRepeat({});
  p.use({outside});
  std::vector<ValueId> chosen = chooseRecomputed(p.problem, failed(p), {true, true, false});
  EXPECT_EQ(chosen, std::vector<ValueId>{outside});
}

TEST(RegisterCheck, FindsAValueThatWasOverwritten) {
  Program p(2);
  ValueId a = p.op(), b = p.op();
  p.use({a, b});
  EXPECT_EQ(check(p.problem, {0, 1}), std::nullopt);
  EXPECT_EQ(check(p.problem, {0, 0}), "step 2 does not find value 0 in register 0");
}

TEST(RegisterCheck, FindsAValueThatOnlyTheFirstIterationSees) {
  Program p(2);
  ValueId outside = p.op();
  p.repeat({});
  p.use({outside});
  p.use({p.op()});
  p.endRepeat({});
  EXPECT_EQ(check(p.problem, {0, 1}), std::nullopt);
  EXPECT_NE(check(p.problem, {0, 0}), std::nullopt);
}

TEST(RegisterCheck, FindsBrokenTiesAndPlaces) {
  Program p(2);
  ValueId old = p.op();
  p.use({p.step(StepKind::update, {old})});
  EXPECT_EQ(check(p.problem, {0, 1}),
            "step 1 ties values 0 and 1, which stand in different registers");
  EXPECT_EQ(check(p.problem, {0, 5}), "value 1 stands in register 5, which is not its own");
}

TEST(RegisterCheck, FindsAValueLostInACall) {
  Program p(2, 0b10);
  ValueId kept = p.op();
  p.call();
  p.use({kept});
  EXPECT_EQ(check(p.problem, {1}), std::nullopt);
  EXPECT_NE(check(p.problem, {0}), std::nullopt);
}

/// Straight lines and loops over a pool of values; carried values are copied in
/// and out as allocation's callers do.
class RandomCode {
public:
  RandomCode(unsigned seed, unsigned registers) : p(registers, 0b110), random(seed) { fill(0); }
  Program p;

private:
  std::mt19937 random;
  Values pool;

  ValueId any() {
    if (pool.empty())
      pool.push_back(p.op());
    return pool[pool.size() - 1 - random() % std::min<size_t>(pool.size(), 5)];
  }

  Values copies(const Values &values) {
    Values result;
    for (ValueId value : values)
      result.push_back(p.copy(value));
    return result;
  }

  void fill(unsigned depth) {
    for (unsigned i = 0; i < 6; ++i) {
      unsigned what = random() % 10;
      if (what == 0 && depth < 3)
        loop(depth);
      else if (what == 1)
        p.use({any(), any()});
      else
        pool.push_back(p.op({any(), any()}));
    }
  }

  void loop(unsigned depth) {
    Values inits;
    for (unsigned i = random() % 4; i > 0; --i)
      inits.push_back(any());
    Values carried = p.repeat(copies(inits)), saved = pool;
    pool.append(copies(carried));
    fill(depth + 1);
    Values next;
    for (unsigned i = 0; i < inits.size(); ++i)
      next.push_back(any());
    Values results = p.endRepeat(copies(next));
    pool = saved;
    pool.append(results);
  }
};

TEST(RegisterAllocation, WhateverItFindsIsRight) {
  unsigned found = 0;
  for (unsigned seed = 0; seed < 500; ++seed) {
    RandomCode code(seed, 12);
    std::optional<Solution> solution = solved(code.p);
    if (!solution) {
      EXPECT_GT(failed(code.p).needed, 12u) << "seed " << seed;
      continue;
    }
    ++found;
    EXPECT_EQ(check(code.p.problem, *solution), std::nullopt) << "seed " << seed;
  }
  EXPECT_GT(found, 300u);
}

} // namespace
