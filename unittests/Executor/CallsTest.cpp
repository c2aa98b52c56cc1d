//===- CallsTest.cpp - straight code and branches against single steps ----===//
#include "Harness.h"
#include "llvm/Support/FormatVariadic.h"
#include "gmock/gmock.h"

using llvm::formatv;
using testing::HasSubstr;

namespace dojo::exec {
namespace {

/// The program's outcome, which must be that of single steps.
Outcome run(llvm::StringRef text, Options options = {}, const Machine &machine = smallMachine()) {
  binary::Program program = assembled(text, machine);
  program.outputs.push_back({"out", binary::ElementType::u8, {64}, outputAddress});
  options.threads = 1;
  const Outcome fast = runOnce(program, {}, options);
  options.interpret = true;
  const Outcome single = runOnce(program, {}, options);
  EXPECT_EQ(fast.error, single.error);
  EXPECT_EQ(fast.out, single.out);
  EXPECT_EQ(fast.stats.instructions, single.stats.instructions);
  return fast;
}

/// Stores 64 bytes from 0x8000 as the output.
constexpr char store[] = "li x10, 0x8000\nli x11, 64\nstw x11, x10, 64\nstw x0, x10, 68\n"
                         "std x0, x10, 72\naddi x12, x10, 64\nli x13, 2\nshli x13, x13, 62\n"
                         "li x14, 1\nshli x14, x14, 17\nor x14, x13, x14\n"
                         "push x12, x10, x14\ndrain\nhalt\n";

/// Branches of every kind, both ways, and a routine.
std::string branches() {
  return "step: li x9, 0x8000\nli x2, 5\nli x3, 0\n"
         "l: addi x3, x3, 7\nandi x4, x2, 1\nbeq x4, x0, even\naddi x3, x3, 100\n"
         "even: bne x4, x0, odd\nshli x3, x3, 1\n"
         "odd: blt x3, x2, l\nbge x2, x3, l\njal x1, routine\nbdnz x2, l\nstd x3, x9, 0\n" +
         std::string(store) + "routine: addi x3, x3, 1\nstd x2, x9, 8\njalr x0, x1, 0\n";
}

TEST(Calls, BranchesGoWhereSingleStepsGo) {
  const Outcome outcome = run(branches());
  EXPECT_EQ(outcome.error, "");
  uint64_t sums[2];
  memcpy(sums, outcome.out.data(), sizeof(sums));
  EXPECT_EQ(sums[0], 801u);
  EXPECT_EQ(sums[1], 1u);
}

TEST(Calls, TheInstructionLimitEndsCodeAnywhere) {
  Options options;
  const uint64_t all = run(branches()).stats.instructions;
  for (uint64_t limit = 1; limit < all; ++limit) {
    options.instructionLimit = limit;
    const Outcome outcome = run(branches(), options);
    EXPECT_THAT(outcome.error, HasSubstr("the limit of one entry"));
    EXPECT_EQ(outcome.stats.instructions, limit);
  }
}

TEST(Calls, AFaultNamesItsInstructionAndCountsThoseBefore) {
  const Outcome outcome = run("step: li x1, -8\nli x2, 1\nadd x3, x2, x2\nldd x4, x1, 0\nhalt");
  EXPECT_THAT(outcome.error, HasSubstr("'ldd x4, x1, 0' reads 8 bytes at 0xfffffffffffffff8"));
  EXPECT_EQ(outcome.stats.instructions, 3u);
  EXPECT_THAT(run("step: li x1, 1\n.word 0xffffffff").error, HasSubstr("is no instruction"));
  EXPECT_THAT(run("step: li x1, 1\naddi x1, x1, 1").error, HasSubstr("past the last instruction"));
}

TEST(Calls, ANodeThatWaitsGoesOnInTheMiddleOfItsCode) {
  // Two nodes add to a number in turns.
  const std::string text =
      formatv("step: li x9, 0x8000\ncoord x2, 3\nli x3, 1\nsub x4, x3, x2\n"
              "li x5, 1\nshli x5, x5, 62\nshli x6, x4, 32\nor x5, x5, x6\n"
              "li x7, 0\nli x8, 3\nbne x2, x0, other\n"
              "l: signal x5\nwait x7, x3\naddi x15, x15, 5\nbdnz x8, l\n"
              "std x15, x9, 0\n{0}"
              "other: wait x7, x3\naddi x15, x15, 1\nsignal x5\nbdnz x8, other\nhalt\n",
              store)
          .str();
  const Outcome outcome = run(text, {}, smallMachine(1, 2));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.out[0], 15);
}

TEST(Calls, LongCodeOfManyBranchesIsLinked) {
  std::string text = "step: li x9, 0x8000\n";
  for (unsigned i = 0; i < 2500; ++i)
    text += formatv("addi x2, x2, {0}\nbeq x2, x0, end\nxor x3, x3, x2\n", i % 7 + 1).str();
  text += "std x3, x9, 0\n" + std::string(store) + "end: halt\n";
  EXPECT_EQ(run(text).error, "");
}

} // namespace
} // namespace dojo::exec
