//===- InstructionScheduleTest.cpp - schedules, bounds and their checker --===//
#include "dojo/Scheduling/InstructionSchedule.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <random>

using namespace dojo::sched;
using ::testing::HasSubstr;

namespace {

using Parsed = std::pair<Problem, std::optional<Solution>>;

Parsed parsed(llvm::StringRef text) {
  llvm::Expected<Parsed> result = parseSchedule(text);
  if (result)
    return *result;
  ADD_FAILURE() << llvm::toString(result.takeError());
  return {};
}

std::string parseError(llvm::StringRef text) {
  llvm::Expected<Parsed> result = parseSchedule(text);
  return result ? "" : llvm::toString(result.takeError());
}

/// Adds up vectors: two loads a cycle might issue, one addition.
constexpr llvm::StringLiteral sum = R"(
resource load 2
resource simd 1
file vector 4
inst a load -> vector
inst b load -> vector
inst s simd -> vector
inst t simd -> vector
edge a s 4 value
edge b t 4 value
edge s s 4 1 value
edge t t 4 1 value
)";

TEST(InstructionSchedule, TextComesBackAsItWas) {
  std::string text = "resource load 2\nfile vector 4\ninst a load -> vector kept @ 0\n"
                     "inst b load @ 4\nedge a b 4 0 value\ninterval 5\n";
  Parsed both = parsed(text);
  ASSERT_TRUE(both.second);
  EXPECT_EQ(printSchedule(both.first, &*both.second), text);
}

TEST(InstructionSchedule, TextThatSaysNothingIsRefused) {
  EXPECT_EQ(parseError("inst a load"), "line 1: unknown resource 'load'");
  EXPECT_EQ(parseError("inst a -> v"), "line 1: unknown file 'v'");
  EXPECT_EQ(parseError("inst a\ninst a"), "line 2: 'a' stands twice");
  EXPECT_EQ(parseError("inst a\nedge a b 1"), "line 2: unknown instruction 'b'");
  EXPECT_EQ(parseError("inst a\ninst b\nedge b a 1"),
            "line 3: an edge of distance 0 leads backward");
  EXPECT_EQ(parseError("inst a\nedge a a 1 1 value"),
            "line 2: a value has a file, and a distance of 1 at most");
  EXPECT_EQ(parseError("inst a\nedge a a 1 2 3"),
            "line 2: an edge has a latency and perhaps a distance");
  EXPECT_EQ(parseError("resource load many"), "line 1: expected a number, found 'many'");
  EXPECT_EQ(parseError("inst a @ 1\ninst b"), "only some instructions have a cycle");
  EXPECT_EQ(parseError("what is this"), "line 1: cannot read 'what' with 2 words");
}

TEST(InstructionSchedule, BoundsAreThoseOfSlotsAndOfCircles) {
  Problem problem = parsed(sum).first;
  EXPECT_EQ(resourceBound(problem), 2);
  EXPECT_EQ(recurrenceBound(problem), 4);
  problem.edges.pop_back();
  problem.edges.back().distance = 2;
  problem.edges.back().value = false;
  EXPECT_EQ(recurrenceBound(problem), 2);
}

TEST(InstructionSchedule, ALoopReachesItsBound) {
  Problem problem = parsed(sum).first;
  std::optional<Solution> solution = scheduleLoop(problem, 8);
  ASSERT_TRUE(solution);
  EXPECT_EQ(solution->interval, intervalBound(problem));
  EXPECT_EQ(check(problem, *solution), std::nullopt);
}

TEST(InstructionSchedule, ALoopIsAsLongAsAValueThatWaits) {
  Problem problem = parsed("file vector 4\ninst a -> vector\ninst b\nedge a b 4 value").first;
  EXPECT_EQ(intervalBound(problem), 1);
  std::optional<Solution> solution = scheduleLoop(problem, 8);
  ASSERT_TRUE(solution);
  EXPECT_EQ(solution->interval, 4);
  EXPECT_FALSE(scheduleLoop(problem, 3));
}

TEST(InstructionSchedule, ALoopThatNeedsMoreRegistersIsRefused) {
  Problem problem = parsed(sum).first;
  problem.files[0].registers = 3;
  EXPECT_FALSE(scheduleLoop(problem, 6));
}

TEST(InstructionSchedule, ALineBeginsItsLongestPathFirst) {
  Problem problem = parsed("resource any 1\ninst short any\ninst long any\ninst end any\n"
                           "edge long end 4")
                        .first;
  Solution solution = scheduleLine(problem);
  EXPECT_EQ(check(problem, solution), std::nullopt);
  EXPECT_THAT(solution.cycles, ::testing::ElementsAre(1, 0, 4));
}

TEST(InstructionSchedule, ALineAsItStandsWaitsInOrder) {
  Problem problem = parsed("resource any 1\ninst a any\ninst b any\ninst c any\nedge a b 4").first;
  EXPECT_THAT(scheduleInOrder(problem).cycles, ::testing::ElementsAre(0, 4, 5));
}

TEST(InstructionSchedule, ALineKeepsWithinItsRegisters) {
  std::string text = "resource load 2\nresource store 1\nfile vector 3\n";
  for (int i = 0; i < 8; ++i) {
    std::string n = std::to_string(i);
    text += "inst l" + n + " load -> vector\ninst s" + n + " store\nedge l" + n + " s" + n +
            " 4 value\n";
  }
  Problem problem = parsed(text).first;
  Solution solution = scheduleLine(problem);
  EXPECT_EQ(check(problem, solution), std::nullopt);
  EXPECT_EQ(registersTaken(problem, solution)[0], 3u);
}

TEST(InstructionSchedule, AValueFromBeforeTheLineLeavesItsRegisterToAnother) {
  Problem problem = parsed("resource any 1\nfile vector 1\ninst old -> vector given\n"
                           "inst load any -> vector\ninst use any\ninst end any\n"
                           "edge old use 0 value\nedge load end 1 value")
                        .first;
  EXPECT_THAT(scheduleLine(problem).cycles, ::testing::ElementsAre(0, 1, 0, 2));
}

TEST(InstructionSchedule, ALineLoadsNotLongBeforeItsReaders) {
  std::string text = "resource load 2\nresource simd 1\nfile vector 8\ninst s0 simd -> vector\n";
  for (int i = 1; i < 24; ++i) {
    std::string n = std::to_string(i), last = std::to_string(i - 1);
    text += "inst l" + n + " load -> vector\ninst s" + n + " simd -> vector\nedge s" + last + " s" +
            n + " 4 value\nedge l" + n + " s" + n + " 4 value\n";
  }
  Problem problem = parsed(text).first;
  Solution solution = scheduleLine(problem);
  EXPECT_EQ(check(problem, solution), std::nullopt);
  EXPECT_EQ(*std::max_element(solution.cycles.begin(), solution.cycles.end()), 4 * 23);
  EXPECT_LE(registersTaken(problem, solution)[0], 8u);
}

TEST(InstructionScheduleCheck, NamesWhatIsBroken) {
  auto why = [](llvm::StringRef cycles) {
    Parsed both = parsed(
        (llvm::Twine("resource load 1\nfile vector 1\n") + cycles + "edge a b 4 value\ninterval 4")
            .str());
    return check(both.first, *both.second).value_or("");
  };
  EXPECT_EQ(why("inst a load -> vector @ 0\ninst b @ 4\n"), "");
  EXPECT_EQ(why("inst a load -> vector @ 0\ninst b @ 3\n"),
            "'b' issues 3 cycles after 'a', which takes 4");
  EXPECT_EQ(why("inst a load -> vector @ 0\ninst b @ 5\n"),
            "the value of 'a' lives 5 cycles, longer than the interval of 4");
  EXPECT_EQ(why("inst a load -> vector @ 0\ninst b load @ 4\n"),
            "'b' is one too many for 'load' in cycle 0");
  EXPECT_EQ(why("inst a load -> vector @ -1\ninst b @ 3\n"), "'a' issues in cycle -1");
}

TEST(InstructionScheduleCheck, FindsTooManyRegistersAndCirclesInOneCycle) {
  Parsed both = parsed("file vector 1\ninst a -> vector @ 0\ninst b -> vector @ 0\ninst c @ 2\n"
                       "edge a c 1 value\nedge b c 1 value\ninterval 3");
  EXPECT_EQ(check(both.first, *both.second).value_or(""),
            "values take 2 registers of 'vector', which has 1");
  both = parsed("inst a @ 0\ninst b @ 0\nedge a b 0\nedge b a 0 1\ninterval 1");
  EXPECT_EQ(check(both.first, *both.second), std::nullopt);
  both.first.edges[1].distance = 0;
  EXPECT_EQ(check(both.first, *both.second).value_or(""),
            "instructions of one cycle wait for each other");
}

/// A few instructions on two resources; values are used once or twice.
Problem randomProblem(std::mt19937 &random, bool loop) {
  Problem problem;
  problem.resources = {{"one", 1}, {"two", 2}};
  problem.files = {{"file", 2 + unsigned(random() % 3)}};
  unsigned count = 2 + random() % 3;
  for (unsigned i = 0; i < count; ++i)
    problem.instructions.push_back(
        {std::string(1, char('a' + i)), {unsigned(random() % 2)}, 0, false});
  for (unsigned to = 1; to < count; ++to)
    for (unsigned k = random() % 3; k > 0; --k)
      problem.edges.push_back(
          {unsigned(random() % to), to, unsigned(random() % 4), 0, random() % 2 == 0});
  for (unsigned k = random() % 3; loop && k > 0; --k)
    problem.edges.push_back({unsigned(random() % count), unsigned(random() % count),
                             unsigned(random() % 4), 1, random() % 3 == 0});
  return problem;
}

/// Whether some cycles below `limit` make a schedule.
bool exists(const Problem &problem, int64_t interval, int64_t limit) {
  Solution solution{std::vector<int64_t>(problem.instructions.size()), interval};
  for (;;) {
    if (!check(problem, solution))
      return true;
    unsigned i = 0;
    while (i < solution.cycles.size() && ++solution.cycles[i] == limit)
      solution.cycles[i++] = 0;
    if (i == solution.cycles.size())
      return false;
  }
}

TEST(InstructionSchedule, RandomLoopsAreValidAndSeldomLongerThanTheBest) {
  std::mt19937 random(7);
  unsigned cases = 300, longer = 0, missed = 0;
  for (unsigned n = 0; n < cases; ++n) {
    Problem problem = randomProblem(random, true);
    constexpr int64_t longest = 6;
    std::optional<Solution> solution = scheduleLoop(problem, longest);
    int64_t best = 1;
    while (best <= longest && !exists(problem, best, 9))
      ++best;
    if (!solution) {
      missed += best <= longest;
      continue;
    }
    ASSERT_EQ(check(problem, *solution).value_or(""), "") << printSchedule(problem, &*solution);
    ASSERT_GE(solution->interval, intervalBound(problem)) << printSchedule(problem);
    longer += solution->interval > best;
  }
  EXPECT_LE(longer + missed, cases / 20) << longer << " longer, " << missed << " missed";
}

TEST(InstructionSchedule, RandomLinesAreValidAndSeldomLongerThanTheBest) {
  std::mt19937 random(11);
  unsigned cases = 300, longer = 0;
  for (unsigned n = 0; n < cases; ++n) {
    Problem problem = randomProblem(random, false);
    problem.files[0].registers = 4;
    Solution solution = scheduleLine(problem);
    ASSERT_EQ(check(problem, solution).value_or(""), "") << printSchedule(problem, &solution);
    int64_t length = *std::max_element(solution.cycles.begin(), solution.cycles.end());
    longer += length > 0 && exists(problem, 0, length);
  }
  EXPECT_LE(longer, cases / 20);
}

} // namespace
