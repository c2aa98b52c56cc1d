//===- FaultTest.cpp - errors of programs, one of each --------------------===//
#include "Harness.h"
#include "gmock/gmock.h"

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace dojo::exec {
namespace {

std::string errorOf(llvm::StringRef text, const Options &options = {},
                    const Machine &machine = smallMachine()) {
  return runOnce(assembled(("step:\n" + text + "\nhalt\n").str(), machine), {}, options).error;
}

TEST(Fault, NamesNodeAddressInstructionAndLocation) {
  binary::Program program = assembled("step: li x1, -1\nvld v1, x1, 0\nhalt");
  program.lines.push_back({4, 8, "conv1"});
  EXPECT_EQ(runOnce(program).error, "node (0,0,0,0) at 0x4 'vld v1, x1, 0' (conv1) reads 64 bytes "
                                    "at 0xffffffffffffffff, outside the 1310720 bytes of SRAM");
}

TEST(Fault, NamesThePhysicalPlaceWhereItDiffers) {
  Machine machine = smallMachine(2, 1);
  machine.deadNodes = {{0, 0, 0, 0}};
  EXPECT_THAT(errorOf("trap 4", {}, machine), HasSubstr("node (0,0,0,0), physically (0,0,1,0) at"));
}

TEST(Fault, StopsAtTheEdgesOfSram) {
  EXPECT_EQ(errorOf("li x1, 163839\nshli x1, x1, 3\nstd x0, x1, 0"), "");
  EXPECT_THAT(errorOf("li x1, 163839\nshli x1, x1, 3\nstd x0, x1, 1"),
              HasSubstr("writes 8 bytes at 0x13fff9, outside the 1310720 bytes of SRAM"));
  EXPECT_THAT(errorOf("li x1, 163839\nshli x1, x1, 3\nldd x2, x1, 1"), HasSubstr("reads 8 bytes"));
}

TEST(Fault, TheCodeMayBeReadButNotWritten) {
  EXPECT_EQ(errorOf("ldw x1, x0, 0"), "");
  EXPECT_THAT(errorOf("stw x0, x0, 4"),
              HasSubstr("writes 4 bytes at 0x4, inside the code of 8 bytes"));
}

TEST(Fault, Instructions) {
  EXPECT_THAT(errorOf(".word 0xffffffff"), HasSubstr("'.word 0xffffffff' is no instruction"));
  EXPECT_THAT(errorOf("trap 42"), HasSubstr("'trap 42' stops the run with trap 42"));
  EXPECT_THAT(errorOf("coord x1, 4"), HasSubstr("asks for coordinate 4, of 0 to 3"));
  EXPECT_THAT(errorOf("coord x1, -1"), HasSubstr("asks for coordinate -1, of 0 to 3"));
  EXPECT_THAT(errorOf("jalr x0, x0, 2"), HasSubstr("jumps to 0x2, no address of an instruction"));
  EXPECT_THAT(errorOf("jalr x0, x0, 8"), HasSubstr("jumps to 0x8, no address of an instruction"));
  EXPECT_THAT(errorOf("jal x0, 1000"), HasSubstr("was reached, past the last instruction"));
  EXPECT_THAT(errorOf("jal x0, -1000"), HasSubstr("was reached, past the last instruction"));
}

TEST(Fault, Transfers) {
  auto descriptor = [](llvm::StringRef stores, llvm::StringRef use) {
    return errorOf(
        ("li x1, 0x4000\nli x2, 0x8000\nli x3, 8\nli x4, 1\nstw x3, x1, 0\n" + stores + "\n" + use)
            .str());
  };
  EXPECT_THAT(descriptor("", "addi x5, x1, 4\npush x5, x2, x2"),
              HasSubstr("takes a descriptor at 0x4004, not aligned to 64 bytes"));
  EXPECT_THAT(descriptor("stw x3, x1, 4", "push x1, x2, x2"),
              HasSubstr("takes a malformed descriptor at 0x4000"));
  EXPECT_THAT(descriptor("stw x4, x1, 8", "push x1, x2, x2"),
              HasSubstr("takes a malformed descriptor at 0x4000"));
  EXPECT_THAT(descriptor("stw x4, x1, 4\nli x5, -1\nstw x5, x1, 16", "push x1, x2, x2"),
              HasSubstr("moves more than 4 GiB at once"));
  EXPECT_THAT(descriptor("", "li x5, -4\npush x1, x5, x2"),
              HasSubstr("reaches outside SRAM from the local address 0xfffffffffffffffc"));
  EXPECT_THAT(descriptor("", "push x1, x2, x0"),
              HasSubstr("reaches outside SRAM above the code by the global address 0x0"));
  EXPECT_THAT(descriptor("", "li x5, 1\nshli x5, x5, 32\nor x5, x5, x2\npush x1, x2, x5"),
              HasSubstr("names a node outside the grid by the global address 0x100008000"));
  EXPECT_THAT(descriptor("", "li x5, 1\nshli x5, x5, 62\npush x1, x2, x5"),
              HasSubstr("pushes to 0x4000000000000000, neither SRAM nor DRAM"));
  EXPECT_THAT(descriptor("", "pull x1, x2, x2"), HasSubstr("pulls from 0x8000, which is no DRAM"));
  EXPECT_THAT(descriptor("", "li x5, 513\nshli x5, x5, 54\npull x1, x2, x5"),
              HasSubstr("reaches outside DRAM by the global address 0x8040000000000000"));
  EXPECT_THAT(descriptor("", "li x5, 2\nshli x5, x5, 62\npull x1, x0, x5"),
              HasSubstr("reaches outside SRAM above the code from the local address 0x0"));
}

TEST(Fault, Semaphores) {
  EXPECT_THAT(errorOf("signal x0"), HasSubstr("signals 0x0, which is no semaphore"));
  EXPECT_THAT(errorOf("li x1, 1\nshli x1, x1, 62\nli x2, 200000\nor x1, x1, x2\nsignal x1"),
              HasSubstr("which is no semaphore"));
  EXPECT_THAT(errorOf("li x1, 200000\nwait x1, x0"), HasSubstr("waits for semaphore 200000 of"));
}

TEST(Fault, TheInstructionLimitEndsALoop) {
  Options options;
  options.instructionLimit = 1000;
  EXPECT_THAT(errorOf("l: jal x0, l", options),
              HasSubstr("comes next, but the node has executed 1000 instructions, the limit"));
  options.instructionLimit = 3;
  EXPECT_EQ(errorOf("li x1, 1\nli x1, 2", options), "");
  options.instructionLimit = 2;
  EXPECT_THAT(errorOf("li x1, 1\nli x1, 2", options), HasSubstr("'halt' comes next"));
}

TEST(Fault, OfSeveralNodesIsTheLowestNumberedOnes) {
  Options options;
  for (unsigned threads : {1, 3}) {
    options.threads = threads;
    EXPECT_THAT(errorOf("coord x1, 3\nbeq x1, x0, 2\ntrap 1", options, smallMachine(2, 3)),
                AllOf(HasSubstr("node (0,0,0,1)"), HasSubstr("; 3 more nodes have failed")));
  }
}

TEST(Deadlock, SaysWhoWaitsForWhat) {
  binary::Program program = assembled("step: li x1, 5\nli x2, 2\nwait x1, x2\nhalt");
  program.lines.push_back({8, 12, "conv1"});
  EXPECT_EQ(runOnce(program).error,
            "deadlock in entry 'step': 1 nodes wait and no signal is on its way\n"
            "  node (0,0,0,0) at 0x8 'wait x1, x2' (conv1): semaphore 5 needs 2, has 0");
}

TEST(Deadlock, NamesTenNodesAtMost) {
  for (unsigned threads : {1, 4}) {
    Options options;
    options.threads = threads;
    std::string error = errorOf("li x1, 1\nwait x0, x1", options, smallMachine(4, 4));
    EXPECT_THAT(error, AllOf(HasSubstr("16 nodes wait"), HasSubstr("node (0,0,2,1)"),
                             Not(HasSubstr("node (0,0,2,2)")), HasSubstr("and 6 more")));
  }
}

TEST(Inputs, AreMatchedByNameTypeAndShape) {
  binary::Program program = assembled("step: halt");
  program.inputs.push_back({"image", binary::ElementType::f32, {2, 3}, inputAddress});
  auto executor = llvm::cantFail(Executor::create(program));
  auto error = [&](std::vector<Tensor> tensors) {
    auto outputs = executor->step(tensors);
    return outputs ? "" : llvm::toString(outputs.takeError());
  };
  using binary::ElementType;
  EXPECT_EQ(error({{"image", ElementType::f32, {2, 3}, std::vector<char>(24)}}), "");
  EXPECT_EQ(error({}), "input 'image' is missing; the program takes 'image' 2x3xf32");
  EXPECT_EQ(error({{"pic", ElementType::f32, {2, 3}, {}}}),
            "'pic' is no input; the program takes 'image' 2x3xf32");
  EXPECT_EQ(error({{"image", ElementType::i32, {2, 3}, {}}}),
            "input 'image' is 2x3xi32, the program takes 2x3xf32");
  EXPECT_EQ(error({{"image", ElementType::f32, {3, 2}, {}}}),
            "input 'image' is 3x2xf32, the program takes 2x3xf32");
  EXPECT_EQ(error({{"image", ElementType::f32, {2, 3}, {}}}),
            "input 'image' has 0 bytes, its type has 24");
}

/// An output of 2 x 3 bytes, 1 to 6, whose columns the input counts.
TEST(Outputs, AreCutToWhatTheProgramCounts) {
  static constexpr char data[] = {1, 2, 3, 4, 5, 6};
  binary::Program program = assembled("step: halt");
  program.inputs.push_back({"n", binary::ElementType::i32, {}, inputAddress});
  program.counts.push_back({"columns", binary::ElementType::i32, {}, inputAddress});
  program.outputs.push_back({"out", binary::ElementType::u8, {2, 3}, outputAddress, {{1, 0}}});
  program.images.push_back({outputAddress, llvm::ArrayRef(data)});
  auto executor = llvm::cantFail(Executor::create(program));
  auto run = [&](int32_t count) {
    std::vector<char> bytes(sizeof(count));
    memcpy(bytes.data(), &count, sizeof(count));
    return executor->step({{"n", binary::ElementType::i32, {}, bytes}});
  };
  Tensor two = llvm::cantFail(run(2)).front(), none = llvm::cantFail(run(0)).front();
  EXPECT_EQ(two.shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(two.data, (std::vector<char>{1, 2, 4, 5}));
  EXPECT_EQ(none.shape, (std::vector<int64_t>{2, 0}));
  EXPECT_TRUE(none.data.empty());
  for (int32_t count : {-1, 4})
    EXPECT_EQ(llvm::toString(run(count).takeError()),
              llvm::formatv("the program counts {0} places along dimension 1 of output 'out', "
                            "2x3xu8",
                            count)
                  .str());
}

TEST(Create, RefusesWhatTheMachineCannotHold) {
  auto error = [](const binary::Program &program) {
    return llvm::toString(Executor::create(program).takeError());
  };
  binary::Program program = assembled("step: halt");
  program.code.resize(2 << 20);
  EXPECT_THAT(error(program), HasSubstr("2097152 bytes do not fit the 1310720 bytes of SRAM"));
  program = assembled("step: halt");
  program.outputs.push_back({"y", binary::ElementType::f32, {4}, uint64_t(1) << 40});
  EXPECT_THAT(error(program),
              HasSubstr("'y' at DRAM address 0x10000000000 of 16 bytes is outside"));
  program = assembled("step: halt");
  program.machine = "{}";
  EXPECT_NE(error(program), "");
  EXPECT_THAT(runOnce(assembled("init: halt")).error, HasSubstr("the program has no entry 'step'"));
}

} // namespace
} // namespace dojo::exec
