#include "dojo/Placement/Placement.h"
#include <gtest/gtest.h>
#include <random>

using namespace dojo::place;

static Problem pair() { return {16, {{"a", 8, 0, 2}, {"b", 8, 1, 3}, {"c", 4, 2, 3, 4}}}; }

static std::string errorOf(llvm::Error error) {
  return error ? llvm::toString(std::move(error)) : "no error";
}
static std::string parseError(llvm::StringRef csv) {
  return errorOf(parseProblem(csv, 8).takeError());
}

TEST(Check, GoodSolutionsPass) {
  EXPECT_EQ(errorOf(check(pair(), {{0, 8, 4}})), "no error");
  EXPECT_EQ(errorOf(check(pair(), {{8, 0, 8}})), "no error");
}

TEST(Check, BadSolutionsAreNamed) {
  EXPECT_EQ(errorOf(check(pair(), {{0, 8}})), "the solution has 2 offsets for 3 buffers");
  EXPECT_EQ(errorOf(check(pair(), {{0, 7, 0}})), "buffer 'b' overlaps buffer 'a'");
  EXPECT_EQ(errorOf(check(pair(), {{0, 9, 0}})), "buffer 'b' lies outside the capacity");
  EXPECT_EQ(errorOf(check(pair(), {{-1, 8, 0}})), "buffer 'a' lies outside the capacity");
  EXPECT_EQ(errorOf(check(pair(), {{0, 8, 2}})), "buffer 'c' is not aligned to 4");
  Problem fixed = pair();
  fixed.buffers[0].fixed = 0;
  EXPECT_EQ(errorOf(check(fixed, {{8, 0, 8}})), "buffer 'a' has left its fixed offset");
}

TEST(Bound, IsTheLargestSumAliveAtOnce) {
  EXPECT_EQ(liveBound(pair()), 16);
  EXPECT_EQ(liveBound({0, {}}), 0);
}

TEST(BestFit, RandomProblemsAreSolvedWithinTheSumOfSizes) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    Problem problem{0, {}};
    for (int n = random() % 40; n >= 0; --n) {
      int64_t lower = random() % 50;
      int64_t alignment = int64_t(1) << random() % 4;
      problem.buffers.push_back({std::to_string(n), int64_t(random() % 100), lower,
                                 lower + 1 + int64_t(random() % 10), alignment});
      problem.capacity += problem.buffers.back().size + alignment;
    }
    Solution solution = llvm::cantFail(solve(problem));
    EXPECT_EQ(errorOf(check(problem, solution)), "no error");
    EXPECT_GE(solution.peak(problem), liveBound(problem));
    EXPECT_EQ(solution.offsets, llvm::cantFail(solve(problem)).offsets);
  }
}

TEST(BestFit, FixedBuffersStayAndOthersGoAroundThem) {
  Problem problem = pair();
  problem.buffers[1].fixed = 4;
  problem.capacity = 20;
  Solution solution = llvm::cantFail(solve(problem));
  EXPECT_EQ(solution.offsets[1], 4);
  problem.buffers[0].fixed = 0;
  EXPECT_EQ(errorOf(solve(problem).takeError()), "buffer 'b' overlaps buffer 'a'");
}

TEST(BestFit, TheErrorNamesBufferPeakBoundAndShortfall) {
  Problem problem = pair();
  problem.capacity = 10;
  EXPECT_EQ(errorOf(solve(problem).takeError()),
            "buffer 'b' of 8 bytes finds no room: the best placement takes 16 bytes, 6 more than "
            "the capacity of 10; live sizes alone take 16; the largest alive with it are 'a' of 8, "
            "'c' of 4");
  EXPECT_EQ(errorOf(solve({4, {{"only", 5, 0, 1}}}).takeError()),
            "buffer 'only' of 5 bytes finds no room: the best placement takes 5 bytes, 1 more than "
            "the capacity of 4; live sizes alone take 5; the largest alive with it are none");
}

TEST(Text, ProblemsSurviveIt) {
  Problem problem = pair();
  problem.buffers[2].fixed = 12;
  std::string text = printProblem(problem);
  EXPECT_EQ(text, "id,lower,upper,size,alignment,offset\na,0,2,8,1,\nb,1,3,8,1,\nc,2,3,4,4,12\n");
  EXPECT_EQ(printProblem(llvm::cantFail(parseProblem(text, 16))), text);
}

TEST(Text, BadTextIsNamedByItsLine) {
  EXPECT_EQ(parseError("id,lower,upper,bytes\n"), "line 1: unknown column 'bytes'");
  EXPECT_EQ(parseError("id,lower,size\n"), "line 1: missing column 'upper'");
  EXPECT_EQ(parseError("id,lower,upper,size\na,0,1,x\n"),
            "line 2: column 'size' must be a natural number, not 'x'");
  EXPECT_EQ(parseError("id,lower,upper,size\na,0,1\n"),
            "line 2: column 'size' must be a natural number, not ''");
  EXPECT_EQ(parseError("id,lower,upper,size\na,3,3,1\n"),
            "line 2: buffer 'a' ends before it begins");
  EXPECT_EQ(parseError("id,lower,upper,size,alignment\na,3,4,1,0\n"),
            "line 2: buffer 'a' has an alignment of 0");
}
