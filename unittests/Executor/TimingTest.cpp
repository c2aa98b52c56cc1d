//===- TimingTest.cpp - each rule of docs/Timing.md by hand ---------------===//
//
// Cycles are counted from 0, with the latencies of d1-node: address 4, integer 1,
// simd 4, matrix 16, branch 2. A program ends one cycle after its halt issues.
//
//===----------------------------------------------------------------------===//
#include "Harness.h"
#include "llvm/Support/FormatVariadic.h"

using llvm::formatv;

namespace dojo::exec {
namespace {

EntryTiming timed(const binary::Program &program, unsigned threads = 1) {
  Options options;
  options.timing = true;
  options.threads = threads;
  llvm::ExitOnError orExit;
  auto executor = orExit(Executor::create(program, options));
  orExit(executor->step({}));
  return executor->timing().back();
}
EntryTiming timed(llvm::StringRef code) { return timed(assembled(("step: " + code).str())); }
uint64_t cycles(llvm::StringRef code) { return timed(code).cycles; }

//===-- Rule 1: slots and registers ---------------------------------------===//

TEST(Timing, AnEmptyProgramTakesTheCycleOfItsHalt) { EXPECT_EQ(cycles("halt"), 1u); }

TEST(Timing, TwoIntegerOperationsIssueInACycle) {
  EXPECT_EQ(cycles("li x1, 1\nli x2, 2\nhalt"), 2u);           // 0 0 | 1
  EXPECT_EQ(cycles("li x1, 1\nli x2, 2\nli x3, 3\nhalt"), 3u); // 0 0 1 | 2
}

TEST(Timing, AnOperandIsAwaited) {
  // 0 1 2 | 3
  EXPECT_EQ(cycles("li x1, 1\nadd x1, x1, x1\nadd x1, x1, x1\nhalt"), 4u);
  // li 0, ldd 1, add 5 | 6
  EXPECT_EQ(cycles("li x2, 0x8000\nldd x1, x2, 0\nadd x3, x1, x1\nhalt"), 7u);
}

TEST(Timing, IssueIsInOrder) {
  // add waits for the load until 5, and li x4 stands behind it: 0 1 5 5 | 6
  EXPECT_EQ(cycles("li x2, 0x8000\nldd x1, x2, 0\nadd x3, x1, x1\nli x4, 1\nhalt"), 7u);
}

TEST(Timing, ARegisterIsWrittenInOrder) {
  // li 0, ldd 1; li x1 overwrites what the load delivers at 5 | 6
  EXPECT_EQ(cycles("li x2, 0x8000\nldd x1, x2, 0\nli x1, 1\nhalt"), 7u);
}

TEST(Timing, X0IsNeverAwaited) {
  // li 0, ldd 1 and add 1; halt awaits no result of x0
  EXPECT_EQ(cycles("li x2, 0x8000\nldd x0, x2, 0\nadd x3, x0, x0\nhalt"), 3u);
}

TEST(Timing, UnitsIssueBesideEachOther) {
  // vadd, mmul and li all at 0; the matrix unit is done at 16
  EXPECT_EQ(cycles("vadd v1, v2, v3\nmmul a0, v4, v5\nli x1, 1\nhalt"), 17u);
}

TEST(Timing, SimdAndMatrixUnitsTakeOneInstructionACycle) {
  EXPECT_EQ(cycles("vadd v1, v2, v3\nvadd v4, v2, v3\nhalt"), 6u);  // 0 1 | 5
  EXPECT_EQ(cycles("mmul a0, v1, v2\nmmul a1, v1, v2\nhalt"), 18u); // 0 1 | 17
}

TEST(Timing, AnAccumulatorIsReadAndWritten) {
  EXPECT_EQ(cycles("mmul a0, v1, v2\nmmul a0, v1, v2\nhalt"), 33u); // 0 16 | 32
}

//===-- Ports and rule 3 --------------------------------------------------===//

TEST(Timing, TwoVectorReadsAndOneVectorWriteACycle) {
  // li 0, both loads 1 | 5
  EXPECT_EQ(cycles("li x1, 0x8000\nvld v1, x1, 0\nvld v2, x1, 64\nhalt"), 6u);
  // li 0, stores 1 and 2 | 6
  EntryTiming stores = timed("li x1, 0x8000\nvst v1, x1, 0\nvst v2, x1, 64\nhalt");
  EXPECT_EQ(stores.cycles, 7u);
  EXPECT_EQ(stores.causes.sramPort, 1u);
  EXPECT_EQ(stores.causes.compute, 6u);
}

TEST(Timing, OneScalarReadACycle) {
  // li 0, loads 1 and 2 | 6
  EntryTiming loads = timed("li x1, 0x8000\nldd x2, x1, 0\nldd x3, x1, 8\nhalt");
  EXPECT_EQ(loads.cycles, 7u);
  EXPECT_EQ(loads.causes.sramPort, 1u);
}

TEST(Timing, AReadAndAWriteShareTheTwoAddressSlots) {
  // li 0, vld and vst 1, the third access 2 for want of a slot, not of a port | 6
  EntryTiming timing = timed("li x1, 0x8000\nvld v1, x1, 0\nvst v2, x1, 64\nvld v3, x1, 0\nhalt");
  EXPECT_EQ(timing.cycles, 7u);
  EXPECT_EQ(timing.causes.sramPort, 0u);
}

TEST(Timing, AGatherTakesOnePortForACycle) {
  // li 0, gathers 1 | 5
  EXPECT_EQ(cycles("li x1, 0x8000\nvldg8 v1, x1, x0, x0, 0\nvldg16 v2, x1, x0, x0, 0\nhalt"), 6u);
}

//===-- Rule 4: branches --------------------------------------------------===//

TEST(Timing, ABranchThatIsTakenCostsTwoCycles) {
  EXPECT_EQ(cycles("beq x0, x0, l\nli x1, 1\nl: halt"), 3u); // beq 0 | 2
  EXPECT_EQ(cycles("bne x0, x0, l\nli x1, 1\nl: halt"), 2u); // bne 0, li 0 | 1
}

TEST(Timing, ALoopIsTimedIterationByIteration) {
  // li 0; bdnz 1, 3, 5; its register is ready at 7 | 7
  EXPECT_EQ(cycles("li x1, 3\nl: bdnz x1, l\nhalt"), 8u);
  // 100 iterations of a load that the add awaits: vld at t, vadd at t + 4, the
  // branch at t + 4, the next vld at t + 6. li 0, first vld 1, last 595, vadd 599 | 603
  EXPECT_EQ(
      cycles("li x1, 100\nli x2, 0x8000\nl: vld v1, x2, 0\nvadd v2, v1, v1\nbdnz x1, l\nhalt"),
      604u);
}

TEST(Timing, AResultIsAwaitedAcrossABranch) {
  // li 0, ldd 1, beq 1 -> 3, add 5 | 6
  EXPECT_EQ(cycles("li x2, 0x8000\nldd x1, x2, 0\nbeq x0, x0, l\ntrap 1\nl: add x3, x1, x1\nhalt"),
            7u);
}

//===-- Rule 5: fences ----------------------------------------------------===//

TEST(Timing, AFenceIssuesAloneWhenAllIsComplete) {
  // drain 0, li 1 | 2
  EXPECT_EQ(cycles("drain\nli x1, 1\nhalt"), 3u);
  // li 0, vst 1, drain 5 | 6
  EXPECT_EQ(cycles("li x1, 0x8000\nvst v1, x1, 0\ndrain\nhalt"), 7u);
}

//===-- Rules 6 to 11 on two nodes ----------------------------------------===//

/// Node 0 does `before`, signals semaphore 0 of node 1, which waits for it.
EntryTiming signalled(llvm::StringRef before, llvm::StringRef beforeWait = "",
                      unsigned threads = 1) {
  std::string text = formatv("step: coord x1, 3\nbne x1, x0, second\n{0}"
                             "li x2, 1\nshli x3, x2, 62\nshli x4, x2, 32\nor x3, x3, x4\n"
                             "signal x3\nhalt\n"
                             "second: {1}\nli x5, 0\nli x6, 1\nwait x5, x6\nhalt",
                             before, beforeWait);
  return timed(assembled(text, smallMachine(1, 2)), threads);
}

TEST(Timing, ASignalTakesItsWay) {
  // Node 0: coord 0, bne 1, li 1, shifts 2, or 3, signal 4. It leaves at 8, takes the
  // link at 9 and the write port at 10, and is complete at 11.
  // Node 1: coord 0, bne 1, wait 4; it stands from 5 to 11; halt 11.
  EntryTiming timing = signalled("");
  EXPECT_EQ(timing.cycles, 12u);
  EXPECT_EQ(timing.causes.network, 6u);
  // Node 0 is done at 6 and idle from then on.
  EXPECT_EQ(timing.causes.waiting, 12u - 6u);
}

TEST(Timing, TimeBeforeTheSignalIsWaitingTimeAfterItIsNetwork) {
  // Ten cycles more on node 0: the loop of bdnz takes 2 each, li x9 one with bne.
  std::string loop = "li x9, 5\nl: bdnz x9, l\n";
  EntryTiming timing = signalled(loop);
  // li x9 1, bdnz 2 4 6 8 10, li x2 10, shifts 11, or 12, signal 13, complete 20.
  EXPECT_EQ(timing.cycles, 21u);
  EXPECT_EQ(timing.causes.network, 20u - 13u);
  // Node 1 from 5 to 13, node 0 from 15 to 21.
  EXPECT_EQ(timing.causes.waiting, 13u - 5u + 21u - 15u);
}

TEST(Timing, ASignalThatIsThereCostsNothing) {
  // The loop keeps node 1 busy beyond the 11 of the signal: coord 0, bne 1, li x9 3,
  // bdnz 4, 6, ..., 22, li x5 and x6 22, wait 24 as x9 is ready then, halt 25.
  EntryTiming timing = signalled("", "li x9, 10\nm: bdnz x9, m");
  EXPECT_EQ(timing.cycles, 26u);
  EXPECT_EQ(timing.causes.network, 0u);
}

TEST(Timing, HostThreadsChangeNothing) {
  std::string text = "step: coord x1, 3\nli x2, 500\nmul x2, x2, x1\naddi x2, x2, 1\n"
                     "l: vadd v1, v1, v2\nbdnz x2, l\nhalt";
  binary::Program program = assembled(text, smallMachine(4, 4));
  std::string one = formatv("{0}", llvm::json::Value(toJSON(timed(program, 1)))).str();
  EXPECT_EQ(one, formatv("{0}", llvm::json::Value(toJSON(timed(program, 4)))).str());
}

//===-- Rule 15: barriers -------------------------------------------------===//

TEST(Timing, ABarrierEndsAcrossTheMeshAfterTheLastHasCome) {
  // coord 0, muli 1, addi 2, bdnz 3 and every other cycle: 1, 6 and 11 times at x = 0, 1, 2. The
  // barrier issues when x9 is ready, at 5, 15 and 25; all go on 4 + 3 links later.
  EntryTiming timing = timed(assembled("step: coord x1, 3\nmuli x9, x1, 5\naddi x9, x9, 1\n"
                                       "m: bdnz x9, m\nbarrier\nhalt",
                                       smallMachine(2, 3)));
  EXPECT_EQ(timing.cycles, 32u + 1u);
  EXPECT_EQ(timing.causes.waiting, 2u * (20u + 10u));
  EXPECT_EQ(timing.causes.network, 6u * 6u);
}

//===-- Reports -----------------------------------------------------------===//

TEST(Timing, RowsNameOnnxNodesAndRoutinesByTheCallSite) {
  binary::Program program = assembled("step: jal x1, kernel\njal x1, kernel\nhalt\n"
                                      "kernel: mmul a0, v0, v0\nmmul a1, v0, v0\njalr x0, x1, 0");
  program.lines = {{0, 4, "first"}, {4, 8, "second"}};
  EntryTiming timing = timed(program);
  auto row = [](const std::vector<TimingRow> &rows, llvm::StringRef name) {
    for (const TimingRow &row : rows)
      if (row.name == name)
        return row;
    ADD_FAILURE() << "no row " << name.str();
    return TimingRow();
  };
  // jal 0, in the kernel mmul 2 and 3, jalr 3 -> 5; jal 5, mmul 18 and 19 (they
  // accumulate), jalr 19 -> 21; halt awaits a1 at 35.
  EXPECT_EQ(timing.cycles, 36u);
  TimingRow kernel = row(timing.byRoutine, "kernel");
  EXPECT_EQ(kernel.calls, 2u);
  EXPECT_EQ(kernel.mmuls, 4u);
  EXPECT_EQ(kernel.bound, 4u);
  EXPECT_EQ(row(timing.byOnnxNode, "second").mmuls, 2u);
  uint64_t sum = 0;
  for (const TimingRow &row : timing.byOnnxNode)
    sum += row.causes.total();
  EXPECT_EQ(sum, timing.cycles);
  EXPECT_DOUBLE_EQ(timing.macUtilisation, 4.0 / 36);
}

TEST(Timing, AnUntimedRunHasNoFigures) {
  auto executor = llvm::cantFail(Executor::create(assembled("step: halt")));
  EXPECT_EQ(llvm::toString(executor->step({}).takeError()), "");
  EXPECT_TRUE(executor->timing().empty());
  EXPECT_TRUE(executor->trace().empty());
}

TEST(Timing, ATracedNodeMustExist) {
  Options options;
  options.timing = true;
  options.tracedNodes = {{7}};
  auto executor = Executor::create(assembled("step: halt"), options);
  EXPECT_EQ(llvm::toString(executor.takeError()),
            "node 7 is to be traced, but 'd1-node' has 1 nodes");
}

} // namespace
} // namespace dojo::exec
