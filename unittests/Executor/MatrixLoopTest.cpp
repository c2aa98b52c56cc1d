//===- MatrixLoopTest.cpp - the fast path against single steps ------------===//
#include "Harness.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "gmock/gmock.h"
#include <random>

using dojo::isa::Opcode;
using llvm::formatv;
using testing::HasSubstr;

namespace dojo::exec {
namespace {

constexpr unsigned windowBytes = 32768, dumpBytes = 12288;
constexpr uint64_t windowAddress = 0x20000, dumpAddress = windowAddress - dumpBytes;
constexpr unsigned stateBytes = windowBytes + dumpBytes;

// x1 to x3 point into the window, x4 and x5 are strides, x6 counts; x7 to x9 are
// what a loop computes addresses in; x20 to x27 hold anything.
class Generator {
public:
  explicit Generator(unsigned seed) : engine(seed) {}

  /// Loads every register, does `sections` of loops and straight lines, and stores
  /// all registers and the window.
  std::string program(unsigned sections) {
    text = "step:\n";
    transfer("pull", inputAddress);
    for (unsigned i = 0; i < 32; ++i)
      line("vld v{0}, x10, {1}\nmwrite a{2}, v{0}, {3}", i, below(100) * 64, below(32), below(4));
    for (unsigned i = 20; i < 28; ++i)
      line("ldd x{0}, x10, {1}", i, below(1000));
    for (unsigned i = 0; i < sections; ++i) {
      pointers();
      if (!below(4))
        repeated(i);
      else if (below(3))
        loop(i);
      else
        for (unsigned k = 0; k < 12; ++k)
          any();
    }
    dump();
    return text;
  }

private:
  unsigned below(unsigned n) { return engine() % n; }
  template <class... Args>
  void line(const char *format, Args &&...args) {
    text += formatv(format, args...).str() + "\n";
  }

  /// Moves the window and what lies before it.
  void transfer(const char *what, uint64_t dram) {
    line("li x10, {0}\nli x11, {1}\naddi x12, x10, -64\nstw x11, x12, 0", dumpAddress, stateBytes);
    line("stw x0, x12, 4\nstd x0, x12, 8\nli x13, 2\nshli x13, x13, 62\nli x14, {0}", dram);
    line("or x14, x13, x14\n{0} x12, x10, x14\ndrain\nli x10, {1}", what, windowAddress);
  }

  void pointers() {
    for (unsigned x = 1; x < 4; ++x)
      line("addi x{0}, x10, {1}\naddi x{0}, x{0}, 8000", x, 4000 + below(1000));
    for (unsigned x = 4; x < 6; ++x)
      line("li x{0}, {1}", x, int(below(129)) - 64);
    line("li x7, {0}\nli x8, {1}", windowAddress + 16000, windowAddress + 15000);
    line("addi x9, x7, 64\nli x28, {0}\nli x30, {1}", below(8), int(below(65)) - 32);
  }

  unsigned pointer() { return 1 + below(3); }

  /// Any instruction that keeps its place, with operands as above.
  void any() {
    for (;;) {
      const isa::Instruction &inst = isa::instructions()[below(isa::instructions().size())];
      if (inst.effect != isa::Effect::control && inst.effect != isa::Effect::node)
        return one(inst);
    }
  }
  int immediate(const isa::Instruction &inst, const isa::Operand &operand) {
    if (inst.opcode == Opcode::COORD)
      return below(4);
    return operand.isSigned ? int(below(400)) - 200 : below(1u << std::min<int>(operand.width, 8));
  }
  void one(const isa::Instruction &inst) {
    const bool access = inst.effect == isa::Effect::read || inst.effect == isa::Effect::write;
    std::string out = inst.mnemonic.str();
    const char *separator = " ";
    for (const isa::Operand &operand : inst.operands) {
      out += separator;
      separator = ", ";
      const bool address = access && operand.role == isa::Role::use && operand.lo != 8;
      if (operand.kind == isa::Kind::imm)
        out += std::to_string(immediate(inst, operand));
      else if (operand.kind == isa::Kind::x)
        out += "x" + std::to_string(!address           ? 20 + below(8)
                                    : operand.lo == 13 ? pointer()
                                                       : 4 + below(2));
      else
        out += isa::registerLetter(operand.kind) +
               std::to_string(below(operand.kind == isa::Kind::v ? 12 : 32));
    }
    text += out + "\n";
  }

  /// A line of address arithmetic: of values carried from one iteration to the next, or made anew.
  void scalar() {
    switch (below(13)) {
    case 0:
      return line("addi x1, x1, {0}", int(below(257)) - 128);
    case 1:
      return line("add x2, x2, x4");
    case 2:
      return line("sub x3, x3, x5");
    case 3:
      return line("addi x7, x{0}, {1}", pointer(), int(below(400)) - 200);
    case 4:
      return line("add x8, x{0}, x4", pointer());
    case 5:
      return line("li x9, {0}\nadd x9, x9, x{1}", below(500), pointer());
    case 6:
      return line("muli x9, x6, 24\nadd x9, x1, x9");
    case 7:
      return line("shli x8, x6, {0}\nsub x8, x2, x8", below(5));
    case 8: // A digit that is carried into the next: what convolutions count in.
      return line("slti x29, x28, {0}\nadd x3, x3, x29\nandi x28, x28, 7\naddi x28, x28, 1",
                  below(8));
    case 9:
      return line("shri x29, x28, 2\nmul x29, x29, x5\nadd x2, x2, x29");
    case 10:
      return line("rem x29, x6, x5\nmax x29, x29, x4\nadd x9, x1, x29");
    case 11: // What the last iteration computed.
      return line("add x1, x7, x30\naddi x7, x1, {0}\nli x30, {1}", int(below(65)) - 32,
                  int(below(65)) - 32);
    default:
      return line("xor x28, x28, x6\nsar x29, x28, x4\nmin x29, x29, x5\nadd x8, x1, x29");
    }
  }

  void loop(unsigned number) {
    line("li x6, {0}\nL{1}:", 1 + below(40), number);
    const unsigned vectors = 2 + below(10), accs = 1 + below(32), length = 4 + below(60);
    const unsigned spoil = below(4) ? 1000 : 20;
    // Registers x1 to x3 move once an iteration at most, or the loop is none of ours.
    for (unsigned i = 0; i < length; ++i) {
      unsigned from = below(2) ? pointer() : 7 + below(3);
      if (!below(spoil))
        any();
      else if (!below(6))
        scalar();
      else if (!below(12))
        line("vmov v{0}, v{1}", below(vectors), below(vectors));
      else if (below(3))
        line("mmul a{0}, v{1}, v{2}", below(accs), below(vectors), below(vectors));
      else if (!below(3))
        line("vld v{0}, x{1}, {2}", below(vectors), from, int(below(400)) - 200);
      else
        line("vldg{0} v{1}, x{2}, x4, x{3}, {4}", below(2) ? 8 : 16, below(vectors), from,
             4 + below(2), below(4));
    }
    line("bdnz x6, L{0}", number);
  }

  /// A loop that comes back to the same operands, some of which may have been stored anew.
  void repeated(unsigned number) {
    line("li x19, {0}\nR{1}:", 2 + below(3), number);
    pointers();
    for (unsigned stores = below(3); stores > 0; --stores)
      if (below(2))
        line("vst v{0}, x{1}, {2}", below(12), pointer(), int(below(400)) - 200);
      else
        line("vstg16 v{0}, x{1}, x4, x5, 2", below(12), pointer());
    loop(number);
    line("bdnz x19, R{0}", number);
  }

  void dump() {
    line("li x10, {0}", dumpAddress);
    for (unsigned i = 0; i < 32; ++i)
      line("vst v{0}, x10, {1}", i, i * 64);
    for (unsigned i = 0; i < 31; ++i)
      if (i != 10)
        line("std x{0}, x10, {1}", i, 2048 + i * 8);
    // From here on 64 rows of 64 bytes fit the immediate.
    line("addi x10, x10, 2304");
    for (unsigned i = 0; i < 32; ++i) {
      for (unsigned row = 0; row < 4; ++row)
        line("mread v0, a{0}, {1}\nvst v0, x10, {2}", i, row, row * 64);
      line("addi x10, x10, 256");
    }
    transfer("push", outputAddress);
    line("halt");
  }

  std::mt19937 engine;
  std::string text;
};

std::vector<char> randomBytes(unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<char> bytes(stateBytes);
  for (unsigned i = 0; i < bytes.size(); i += 2) {
    // BF16 of all magnitudes, with a NaN or an infinity here and there.
    uint16_t half = engine() % 64 ? 0x3f00 + engine() % 512 + (engine() % 2 << 15) : engine();
    memcpy(&bytes[i], &half, sizeof(half));
  }
  return bytes;
}

Outcome outcome(const binary::Program &program, llvm::ArrayRef<char> in, Options options) {
  options.threads = 1;
  return runOnce(program, in, options);
}

void expectEqual(const Outcome &fast, const Outcome &single) {
  EXPECT_EQ(fast.error, single.error);
  EXPECT_EQ(fast.out, single.out);
  EXPECT_EQ(fast.stats.instructions, single.stats.instructions);
  EXPECT_EQ(fast.stats.matrixInstructions, single.stats.matrixInstructions);
  EXPECT_EQ(fast.stats.macs, single.stats.macs);
  EXPECT_EQ(fast.stats.sramTouchedBytes, single.stats.sramTouchedBytes);
}

class Hosts : public testing::TestWithParam<Host> {};

TEST_P(Hosts, RandomProgramsDoWhatSingleStepsDo) {
  if (GetParam() > bestHost())
    GTEST_SKIP() << "this host lacks the vector instructions (AVX2 or AVX-512) of the case";
  uint64_t batched = 0, all = 0;
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    binary::Program program = assembled(Generator(seed).program(8));
    addInOut(program, stateBytes, stateBytes);
    Options fast, single;
    fast.host = GetParam();
    single.host = Host::portable;
    single.interpret = true;
    const std::vector<char> in = randomBytes(seed);
    const Outcome reference = outcome(program, in, single), result = outcome(program, in, fast);
    ASSERT_EQ(reference.error, "");
    expectEqual(result, reference);
    EXPECT_EQ(reference.stats.batchedMatrixInstructions, 0u);
    batched += result.stats.batchedMatrixInstructions;
    all += result.stats.matrixInstructions;
  }
  EXPECT_GT(batched, all / 10);
}

std::string hostName(const testing::TestParamInfo<Host> &info) {
  static const char *const names[] = {"Portable", "AVX2", "AVX512"};
  return names[unsigned(info.param)];
}
INSTANTIATE_TEST_SUITE_P(Every, Hosts, testing::Values(Host::portable, Host::avx2, Host::avx512),
                         hostName);

/// Both ways through a program without inputs; the errors must be equal.
struct Both {
  Outcome fast, single;
};
Both both(llvm::StringRef text, Options options = {}, std::vector<binary::Buffer> buffers = {},
          int64_t outBytes = 0) {
  binary::Program program = assembled(text);
  if (outBytes)
    program.outputs.push_back({"out", binary::ElementType::u8, {outBytes}, outputAddress});
  program.buffers = std::move(buffers);
  Both result;
  result.fast = outcome(program, {}, options);
  options.interpret = true;
  result.single = outcome(program, {}, options);
  expectEqual(result.fast, result.single);
  return result;
}

TEST(MatrixLoop, ALoopThatLeavesTheSramFailsWhereSingleStepsFail) {
  Both run =
      both("step: li x1, 0x13f\nshli x1, x1, 12\nli x2, 100\nl: vld v0, x1, 0\nmmul a0, v0, v0\n"
           "addi x1, x1, 64\nbdnz x2, l\nhalt");
  EXPECT_THAT(run.fast.error, HasSubstr("'vld v0, x1, 0' reads 64 bytes at 0x140000, outside"));
  EXPECT_EQ(run.fast.stats.batchedMatrixInstructions, 0u);
}

TEST(MatrixLoop, CopiesAreFollowedThroughEarlierIterations) {
  // v1 and v0 hold what v2 held one and two iterations before; v5 stays, v6 becomes v5.
  for (unsigned trips = 1; trips < 6; ++trips) {
    SCOPED_TRACE(trips);
    Both run = both(
        formatv(
            "step: li x1, 0x40\nshli x1, x1, 8\nli x2, 64\nviota v4\ns: viadd v4, v4, v4\n"
            "vst v4, x1, 0\naddi x1, x1, 64\nbdnz x2, s\nli x1, 0x40\nshli x1, x1, 8\n"
            "vld v0, x1, 1024\nvld v1, x1, 1088\nvld v5, x1, 1152\nvld v6, x1, 1216\nli x2, {0}\n"
            "l: vld v2, x1, 0\nmmul a0, v0, v1\nmmul a1, v2, v6\nvmov v0, v1\n"
            "vmov v1, v2\nvmov v6, v5\naddi x1, x1, 64\nbdnz x2, l\n"
            "li x10, 0x80\nshli x10, x10, 8\n"
            "vst v0, x10, 0\nvst v1, x10, 64\nvst v6, x10, 128\nmread v9, a0, 1\n"
            "vst v9, x10, 192\nmread v9, a1, 2\nvst v9, x10, 256\n"
            "li x11, 320\naddi x12, x10, -64\nstw x11, x12, 0\nstw x0, x12, 4\n"
            "std x0, x12, 8\nli x13, 2\nshli x13, x13, 62\nli x14, {1}\n"
            "or x14, x13, x14\npush x12, x10, x14\ndrain\nhalt",
            trips, outputAddress)
            .str(),
        {}, {}, 320);
    EXPECT_EQ(run.fast.error, "");
    EXPECT_EQ(run.fast.stats.batchedMatrixInstructions, 2 * trips);
  }
}

TEST(MatrixLoop, CopiesThatGoRoundForEverTakeSingleSteps) {
  Both run = both("step: li x1, 0x8000\nli x2, 5\nl: vmov v2, v0\nvmov v0, v1\nvmov v1, v2\n"
                  "mmul a0, v0, v1\nbdnz x2, l\nhalt");
  EXPECT_EQ(run.fast.error, "");
  EXPECT_EQ(run.fast.stats.batchedMatrixInstructions, 0u);
}

TEST(MatrixLoop, TheInstructionLimitEndsALoopWhereItEndsSingleSteps) {
  Options options;
  for (uint64_t limit : {3, 4, 5, 6, 301, 302, 303, 304}) {
    options.instructionLimit = limit;
    Both run = both("step: li x1, 0x8000\nli x2, 0\nl: vld v0, x1, 0\nmmul a0, v0, v0\n"
                    "bdnz x2, l\nhalt",
                    options);
    EXPECT_THAT(run.fast.error, HasSubstr("the limit of one entry"));
  }
}

TEST(MatrixLoop, StrictMemorySeesTheByteThatWasNeverWritten) {
  Options options;
  options.strict = Strict::memory;
  auto text = [](unsigned stored) {
    return formatv("step: li x1, 0x8000\nli x2, {0}\ns: vst v0, x1, 0\naddi x1, x1, 64\n"
                   "bdnz x2, s\nli x1, 0x8000\nli x2, 4\nl: vld v0, x1, 0\n"
                   "mmul a0, v0, v0\naddi x1, x1, 64\nbdnz x2, l\nhalt",
                   stored)
        .str();
  };
  const std::vector<binary::Buffer> buffers = {
      {"b", 0x8000, 256, 0, binary::Buffer::forever, "step"}};
  Both good = both(text(4), options, buffers);
  EXPECT_EQ(good.fast.error, "");
  EXPECT_EQ(good.fast.stats.batchedMatrixInstructions, 4u);
  EXPECT_THAT(both(text(3), options, buffers).fast.error,
              HasSubstr("but the byte at 0x80c0 of buffer 'b' was never written"));
}

TEST(MatrixLoop, ALoopTakesTheTimeOfItsSteps) {
  Options options;
  options.timing = true;
  auto cycles = [&](bool interpret) {
    options.interpret = interpret;
    binary::Program program =
        assembled("step: li x1, 0x8000\nli x2, 1000\nl: vld v0, x1, 0\nmmul a0, v0, v0\n"
                  "mmul a1, v0, v1\naddi x1, x1, 8\nbdnz x2, l\nli x2, 3\n"
                  "k: vld v0, x1, 0\nmmul a0, v0, v0\nbdnz x2, k\nhalt");
    auto executor = llvm::cantFail(Executor::create(program, options));
    EXPECT_TRUE(bool(executor->step({})));
    std::string text;
    llvm::raw_string_ostream(text) << llvm::json::Value(toJSON(executor->timing().front()));
    return text;
  };
  EXPECT_EQ(cycles(false), cycles(true));
}

} // namespace
} // namespace dojo::exec
