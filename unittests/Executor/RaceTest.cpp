//===- RaceTest.cpp - accesses that nothing orders ------------------------===//
#include "Harness.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "gmock/gmock.h"
#include <set>

using llvm::formatv;
using testing::HasSubstr;

namespace dojo::exec {
namespace {

constexpr uint32_t forever = binary::Buffer::forever;
constexpr uint32_t mailbox = 0x9000;

// What nodes do. Each has a source of 64 bytes and a mailbox of 64 bytes, of which 8 are moved.
const std::string fill = "std x0, x3, 0\n";
const std::string use = "ldd x8, x5, 0\n";
const std::string drain = "drain\n";
const std::string load = "pull x2, x5, x16\n";
const std::string store = "push x2, x3, x16\n";
std::string push(int to) { return formatv("push x2, x3, x{0}\n", 10 + to); }
std::string signal(int to, int semaphore = 0) {
  return formatv("addi x30, x{0}, {1}\nsignal x30\n", 13 + to, semaphore);
}
std::string wait(int semaphore = 0, int count = 1) {
  return formatv("li x6, {0}\nli x7, {1}\nwait x6, x7\n", semaphore, count);
}

/// One text for each node of a row of at most three.
binary::Program program(llvm::ArrayRef<std::string> nodes) {
  std::string text = "step:\nli x2, 0x4000\nli x3, 0x8000\nli x5, 0x9000\nli x8, 8\n"
                     "stw x8, x2, 0\nstw x0, x2, 4\nstd x0, x2, 8\nstd x0, x3, 0\n"
                     "coord x1, 3\nli x4, 1\nshli x17, x4, 62\n";
  for (unsigned i = 0; i < nodes.size(); ++i)
    text += formatv("li x18, {0}\nshli x18, x18, 32\nor x{1}, x18, x5\nor x{2}, x18, x17\n", i,
                    10 + i, 13 + i);
  text += "shli x16, x4, 63\nli x18, 0x10000\nor x16, x16, x18\n";
  for (unsigned i = 0; i < nodes.size(); ++i)
    text += formatv("li x18, {0}\nbeq x1, x18, n{0}\n", i);
  for (auto [i, node] : llvm::enumerate(nodes))
    text += formatv("n{0}:\n{1}halt\n", i, node);
  binary::Program program = assembled(text, smallMachine(1, nodes.size()));
  program.buffers = {{"descriptor", 0x4000, 64, 0, forever, "step"},
                     {"source", 0x8000, 64, 0, forever, "step"},
                     {"mailbox", mailbox, 64, 0, forever, "step"}};
  return program;
}

/// Runs `step` twice looking for races.
std::string errorOf(const binary::Program &program) {
  Options options;
  options.strict = Strict::race;
  auto executor = Executor::create(program, options);
  if (!executor)
    return llvm::toString(executor.takeError());
  for (int run = 0; run < 2; ++run) {
    std::vector<Tensor> inputs;
    for (const binary::Tensor &input : program.inputs)
      inputs.push_back({input.name, input.type, input.shape, std::vector<char>(input.bytes())});
    auto outputs = (*executor)->step(inputs);
    if (!outputs)
      return llvm::toString(outputs.takeError());
  }
  return "";
}
std::string raceError(const std::vector<std::string> &nodes) { return errorOf(program(nodes)); }

/// The error with the two nodes in both places: the one that runs first is another.
std::vector<std::string> bothWays(std::array<std::string, 2> (*nodes)(int first, int second)) {
  auto [a, b] = nodes(0, 1);
  auto [c, d] = nodes(1, 0);
  return {raceError({a, b}), raceError({d, c})};
}

TEST(Race, AGrantedPushThatIsWaitedForIsNone) {
  EXPECT_THAT(bothWays([](int sender, int receiver) -> std::array<std::string, 2> {
                return {wait() + push(receiver) + signal(receiver) + drain + fill,
                        signal(sender) + wait() + use};
              }),
              testing::Each(""));
}

TEST(Race, AReadWithoutAWaitIsOne) {
  EXPECT_EQ(
      raceError({push(1) + signal(1), use + wait()}),
      "node (0,0,0,1) at 0x78 'ldd x8, x5, 0' reads 8 bytes at 0x9000, but the byte at 0x9000 "
      "of buffer 'mailbox' is written by a push of node (0,0,0,0) in the code from 0x0 on, and no "
      "wait lies "
      "between");
}

TEST(Race, APushWithoutAGrantIsOneWhicheverNodeRunsFirst) {
  // The receiver reads its mailbox before it grants it.
  auto nodes = [](int sender, int receiver) -> std::array<std::string, 2> {
    return {push(receiver) + signal(receiver) + wait(),
            "std x0, x5, 0\n" + use + signal(sender) + wait()};
  };
  EXPECT_THAT(bothWays(nodes),
              testing::Each(testing::AnyOf(HasSubstr("and no signal orders the two"),
                                           HasSubstr("and no wait lies between"))));
}

TEST(Race, ABarrierOrdersWhatAllDidBefore) {
  EXPECT_THAT(bothWays([](int, int receiver) -> std::array<std::string, 2> {
                return {"barrier\nbarrier\n" + push(receiver) + signal(receiver) + drain,
                        "barrier\nstd x0, x5, 0\n" + use + "barrier\n" + wait() + use};
              }),
              testing::Each(""));
}

TEST(Race, ABarrierOrdersNothingBehindIt) {
  EXPECT_THAT(bothWays([](int, int receiver) -> std::array<std::string, 2> {
                return {"barrier\n" + push(receiver) + signal(receiver) + drain,
                        "barrier\nstd x0, x5, 0\n" + use + wait()};
              }),
              testing::Each(testing::AnyOf(HasSubstr("and no signal orders the two"),
                                           HasSubstr("and no wait lies between"))));
}

TEST(Race, TheErrorOfAPushNamesTheOtherAccess) {
  std::string text = raceError({"std x0, x5, 0\n" + wait(), push(0) + signal(0)});
  EXPECT_THAT(text, HasSubstr("'push x2, x3, x10' writes to node (0,0,0,0), but the byte at 0x9000 "
                              "of buffer 'mailbox' is used by node (0,0,0,0) in the code"));
}

TEST(Race, TheErrorOfAPushNamesTheCallThatUsedTheBytes) {
  binary::Program racing =
      program({"jal x29, f\nbeq x0, x0, g\nf: std x0, x5, 0\njalr x0, x29, 0\ng:\n" + wait(),
               push(0) + signal(0)});
  auto first = llvm::find_if(racing.routines, [](auto &label) { return label.name == "n0"; });
  racing.lines = {{first->address, first->address + 4, "op"}};
  EXPECT_THAT(
      errorOf(racing),
      HasSubstr(formatv("is used by node (0,0,0,0) in the call at {0:x} (op), and no signal",
                        first->address)
                    .str()));
}

TEST(Race, ADescriptorWithoutLevelsIsReadNoFurther) {
  const std::string behind = "li x18, 0x4ff0\nsub x19, x10, x18\npush x2, x3, x19\n";
  EXPECT_EQ(raceError({push(0) + drain + wait(), behind + signal(0)}), "");
  const std::string within = "li x18, 0x4ff8\nsub x19, x10, x18\npush x2, x3, x19\n";
  EXPECT_THAT(raceError({push(0) + drain + wait(), within + signal(0)}),
              HasSubstr("the byte at 0x4008 of buffer 'descriptor' is used by node (0,0,0,0)"));
}

TEST(Race, ASourceMayNotChangeBeforeADrain) {
  EXPECT_THAT(raceError({push(1) + fill + signal(1), wait()}),
              HasSubstr("writes 8 bytes at 0x8000, but the byte at 0x8000 of buffer 'source' is "
                        "read by a transfer of node (0,0,0,0)"));
  EXPECT_EQ(raceError({push(1) + "ldd x8, x3, 0\n" + signal(1), wait()}), "");
  EXPECT_THAT(raceError({push(1) + signal(1) + wait() + fill, wait() + signal(0)}),
              HasSubstr("and no drain lies between"));
}

TEST(Race, PulledBytesMayNotBeUsedBeforeADrain) {
  EXPECT_THAT(raceError({load + use}),
              HasSubstr("the byte at 0x9000 of buffer 'mailbox' is written by a transfer of node "
                        "(0,0,0,0) in the code"));
  EXPECT_EQ(raceError({load + drain + use}), "");
}

TEST(Race, TwoPushesToTheSameBytesAreOne) {
  EXPECT_THAT(raceError({push(2) + signal(2), push(2) + signal(2), wait(0, 2)}),
              HasSubstr("writes to node (0,0,0,2), but the byte at 0x9000 of buffer 'mailbox' is "
                        "written by a push of"));
  EXPECT_THAT(raceError({push(1) + push(1) + signal(1), wait()}), HasSubstr("by a push of"));
}

TEST(Race, KnowledgePassesOnFromNodeToNode) {
  // Node 1 uses its mailbox and tells node 0, which tells node 2, which pushes.
  EXPECT_EQ(raceError({wait() + signal(2), "std x0, x5, 0\n" + signal(0) + wait(1),
                       wait() + push(1) + signal(1, 1)}),
            "");
  EXPECT_THAT(raceError({wait() + signal(2), signal(0) + "std x0, x5, 0\n" + wait(1),
                         wait() + push(1) + signal(1, 1)}),
              testing::AnyOf(HasSubstr("no signal orders"), HasSubstr("no wait lies between")));
}

TEST(Race, DramIsOrderedByDrainAndSignal) {
  EXPECT_EQ(raceError({store + drain + signal(1), wait() + load + drain + use}), "");
  EXPECT_EQ(raceError({load, load}), "");
  EXPECT_THAT(raceError({store + signal(1) + drain, wait() + load + drain}),
              HasSubstr("reads DRAM, but the byte at 0x10000 of DIP 0 is written by a transfer of "
                        "node (0,0,0,0) in the code"));
  EXPECT_THAT(raceError({store, store}), HasSubstr("writes to DRAM, but the byte at 0x10000 of "
                                                   "DIP 0 is written by a transfer of"));
  EXPECT_THAT(raceError({load, store}), HasSubstr("is read by a transfer of node (0,0,0,0)"));
  EXPECT_THAT(raceError({store + load}), HasSubstr("and no drain orders the two"));
}

TEST(Race, TheErrorOfDramNamesTheTensor) {
  binary::Program racing = program({store, load});
  addInOut(racing, 64, 64);
  EXPECT_THAT(errorOf(racing), HasSubstr("the byte at 0x10000 of DIP 0 of 'in' is written"));
}

TEST(Race, ALifeMayNotEndBeforeItsBytesHaveArrived) {
  // Node 2 tells node 1 that node 0 has pushed.
  const std::string granted = "addi x0, x0, 0\n" + signal(0, 1) + wait(2);
  binary::Program early = program(
      {wait(1) + push(1) + signal(1) + signal(2), granted + wait() + use, wait() + signal(1, 2)});
  auto second = llvm::find_if(early.routines, [](auto &label) { return label.name == "n1"; });
  early.buffers[2].begin = second->address;
  EXPECT_EQ(errorOf(early), "");
  early.buffers[2].end = second->address + 4 * llvm::count(granted, '\n');
  EXPECT_THAT(errorOf(early), HasSubstr("ends the life of buffer 'mailbox', but the byte at "
                                        "0x9000 is written by a push"));
}

TEST(Race, SignalsOfOneNodeComeInItsOrder) {
  EXPECT_EQ(raceError({push(1) + signal(1) + signal(1), wait() + use + signal(0) + wait() + use}),
            "entry 'step' ends, and nobody has waited for 1 signals of semaphore 0 of node "
            "(0,0,0,0); the first is that of node (0,0,0,1) in the code from 0x0 on");
  EXPECT_EQ(raceError({push(1) + signal(1) + signal(1) + wait(),
                       wait() + use + signal(0) + wait() + use}),
            "");
}

TEST(Race, AWaitTakesAllSignalsThatMayComeBeforeIt) {
  auto nodes = [](const std::string &receives) -> std::vector<std::string> {
    return {signal(2), signal(2), receives};
  };
  EXPECT_EQ(raceError(nodes(wait(0, 2) + push(1) + signal(1, 3) + drain)).substr(0, 10),
            "entry 'ste");
  EXPECT_EQ(raceError(nodes(wait() + wait())), "");
  // It may be the signal of either.
  EXPECT_THAT(raceError(nodes(wait() + signal(2, 1) + wait() + wait(1))),
              HasSubstr("no signal orders"));
}

TEST(Race, ASignalThatAnEarlierWaitMayTakeIsOne) {
  // Node 2 takes the signal of node 0, acts, then gets that of node 1.
  EXPECT_THAT(raceError({signal(2), wait() + signal(2), wait() + signal(1) + wait()}), "");
  EXPECT_THAT(raceError({signal(2) + wait(1) + signal(1, 1), wait(1) + signal(2),
                         wait() + signal(0, 1) + wait()}),
              "");
  EXPECT_THAT(raceError({signal(2) + wait(1) + signal(1, 1), wait(1) + signal(2),
                         wait() + "std x0, x5, 0\n" + wait()}),
              HasSubstr("deadlock"));
}

TEST(Race, BytesThatArrivedByOneOfSeveralSignalsAreNotUsedBeforeAllAreTaken) {
  std::vector<std::string> nodes = {push(2) + signal(2), signal(2), wait() + use + wait()};
  EXPECT_THAT(raceError(nodes), testing::AnyOf(HasSubstr("no wait lies between"),
                                               HasSubstr("may take it for a signal of another")));
  nodes[2] = wait() + wait() + use;
  EXPECT_EQ(raceError(nodes), "");
}

TEST(Race, ASignalThatNobodyWaitsForIsAnError) {
  EXPECT_EQ(raceError({signal(1, 7), ""}),
            "entry 'step' ends, and nobody has waited for 1 signals of semaphore 7 of node "
            "(0,0,0,1); the first is that of node (0,0,0,0) in the code from 0x0 on");
}

//===-- Orders that are drawn ---------------------------------------------===//

/// Node 0 pushes a seven, node 1 stores it; what the runs in 50 orders end with.
std::set<int64_t> storedInAnyOrder(const std::string &beforeUse) {
  binary::Program passing = program({"li x8, 7\nstd x8, x3, 0\n" + push(1) + signal(1),
                                     beforeUse + use + "std x8, x3, 0\n" + store + drain});
  passing.outputs = {{"out", binary::ElementType::i64, {1}, 0x10000}};
  std::set<int64_t> values;
  for (uint64_t order = 0; order < 50; ++order) {
    Options options;
    options.order = order;
    Outcome outcome = runOnce(passing, {}, options);
    EXPECT_EQ(outcome.error, "");
    int64_t value;
    memcpy(&value, outcome.out.data(), sizeof(value));
    values.insert(value);
  }
  return values;
}

TEST(Order, NodesAndTransfersThatSignalsOrderEndAlike) {
  EXPECT_EQ(storedInAnyOrder(wait()), std::set<int64_t>({7}));
}

TEST(Order, ARaceEndsInSeveralWays) { EXPECT_EQ(storedInAnyOrder(""), std::set<int64_t>({0, 7})); }

TEST(Order, ARaceIsFoundInEveryOrder) {
  Options options;
  options.strict = Strict::race;
  for (uint64_t order = 0; order < 50; ++order) {
    options.order = order;
    EXPECT_NE(runOnce(program({push(1) + signal(1), use + wait()}), {}, options).error, "");
    EXPECT_EQ(runOnce(program({push(1) + signal(1), wait() + use}), {}, options).error, "");
  }
}

TEST(Order, TheInstructionLimitHolds) {
  Options options;
  options.order = 1;
  options.instructionLimit = 1000;
  EXPECT_THAT(runOnce(program({"l: beq x0, x0, l\n"}), {}, options).error,
              HasSubstr("the node has executed 1000 instructions, the limit of one entry"));
}

TEST(Order, ATimedRunIsRefused) {
  Options options;
  options.order = 1;
  options.timing = true;
  EXPECT_EQ(runOnce(program({""}), {}, options).error,
            "a run in an order that is drawn has no modelled time");
}

} // namespace
} // namespace dojo::exec
