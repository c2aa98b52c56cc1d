#include "dojo/Machine/Grid.h"
#include <gtest/gtest.h>
#include <random>
#include <set>

using namespace dojo;

static Machine load(llvm::StringRef name) { return llvm::cantFail(loadMachine(name)); }

TEST(Grid, TheDefaultDieWalksItsRowsAroundSixDeadNodes) {
  LogicalGrid grid = logicalGrid(load("d1-die"));
  EXPECT_EQ(grid.walk, Walk::rows);
  EXPECT_EQ(grid.extents, (Place{1, 1, 18, 19}));
  EXPECT_EQ(grid.numNodes(), 342);
  EXPECT_EQ(walkGrid(load("d1-die"), Walk::columns).numNodes(), 17 * 20);
}

TEST(Grid, TheOtherPresetsHaveTheirGrids) {
  EXPECT_EQ(load("d1-node").gridExtents(), (Place{1, 1, 1, 1}));
  EXPECT_EQ(load("d1-mini").gridExtents(), (Place{1, 1, 4, 4}));
  EXPECT_EQ(load("d1-tile").gridExtents(), (Place{5, 5, 18, 19}));
  EXPECT_EQ(logicalGrid(load("d1-tile")).numNodes(), 8550);
}

TEST(Grid, ATileTakesTheSmallestOfItsDies) {
  Machine machine = load("d1-mini");
  machine.tileCols = 2;
  machine.deadNodes = {{0, 1, 2, 1}};
  LogicalGrid grid = logicalGrid(machine);
  EXPECT_EQ(grid.extents, (Place{1, 2, 4, 3}));
  EXPECT_EQ(grid.at({0, 1, 2, 1}), (Place{0, 1, 2, 2}));
  EXPECT_EQ(grid.at({0, 0, 2, 1}), (Place{0, 0, 2, 1}));
}

TEST(Grid, ARectangleWinsWhenARowIsLost) {
  Machine machine = load("d1-mini");
  for (int64_t c = 0; c < 4; ++c)
    machine.deadNodes.push_back({0, 0, 0, c});
  LogicalGrid grid = logicalGrid(machine);
  EXPECT_EQ(grid.walk, Walk::columns);
  EXPECT_EQ(grid.extents, (Place{1, 1, 3, 4}));
  machine.deadNodes.push_back({0, 0, 1, 0});
  machine.deadNodes.push_back({0, 0, 2, 0});
  machine.deadNodes.push_back({0, 0, 3, 0});
  EXPECT_EQ(logicalGrid(machine).walk, Walk::rectangle);
  EXPECT_EQ(logicalGrid(machine).extents, (Place{1, 1, 3, 3}));
}

/// The largest rectangle of live nodes by trying all of them.
static int64_t bruteRectangle(const Machine &m) {
  int64_t best = 0;
  for (int64_t r0 = 0; r0 < m.dieRows; ++r0)
    for (int64_t c0 = 0; c0 < m.dieCols; ++c0)
      for (int64_t r1 = r0 + 1; r1 <= m.dieRows; ++r1)
        for (int64_t c1 = c0 + 1; c1 <= m.dieCols; ++c1) {
          bool live = true;
          for (const Place &p : m.deadNodes)
            live &= p[2] < r0 || p[2] >= r1 || p[3] < c0 || p[3] >= c1;
          if (live)
            best = std::max(best, (r1 - r0) * (c1 - c0));
        }
  return best;
}

static void expectWalk(const Machine &machine, const LogicalGrid &grid) {
  std::set<Place> seen;
  for (const Place &place : grid.physical) {
    EXPECT_FALSE(machine.isDead(place));
    EXPECT_TRUE(seen.insert(place).second);
  }
  for (int64_t y = 0; y < grid.extents[2]; ++y)
    for (int64_t x = 0; x < grid.extents[3]; ++x) {
      Place here = grid.at({0, 0, y, x});
      if (x > 0) {
        EXPECT_LT(grid.at({0, 0, y, x - 1})[3], here[3]);
      }
      if (y > 0) {
        EXPECT_LT(grid.at({0, 0, y - 1, x})[2], here[2]);
      }
      if (grid.walk != Walk::columns) {
        EXPECT_EQ(here[2], grid.at({0, 0, y, 0})[2]);
      }
      if (grid.walk != Walk::rows) {
        EXPECT_EQ(here[3], grid.at({0, 0, 0, x})[3]);
      }
    }
}

TEST(Grid, WalksOfRandomMapsAreInjectiveLiveAndKeepTheOrder) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    Machine machine = load("d1-mini");
    machine.dieRows = 1 + random() % 6;
    machine.dieCols = 1 + random() % 6;
    std::set<Place> dead;
    for (unsigned n = random() % 8; n > 0; --n)
      dead.insert({0, 0, int64_t(random() % machine.dieRows), int64_t(random() % machine.dieCols)});
    machine.deadNodes.assign(dead.begin(), dead.end());
    int64_t best = 0;
    for (Walk walk : {Walk::rows, Walk::columns, Walk::rectangle}) {
      LogicalGrid grid = walkGrid(machine, walk);
      expectWalk(machine, grid);
      best = std::max(best, grid.numNodes());
    }
    EXPECT_EQ(walkGrid(machine, Walk::rectangle).numNodes(), bruteRectangle(machine));
    EXPECT_EQ(logicalGrid(machine).numNodes(), best);
  }
}
