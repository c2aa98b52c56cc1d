//===- BinaryTest.cpp - files are read as written, or refused -------------===//
#include "dojo/Binary/Program.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include "gmock/gmock.h"
#include <random>

using testing::HasSubstr;

namespace dojo::binary {
namespace {

constexpr char weights[] = "weights of the model";
constexpr char table[] = "table";

Program sample() {
  Program p;
  p.machine = "{\"name\": \"small\"}";
  p.code.assign(64, 'c');
  p.entries = {{"init", 0}, {"step", 32}};
  p.routines = {{"matmul", 16}, {"relu", 48}};
  p.images = {{0x1000, llvm::ArrayRef(weights)}, {uint64_t(3) << 40, llvm::ArrayRef(table)}};
  p.inputs = {{"x", ElementType::f32, {1, 3, 4}, 0x2000}, {"ids", ElementType::i32, {}, 0x3000}};
  p.outputs = {{"y", ElementType::bf16, {2, 5}, 0x4000, {{1, 0}}}};
  p.counts = {{"count", ElementType::i32, {}, 0x5000}};
  p.buffers = {{"panel", 0x8000, 4096, 4, 40, "init"}, {"code", 0, 64, 0, Buffer::forever, "step"}};
  p.lines = {{0, 16, "conv1"}, {16, 20, "relu1"}, {32, 64, "conv1"}};
  return p;
}

std::string bytesOf(const Program &program) {
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  llvm::ExitOnError()(write(program, os));
  return bytes;
}
llvm::Expected<Program> readBack(const std::string &bytes) {
  return read(llvm::ArrayRef(bytes.data(), bytes.size()));
}
std::string errorOf(const std::string &bytes) {
  auto program = readBack(bytes);
  return program ? "" : llvm::toString(program.takeError());
}

TEST(Binary, IsReadAsItWasWritten) {
  std::string bytes = bytesOf(sample());
  Program p = llvm::ExitOnError()(readBack(bytes));
  Program want = sample();
  EXPECT_EQ(p.machine, want.machine);
  EXPECT_EQ(p.code, want.code);
  EXPECT_EQ(p.entry("init"), 0u);
  EXPECT_EQ(p.entry("step"), 32u);
  EXPECT_EQ(p.entry("stop"), std::nullopt);
  ASSERT_EQ(p.routines.size(), 2u);
  EXPECT_EQ(p.routines[1].name, "relu");
  EXPECT_EQ(p.routines[1].address, 48u);
  ASSERT_EQ(p.images.size(), 2u);
  EXPECT_EQ(p.images[0].address, 0x1000u);
  EXPECT_EQ(p.images[0].bytes, llvm::ArrayRef(weights));
  EXPECT_EQ(p.images[1].address, uint64_t(3) << 40);
  ASSERT_EQ(p.inputs.size(), 2u);
  EXPECT_EQ(p.inputs[0].name, "x");
  EXPECT_EQ(p.inputs[0].shape, (std::vector<int64_t>{1, 3, 4}));
  EXPECT_EQ(p.inputs[0].bytes(), 48u);
  EXPECT_EQ(p.inputs[1].type, ElementType::i32);
  EXPECT_EQ(p.inputs[1].bytes(), 4u);
  EXPECT_EQ(p.outputs[0].type, ElementType::bf16);
  EXPECT_EQ(p.outputs[0].address, 0x4000u);
  ASSERT_EQ(p.outputs[0].extents.size(), 1u);
  EXPECT_EQ(p.outputs[0].extents[0].dim, 1u);
  EXPECT_EQ(p.outputs[0].extents[0].count, 0u);
  ASSERT_EQ(p.counts.size(), 1u);
  EXPECT_EQ(p.counts[0].address, 0x5000u);
  ASSERT_EQ(p.buffers.size(), 2u);
  EXPECT_EQ(p.buffers[0].name, "panel");
  EXPECT_EQ(p.buffers[0].end, 40u);
  EXPECT_EQ(p.buffers[0].entry, "init");
  EXPECT_EQ(p.location(17), "relu1");
  EXPECT_EQ(p.location(20), "");
  EXPECT_EQ(p.location(63), "conv1");
  EXPECT_EQ(bytesOf(p), bytes);
}

TEST(Binary, ImagesAreNotCopiedOutOfTheFile) {
  std::string bytes = bytesOf(sample());
  Program p = llvm::ExitOnError()(readBack(bytes));
  const char *image = p.images[0].bytes.data();
  EXPECT_TRUE(image >= bytes.data() && image < bytes.data() + bytes.size());
}

TEST(Binary, AFileKeepsItsImagesAlive) {
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("program", "d1", path));
  llvm::ExitOnError()(writeFile(sample(), path));
  Program p = llvm::ExitOnError()(readFile(path));
  llvm::sys::fs::remove(path);
  EXPECT_EQ(p.images[0].bytes, llvm::ArrayRef(weights));
  EXPECT_THAT(llvm::toString(readFile(path).takeError()), HasSubstr("No such file"));
}

TEST(Binary, ForeignFilesAreRefusedWithTheReason) {
  EXPECT_EQ(errorOf(""), "not an ELF file");
  EXPECT_EQ(errorOf("#!/bin/sh"), "not an ELF file");
  std::string bytes = bytesOf(sample());
  EXPECT_EQ(errorOf(bytes.substr(0, 20)), "the file is cut off inside its header");
  std::string other = bytes;
  other[18] = 62;
  EXPECT_EQ(errorOf(other), "an ELF file, but not for D1");
  other = bytes;
  other[48] = 9;
  EXPECT_EQ(errorOf(other), "the file has format version 9, this program reads version 2");
}

/// Reads every field, so that a sanitizer sees an access outside the bytes.
void readOrRefuse(const std::string &bytes) {
  // A heap block of exactly the file's size.
  std::vector<char> exact(bytes.begin(), bytes.end());
  llvm::Expected<Program> program = read(exact);
  if (!program) {
    EXPECT_NE(llvm::toString(program.takeError()), "");
    return;
  }
  unsigned sum = 0;
  for (const Image &image : program->images)
    for (char byte : image.bytes)
      sum += byte;
  EXPECT_EQ(llvm::toString(verify(*program)), "") << sum;
}

TEST(Binary, EveryTruncationIsRefused) {
  std::string bytes = bytesOf(sample());
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_NE(errorOf(bytes.substr(0, length)), "") << length;
}

TEST(Binary, DamagedBytesGiveAnErrorOrAValidProgram) {
  std::string bytes = bytesOf(sample());
  std::mt19937 random(1);
  for (unsigned trial = 0; trial < 20000; ++trial) {
    std::string damaged = bytes;
    for (unsigned flips = 1 + random() % 4; flips > 0; --flips)
      damaged[random() % damaged.size()] = char(random() % 3 ? random() : 0xff * (random() % 2));
    readOrRefuse(damaged);
  }
}

TEST(Binary, AMissingOrDoubledSectionIsNamed) {
  std::string bytes = bytesOf(sample());
  std::string other = bytes;
  other.replace(other.find(".dojo.io"), 8, ".dojo.xy");
  EXPECT_EQ(errorOf(other), "damaged D1 binary: section '.dojo.io' is missing");
  other = bytes;
  other.replace(other.find(".dojo.dram.1"), 12, ".dojo.dram.0");
  EXPECT_EQ(errorOf(other), "damaged D1 binary: section '.dojo.dram.0' occurs twice");
}

/// The error of writing a sample that `change` made wrong.
template <class F>
std::string writeError(F change) {
  Program program = sample();
  change(program);
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  return llvm::toString(write(program, os));
}

TEST(Binary, AProgramThatContradictsItselfIsNotWritten) {
  EXPECT_EQ(writeError([](Program &p) { p.code.pop_back(); }),
            "the code's 63 bytes are no number of instructions");
  EXPECT_EQ(writeError([](Program &p) { p.entries[1].address = 64; }),
            "entry 'step' at 0x40 is no address of an instruction");
  EXPECT_EQ(writeError([](Program &p) { p.entries[1].name = "init"; }),
            "entry 'init' occurs twice");
  EXPECT_EQ(writeError([](Program &p) { p.routines[0].name = ""; }), "routine has an empty name");
  EXPECT_EQ(writeError([](Program &p) { p.routines[0].name = std::string("a\0b", 3); }),
            "the name of routine holds a zero byte");
  EXPECT_EQ(writeError([](Program &p) { p.images[1].address = 0x1001; }),
            "DRAM image 1 at 0x1001 overlaps the one before it or stands out of order");
  EXPECT_EQ(writeError([](Program &p) { p.images[1].address = (uint64_t(1) << 40) - 1; }),
            "DRAM image 1 at 0xffffffffff of 6 bytes is not inside one DIP");
  EXPECT_EQ(writeError([](Program &p) { p.inputs[1].name = "x"; }), "input 'x' occurs twice");
  EXPECT_EQ(writeError([](Program &p) { p.inputs[0].shape = {-1}; }),
            "input 'x' has a negative or too large dimension");
  EXPECT_EQ(writeError([](Program &p) { p.inputs[0].shape = {INT64_MAX, 8}; }),
            "input 'x' has a negative or too large dimension");
  EXPECT_EQ(writeError([](Program &p) { p.inputs[0].shape = {int64_t(1) << 40}; }),
            "input 'x' at 0x2000 of 4398046511104 bytes is not inside one DIP");
  EXPECT_EQ(writeError([](Program &p) { p.outputs[0].type = ElementType(numElementTypes); }),
            "output 'y' has the unknown element type 12");
  EXPECT_EQ(writeError([](Program &p) { p.outputs[0].extents[0].dim = 2; }),
            "output 'y' has an extent of dimension 2 by count 0");
  EXPECT_EQ(writeError([](Program &p) { p.counts.clear(); }),
            "output 'y' has an extent of dimension 1 by count 0");
  EXPECT_EQ(writeError([](Program &p) { p.counts[0].shape = {2}; }),
            "count 'count' is no single i32");
  EXPECT_EQ(writeError([](Program &p) { p.inputs[0].extents = {{0, 0}}; }),
            "input 'x' has extents, which outputs alone have");
  EXPECT_EQ(writeError([](Program &p) { p.buffers[0].entry = "run"; }),
            "buffer 'panel' names the unknown entry 'run'");
  EXPECT_EQ(writeError([](Program &p) { p.buffers[0].size = UINT32_MAX; }),
            "buffer 'panel' at 0x8000 of 4294967295 bytes passes 32 bits of address");
  EXPECT_EQ(writeError([](Program &p) { p.buffers[0].begin = 68; }),
            "buffer 'panel' begins at 0x44, no address of an instruction");
  EXPECT_EQ(writeError([](Program &p) { p.buffers[0].end = 5; }),
            "buffer 'panel' ends at 0x5, no address of an instruction");
  EXPECT_EQ(writeError([](Program &p) { p.lines[1].begin = 12; }),
            "the line table's range 0xc to 0x14 is out of order or outside the code");
}

} // namespace
} // namespace dojo::binary
