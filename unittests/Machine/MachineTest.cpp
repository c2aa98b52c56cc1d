#include "dojo/Machine/Machine.h"
#include <gtest/gtest.h>

using namespace dojo;

static Machine load(llvm::StringRef name) { return llvm::cantFail(loadMachine(name)); }

static std::string errorOf(llvm::Expected<Machine> machine) {
  if (machine)
    return "no error";
  return llvm::toString(machine.takeError());
}

/// The text of d1-mini with one key changed.
static std::string edited(llvm::StringRef key, llvm::json::Value value) {
  llvm::json::Object object = toJson(load("d1-mini"));
  object[key] = std::move(value);
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(object));
  return text;
}

TEST(Machine, PresetsSurviveTheirTextForm) {
  for (llvm::StringRef name : machinePresets()) {
    Machine machine = load(name);
    Machine again = llvm::cantFail(parseMachine(printMachine(machine)));
    EXPECT_EQ(machine, again);
    EXPECT_EQ(printMachine(machine), printMachine(again));
  }
}

TEST(Machine, TheDieHas354LiveNodes) {
  Machine die = load("d1-die");
  EXPECT_EQ(die.dieRows * die.dieCols - int64_t(die.deadNodes.size()), 354);
  EXPECT_EQ(load("d1-tile").numDips(), 10);
  EXPECT_EQ(die.codeBudgetBytes(), 1'310'720 / 4);
}

TEST(Machine, AnUnknownTargetListsThePresets) {
  EXPECT_EQ(errorOf(loadMachine("d2")),
            "unknown target 'd2': expected one of d1-node, d1-mini, d1-die, d1-tile or the path "
            "of a machine file");
}

TEST(Machine, BadTextGetsOneClearError) {
  EXPECT_EQ(errorOf(parseMachine("{")).find("not JSON: "), 0u);
  EXPECT_EQ(errorOf(parseMachine("[]")), "a machine must be a JSON object");
  EXPECT_EQ(errorOf(parseMachine("{}")), "missing key 'address_issue'");
  EXPECT_EQ(errorOf(parseMachine(R"({"base": "d9"})")),
            "key 'base' must be one of d1-node, d1-mini, d1-die, d1-tile");
  EXPECT_EQ(errorOf(parseMachine(R"({"base": "d1-mini", "sems": 1})")), "unknown key 'sems'");
  EXPECT_EQ(errorOf(parseMachine(edited("color", 1))), "unknown key 'color'");
  EXPECT_EQ(errorOf(parseMachine(edited("name", 1))), "key 'name' must be a string");
  EXPECT_EQ(errorOf(parseMachine(edited("sram_bytes", "1 MB"))),
            "key 'sram_bytes' must be an integer");
  EXPECT_EQ(errorOf(parseMachine(edited("die_rows", 0))),
            "key 'die_rows' is 0, must be from 1 to 256");
  EXPECT_EQ(errorOf(parseMachine(edited("dips_west", 0))),
            "the machine needs a DIP: 'dips_west' and 'dips_east' are 0");
}

TEST(Machine, BadDeadNodesGetOneClearError) {
  using llvm::json::Array;
  EXPECT_EQ(errorOf(parseMachine(edited("dead_nodes", 3))), "key 'dead_nodes' must be a list");
  EXPECT_EQ(errorOf(parseMachine(edited("dead_nodes", Array{Array{0, 1}}))),
            "dead node 0 must be four integers: die row, die column, row, column");
  EXPECT_EQ(errorOf(parseMachine(edited("dead_nodes", Array{Array{0, 0, 4, 0}}))),
            "dead node 0 lies outside the machine");
  EXPECT_EQ(
      errorOf(parseMachine(edited("dead_nodes", Array{Array{0, 0, 3, 0}, Array{0, 0, 3, 0}}))),
      "dead node 1 is listed twice");
  Array all;
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c)
      all.push_back(Array{0, 0, r, c});
  EXPECT_EQ(errorOf(parseMachine(edited("dead_nodes", std::move(all)))),
            "the dead nodes leave no grid of live nodes on every die");
}

TEST(Machine, AnErrorInAFileNamesTheFile) {
  EXPECT_EQ(errorOf(loadMachine(BAD_MACHINE)).find("machine file '" BAD_MACHINE "': missing key"),
            0u);
  EXPECT_EQ(errorOf(loadMachine("/")).find("cannot read '/': "), 0u);
}
