//===- MeshTest.cpp - control, network, threads and what goes wrong -------===//
#include "Harness.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "gmock/gmock.h"
#include <numeric>
#include <random>

using llvm::formatv;
using testing::HasSubstr;
using testing::Not;

namespace dojo::exec {
namespace {

/// Runs `text` on one node and gives the value that it leaves at 0x8000.
Outcome runScalar(llvm::StringRef text) {
  binary::Program program = assembled(
      ("step:\n" + text +
       "\nstore: li x20, 0x8000\n std x1, x20, 0\n li x21, 8\n stw x21, x20, 64\n"
       " stw x0, x20, 68\n std x0, x20, 72\n addi x21, x20, 64\n li x22, 2\n shli x22, x22, 62\n"
       " li x23, 0x20000\n or x22, x22, x23\n push x21, x20, x22\n drain\n halt\n")
          .str());
  program.outputs.push_back({"out", binary::ElementType::i64, {1}, outputAddress});
  return runOnce(program);
}
int64_t valueOf(const Outcome &outcome) {
  int64_t value = 0;
  EXPECT_EQ(outcome.error, "");
  if (outcome.out.size() == sizeof(value))
    memcpy(&value, outcome.out.data(), sizeof(value));
  return value;
}

TEST(Control, ABranchIsTakenExactlyWhenItsConditionHolds) {
  struct Case {
    const char *branch;
    int64_t s, a;
    bool taken;
  } cases[] = {{"beq", 5, 5, true},   {"beq", 5, 6, false}, {"bne", 5, 6, true},
               {"bne", 5, 5, false},  {"blt", -1, 0, true}, {"blt", 0, 0, false},
               {"blt", 0, -1, false}, {"bge", 0, 0, true},  {"bge", 0, -1, true},
               {"bge", -1, 0, false}};
  for (const Case &c : cases)
    EXPECT_EQ(valueOf(runScalar(formatv("li x2, {1}\nli x3, {2}\nli x1, 1\n{0} x2, x3, store\n"
                                        "li x1, 0",
                                        c.branch, c.s, c.a)
                                    .str())),
              c.taken)
        << c.branch << ' ' << c.s << ' ' << c.a;
}

TEST(Control, BdnzCountsDown) {
  EXPECT_EQ(valueOf(runScalar("li x2, 7\nl: addi x1, x1, 3\nbdnz x2, l")), 21);
  EXPECT_EQ(valueOf(runScalar("li x1, 1\nbdnz x0, store\nli x1, 0")), 1);
}

TEST(Control, JalAndJalrLinkAndReturn) {
  EXPECT_EQ(valueOf(runScalar("jal x5, f\naddi x1, x1, 1\nbeq x0, x0, store\n"
                              "f: li x1, 40\njalr x0, x5, 0\ntrap 1")),
            41);
}

TEST(Control, X0ReadsAsZeroWhateverIsWritten) {
  EXPECT_EQ(valueOf(runScalar("li x0, 5\naddi x1, x0, 2\nli x3, 0x8000\nldd x0, x3, 0\n"
                              "add x1, x1, x0")),
            2);
}

TEST(Control, CoordGivesTheLogicalPlace) {
  binary::Program program = assembled("step: coord x1, 2\ncoord x2, 3\ncoord x3, 0\n"
                                      "coord x4, 1\nshli x1, x1, 4\nor x1, x1, x2\nli x5, 0x11\n"
                                      "or x1, x1, x3\nor x1, x1, x4\nbne x1, x5, end\ntrap 7\n"
                                      "end: halt",
                                      smallMachine(2, 2));
  EXPECT_THAT(runOnce(program).error, HasSubstr("node (0,0,1,1)"));
}

//===-- Network -----------------------------------------------------------===//

/// Puts the global address of DRAM byte `address` in `reg`.
std::string dramAddress(llvm::StringRef reg, uint64_t address) {
  return formatv("li x31, 2\nshli x31, x31, 62\nli {0}, {1}\nor {0}, {0}, x31\n", reg, address);
}
/// Puts words from SRAM `address` on, by x30 and x31.
std::string words(uint64_t address, std::vector<int64_t> values) {
  std::string text = formatv("li x30, {0}\n", address);
  for (auto [i, value] : llvm::enumerate(values))
    text += formatv("li x31, {0}\nstw x31, x30, {1}\n", value, 4 * i);
  return text;
}

TEST(Transfers, CopyByStridesAsALoopNestDoes) {
  std::mt19937 random(7);
  auto pick = [&](int lo, int hi) { return lo + int(random() % (hi - lo + 1)); };
  for (unsigned trial = 0; trial < 60; ++trial) {
    constexpr int area = 4096, middle = area / 2;
    int run = pick(1, 9), levels = pick(0, 4);
    std::vector<int64_t> d = {run, levels, 0, 0};
    for (int i = 0; i < 4; ++i)
      d.push_back(pick(0, 9) ? pick(1, 4) : 0);
    for (int i = 0; i < 8; ++i)
      d.push_back(pick(0, 3) ? pick(-100, 100) : run);

    std::vector<char> in(area), expected(area, 0);
    for (char &byte : in)
      byte = char(random());
    std::vector<int64_t> n(d.begin() + 4, d.begin() + 8);
    for (int level = levels; level < 4; ++level)
      n[level] = 1;
    for (int i3 = 0; i3 < n[3]; ++i3)
      for (int i2 = 0; i2 < n[2]; ++i2)
        for (int i1 = 0; i1 < n[1]; ++i1)
          for (int i0 = 0; i0 < n[0]; ++i0)
            for (int byte = 0; byte < run; ++byte)
              expected[middle + byte + i0 * d[12] + i1 * d[13] + i2 * d[14] + i3 * d[15]] =
                  in[middle + byte + i0 * d[8] + i1 * d[9] + i2 * d[10] + i3 * d[11]];

    // The strided copy once as a pull, once as a push.
    bool pulls = trial % 2;
    std::string whole = words(0x4000, {area, 0, 0, 0}), strided = words(0x4040, d);
    uint64_t inAt = pulls ? inputAddress + middle : inputAddress;
    uint64_t outAt = pulls ? outputAddress : outputAddress + middle;
    std::string text = "step:\n" + whole + strided + dramAddress("x1", inAt) +
                       dramAddress("x2", outAt) + "li x3, 0x8000\nli x4, 0x4000\nli x5, 0x4040\n" +
                       formatv("addi x6, x3, {0}\n", middle).str() +
                       (pulls ? "pull x5, x6, x1\ndrain\npush x4, x3, x2\n"
                              : "pull x4, x3, x1\ndrain\npush x5, x6, x2\n") +
                       "drain\nhalt\n";
    binary::Program program = assembled(text);
    addInOut(program, area, area);
    Outcome outcome = runOnce(program, in);
    ASSERT_EQ(outcome.error, "");
    ASSERT_EQ(outcome.out, expected) << "trial " << trial;
  }
}

/// Every node of a column of `nodes` adds its y to the number that it hears
/// from the node above and passes the sum on; the last stores it to DRAM. Each
/// number is taken from a mailbox at 0x9000 under `ready` (3) and `free` (4).
std::string chain(int nodes, int rounds) {
  return "step:\n" + words(0x4000, {8, 0, 0, 0}) + dramAddress("x20", outputAddress) +
         formatv(R"(
coord x1, 2
li x2, {0}
li x3, 0x9000
li x4, 0x4000
addi x5, x1, 1
shli x6, x5, 40          # the SRAM of the node below
or x7, x6, x3            # its mailbox
li x8, 1
shli x8, x8, 62
or x9, x8, x6
addi x9, x9, 3           # its ready
addi x10, x1, -1
shli x10, x10, 40
or x10, x10, x8
addi x10, x10, 4         # free of the node above
li x11, {1}
li x15, 3
li x16, 4
li x17, 1
round:
beq x1, x0, first
wait x15, x17
ldd x12, x3, 0
signal x10
beq x0, x0, add
first: add x12, x0, x11
add: add x12, x12, x1
li x13, 0x9100
std x12, x13, 0
beq x5, x2, last
wait x16, x17
push x4, x13, x7
signal x9
beq x0, x0, next
last: push x4, x13, x20
addi x20, x20, 8
next: bdnz x11, round
halt
)",
                 nodes, rounds)
             .str();
}

/// As chain(), and every mailbox starts free: each node but the first signals
/// the one above before the rounds.
binary::Program chainProgram(int nodes, int rounds) {
  std::string text = chain(nodes, rounds);
  text.insert(text.find("round:"), "beq x1, x0, 2\nsignal x10\n");
  binary::Program program = assembled(text, smallMachine(nodes, 1));
  program.outputs.push_back({"out", binary::ElementType::i64, {rounds}, outputAddress});
  return program;
}

TEST(Mesh, NodesExchangeUnderSemaphores) {
  constexpr int nodes = 6, rounds = 20;
  Outcome outcome = runOnce(chainProgram(nodes, rounds));
  ASSERT_EQ(outcome.error, "");
  for (int round = 0; round < rounds; ++round) {
    int64_t value;
    memcpy(&value, outcome.out.data() + 8 * round, sizeof(value));
    EXPECT_EQ(value, rounds - round + nodes * (nodes - 1) / 2);
  }
  EXPECT_EQ(outcome.stats.nocBytes, uint64_t(8 * (nodes - 1) * rounds));
  EXPECT_EQ(outcome.stats.dramWrittenBytes, uint64_t(8 * rounds));
  EXPECT_EQ(outcome.stats.dramReadBytes, 0u);
}

TEST(Mesh, ThreadsChangeNeitherBytesNorCounters) {
  binary::Program program = chainProgram(13, 500);
  Options options;
  options.threads = 1;
  Outcome one = runOnce(program, {}, options);
  ASSERT_EQ(one.error, "");
  llvm::json::Object counters = toJSON(one.stats);
  counters.erase("seconds");
  for (unsigned threads : {2, 3, 4}) {
    options.threads = threads;
    Outcome many = runOnce(program, {}, options);
    EXPECT_EQ(many.error, "");
    EXPECT_EQ(many.out, one.out);
    llvm::json::Object others = toJSON(many.stats);
    others.erase("seconds");
    EXPECT_EQ(others, counters) << threads << " threads";
  }
}

TEST(Mesh, WithoutAnyOneSignalTheProgramDeadlocks) {
  binary::Program program = chainProgram(4, 5);
  const uint32_t nothing = llvm::cantFail(isa::encode(isa::Opcode::DRAIN, {}));
  unsigned removed = 0;
  for (size_t at = 0; at < program.code.size(); at += sizeof(nothing)) {
    uint32_t word;
    memcpy(&word, &program.code[at], sizeof(word));
    if (isa::Opcode(word & 0xff) != isa::Opcode::SIGNAL)
      continue;
    binary::Program mutant = program;
    memcpy(&mutant.code[at], &nothing, sizeof(nothing));
    EXPECT_THAT(runOnce(mutant).error, HasSubstr("deadlock in entry 'step'"));
    ++removed;
  }
  EXPECT_EQ(removed, 3u);
}

TEST(Mesh, DeadNodesAreSteppedOverByLogicalAddresses) {
  Machine machine = smallMachine(3, 1);
  machine.dieRows = 4;
  machine.deadNodes = {{0, 0, 1, 0}};
  binary::Program program = chainProgram(3, 2);
  program.machine = printMachine(machine);
  EXPECT_EQ(runOnce(program).error, "");
}

TEST(Mesh, ABarrierWaitsForEveryNode) {
  // Node x counts to 1000 * x before each barrier; the last one may leave before others have.
  const std::string text = "step: coord x1, 3\nmuli x2, x1, 1000\naddi x2, x2, 1\n"
                           "l: bdnz x2, l\nbarrier\nbarrier\n";
  for (unsigned threads : {1, 2, 4}) {
    Options options;
    options.threads = threads;
    EXPECT_EQ(runOnce(assembled(text + "halt", smallMachine(2, 3)), {}, options).error, "");
    binary::Program late = assembled(text + "bne x1, x0, e\nbarrier\ne: halt", smallMachine(2, 3));
    EXPECT_THAT(runOnce(late, {}, options).error,
                HasSubstr("at 0x1c 'barrier': 2 of 6 nodes have come"));
  }
}

TEST(Mesh, ASemaphoreStartsEveryEntryAtZero) {
  binary::Program program = assembled("init: li x1, 1\nshli x1, x1, 62\nsignal x1\nhalt\n"
                                      "step: li x2, 1\nwait x0, x2\nhalt");
  EXPECT_THAT(runOnce(program).error, HasSubstr("semaphore 0 needs 1, has 0"));
}

TEST(Mesh, InitRunsOnceBeforeTheFirstStep) {
  binary::Program program =
      assembled("init: li x1, 0x8000\nldd x2, x1, 0\naddi x2, x2, 1\nstd x2, x1, 0\nhalt\n"
                "step: li x1, 0x8000\nldd x2, x1, 0\nli x3, 1\nbeq x2, x3, 2\ntrap 3\nhalt");
  auto executor = llvm::cantFail(Executor::create(program));
  for (int run = 0; run < 3; ++run)
    EXPECT_TRUE(bool(executor->step({})));
}

TEST(Stats, CountWhatTheProgramDid) {
  binary::Program program =
      assembled("step: coord x1, 3\nbne x1, x0, 6\nmmul a0, v0, v1\nmmul a0, v0, v1\n"
                "vfma v1, v2, v3, v4\nli x2, 0x10000\nhalt\nli x2, 0x20000\nstd x0, x2, 8\nhalt",
                smallMachine(1, 2));
  Stats stats = runOnce(program).stats;
  EXPECT_EQ(stats.instructions, 7u + 5u);
  EXPECT_EQ(stats.matrixInstructions, 2u);
  EXPECT_EQ(stats.macs, 2u * 256 + 16);
  EXPECT_EQ(stats.macsBusiestNode, 2u * 256 + 16);
  EXPECT_EQ(stats.nodesUsed, 1u);
}

TEST(Stats, SramTouchedIsTheHighestByteAnyAccessReached) {
  auto touched = [](llvm::StringRef text) {
    return runOnce(assembled(("step: li x1, 0x8000\n" + text + "\nhalt").str()))
        .stats.sramTouchedBytes;
  };
  EXPECT_EQ(touched(""), 8u);
  EXPECT_EQ(touched("ldb x2, x1, 0"), 0x8001u);
  EXPECT_EQ(touched("vst v0, x1, 16"), 0x8050u);
  EXPECT_EQ(touched(words(0x4000, {8, 1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 32}) +
                    "li x2, 0x4000\npush x2, x1, x1"),
            0x8048u);
}

} // namespace
} // namespace dojo::exec
