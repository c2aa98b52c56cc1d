//===- IssueTest.cpp - what instructions take -----------------------------===//
#include "dojo/ISA/Issue.h"
#include "gmock/gmock.h"

using testing::ElementsAre;

namespace dojo::isa {
namespace {

TEST(Issue, AnInstructionTakesASlotOfItsUnit) {
  EXPECT_THAT(slotsOf(get(Opcode::ADD)), ElementsAre(Slot::integer));
  EXPECT_THAT(slotsOf(get(Opcode::VFMA)), ElementsAre(Slot::simd));
  EXPECT_THAT(slotsOf(get(Opcode::MMUL)), ElementsAre(Slot::matrix));
  EXPECT_THAT(slotsOf(get(Opcode::MREAD)), ElementsAre(Slot::simd));
  EXPECT_THAT(slotsOf(get(Opcode::BDNZ)), ElementsAre(Slot::branch));
  EXPECT_THAT(slotsOf(get(Opcode::PUSH)), ElementsAre(Slot::address));
}

TEST(Issue, AnAccessOfTheSramTakesAPortOfItsKind) {
  EXPECT_THAT(slotsOf(get(Opcode::LDW)), ElementsAre(Slot::address, Slot::scalarRead));
  EXPECT_THAT(slotsOf(get(Opcode::STD)), ElementsAre(Slot::address, Slot::scalarWrite));
  EXPECT_THAT(slotsOf(get(Opcode::VLDG8)), ElementsAre(Slot::address, Slot::vectorRead));
  EXPECT_THAT(slotsOf(get(Opcode::VST)), ElementsAre(Slot::address, Slot::vectorWrite));
}

TEST(Issue, TheMachineSaysHowManyAndHowLong) {
  Machine machine = llvm::cantFail(loadMachine("d1-node"));
  machine.vectorReadPorts = 7;
  machine.matrixLatency = 23;
  EXPECT_EQ(width(machine, Slot::vectorRead), 7);
  EXPECT_EQ(width(machine, Slot::branch), machine.branchIssue);
  EXPECT_EQ(latency(machine, get(Opcode::MMUL)), 23);
  EXPECT_EQ(name(Slot::scalarWrite), "scalar_write");
}

} // namespace
} // namespace dojo::isa
