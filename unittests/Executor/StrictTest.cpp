//===- StrictTest.cpp - the buffer table enforced -------------------------===//
#include "Harness.h"
#include "gmock/gmock.h"

using testing::HasSubstr;

namespace dojo::exec {
namespace {

constexpr uint32_t forever = binary::Buffer::forever;

/// Runs `step` twice under strict memory.
std::string strictError(const binary::Program &program) {
  Options options;
  options.strict = Strict::memory;
  auto executor = Executor::create(program, options);
  if (!executor)
    return llvm::toString(executor.takeError());
  for (int run = 0; run < 2; ++run) {
    auto outputs = (*executor)->step({});
    if (!outputs)
      return llvm::toString(outputs.takeError());
  }
  return "";
}

/// A program with a buffer of 64 bytes at 0x8000 that lives always.
std::string alwaysError(llvm::StringRef text) {
  binary::Program program = assembled(("step: li x1, 0x8000\n" + text + "\nhalt").str());
  program.buffers.push_back({"b", 0x8000, 64, 0, forever, "step"});
  return strictError(program);
}

TEST(Strict, WrittenBytesMayBeRead) {
  EXPECT_EQ(alwaysError("std x0, x1, 8\nldw x2, x1, 12\nvst v0, x1, 0\nvld v1, x1, 0"), "");
}

TEST(Strict, TheCodeIsLiveAndWritten) { EXPECT_EQ(alwaysError("ldd x2, x0, 0"), ""); }

TEST(Strict, AReadOfAnUnwrittenByteIsAnError) {
  EXPECT_EQ(alwaysError("stw x0, x1, 0\nldd x2, x1, 0"),
            "node (0,0,0,0) at 0x8 'ldd x2, x1, 0' reads 8 bytes at 0x8000, but the byte at 0x8004 "
            "of buffer 'b' was never written");
}

TEST(Strict, AnAccessOutsideEveryBufferIsAnError) {
  EXPECT_THAT(alwaysError("std x0, x1, 60"),
              HasSubstr("writes 8 bytes at 0x803c, but the byte at 0x8040 belongs to no buffer"));
  EXPECT_THAT(alwaysError("ldb x2, x1, 64"),
              HasSubstr("reads 1 bytes at 0x8040, but the byte at 0x8040 belongs to no buffer"));
}

TEST(Strict, ABufferLivesFromItsBeginToItsEnd) {
  // 0x0 li; 0x4 and 0x8 inside the life [0x4, 0xc); 0xc after it.
  auto error = [](llvm::StringRef before, llvm::StringRef inside, llvm::StringRef after) {
    binary::Program program = assembled(
        ("step: li x1, 0x8000\n" + before + "\n" + inside + "\n" + after + "\nhalt").str());
    program.buffers.push_back({"b", 0x8000, 64, 8, 12, "step"});
    return strictError(program);
  };
  EXPECT_EQ(error("li x2, 0", "stw x0, x1, 0", "li x2, 0"), "");
  EXPECT_THAT(error("stw x0, x1, 0", "li x2, 0", "li x2, 0"),
              HasSubstr("but buffer 'b' is not live at the byte at 0x8000"));
  EXPECT_THAT(error("li x2, 0", "stw x0, x1, 0", "ldw x2, x1, 0"),
              HasSubstr("but buffer 'b' is not live at the byte at 0x8000"));
}

TEST(Strict, ANewLifeForgetsTheBytesOfTheLast) {
  binary::Program program =
      assembled("step: li x1, 0x8000\nli x2, 2\nl: stw x0, x1, 0\nldw x3, x1, 0\n"
                "bdnz x2, l\nldw x3, x1, 0\nhalt");
  program.buffers = {{"early", 0x8000, 64, 8, 0x14, "step"},
                     {"late", 0x8000, 64, 0x14, forever, "step"}};
  EXPECT_THAT(strictError(program),
              HasSubstr("the byte at 0x8000 of buffer 'late' was never written"));
}

TEST(Strict, WhatInitLeavesLivesOnIntoStep) {
  binary::Program program = assembled("init: li x1, 0x8000\nstw x0, x1, 0\nhalt\n"
                                      "step: li x1, 0x8000\nldw x2, x1, 0\nhalt");
  program.buffers = {{"weight", 0x8000, 4, 4, forever, "init"}};
  EXPECT_EQ(strictError(program), "");
  program.buffers[0].end = 20;
  EXPECT_THAT(strictError(program), HasSubstr("'ldw x2, x1, 0'"));
}

TEST(Strict, ABufferThatLivesAlwaysKeepsItsBytesOverSteps) {
  binary::Program program = assembled("step: li x1, 0x8000\nldw x2, x1, 64\nbne x2, x0, 2\n"
                                      "stw x1, x1, 0\nstw x1, x1, 64\nldw x2, x1, 0\nhalt\n"
                                      "init: li x1, 0x8000\nstw x0, x1, 64\nhalt");
  program.buffers = {{"b", 0x8000, 128, 0, forever, "step"}};
  EXPECT_EQ(strictError(program), "");
}

/// Node 0 pushes 8 bytes to 0x8000 of node 1 once it is granted.
binary::Program pushing(uint32_t begin, llvm::StringRef source) {
  binary::Program program = assembled((R"(
step:
coord x1, 3
li x2, 0x4000
li x3, 0x8000
li x4, 8
li x5, 1
shli x6, x5, 62          # semaphore 0 of node 0
shli x7, x5, 32
or x8, x7, x6            # semaphore 0 of node 1
or x9, x7, x3
bne x1, x0, receive
stw x4, x2, 0
stw x0, x2, 4
std x0, x2, 8
vst v0, x2, 16
)" + source + R"(
wait x0, x5
push x2, x2, x9
signal x8
halt
receive:
signal x6
wait x0, x5
ldd x10, x3, 0
halt
)")
                                          .str(),
                                      smallMachine(1, 2));
  program.buffers = {{"descriptor", 0x4000, 128, 0, forever, "step"},
                     {"mailbox", 0x8000, 8, begin, forever, "step"}};
  return program;
}

TEST(Strict, ADestinationIsLiveFromTheGrantOn) {
  binary::Program program = pushing(0, "addi x0, x0, 0");
  auto receive = llvm::find_if(program.routines, [](auto &l) { return l.name == "receive"; });
  program.buffers[1].begin = receive->address;
  EXPECT_EQ(strictError(program), "");
  program.buffers[1].begin = receive->address + 8;
  EXPECT_THAT(strictError(program),
              HasSubstr("'push x2, x2, x9' writes to node (0,0,0,1), but buffer 'mailbox' is not "
                        "live at the byte at 0x8000"));
}

TEST(Strict, APushOfUnwrittenBytesIsAnError) {
  EXPECT_THAT(
      strictError(pushing(0, "addi x2, x2, 0\nli x11, 0x4000\nli x12, 120\nstw x12, x11, 0")),
      HasSubstr("reads SRAM, but the byte at 0x4050 of buffer 'descriptor' was never"));
}

TEST(Strict, ABufferOutsideSramIsRefused) {
  binary::Program program = assembled("step: halt");
  program.buffers = {{"b", 0x13ffff, 2, 0, forever, "step"}};
  EXPECT_THAT(
      strictError(program),
      HasSubstr("buffer 'b' at 0x13ffff of 2 bytes does not fit the 1310720 bytes of SRAM"));
}

} // namespace
} // namespace dojo::exec
