//===- Grid.cpp - the logical grid around dead nodes ----------------------===//
#include "dojo/Machine/Grid.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace dojo;

namespace {

/// A die after its walk: places[y][x], every row of the same length.
using Spot = std::pair<int64_t, int64_t>;
using Die = std::vector<std::vector<Spot>>;

struct DieMap {
  int64_t rows, cols;
  std::vector<char> dead;
  bool live(int64_t r, int64_t c) const { return !dead[r * cols + c]; }
};

} // namespace

static DieMap mapOf(const Machine &machine, int64_t dieRow, int64_t dieCol) {
  DieMap map{machine.dieRows, machine.dieCols, {}};
  map.dead.assign(map.rows * map.cols, 0);
  for (const Place &p : machine.deadNodes)
    if (p[0] == dieRow && p[1] == dieCol)
      map.dead[p[2] * map.cols + p[3]] = 1;
  return map;
}

static Die walkRows(const DieMap &map) {
  Die die(map.rows);
  size_t least = map.cols;
  for (int64_t r = 0; r < map.rows; ++r) {
    for (int64_t c = 0; c < map.cols; ++c)
      if (map.live(r, c))
        die[r].push_back({r, c});
    least = std::min(least, die[r].size());
  }
  for (auto &row : die)
    row.resize(least);
  return die;
}

static Die walkColumns(const DieMap &map) {
  DieMap turned{map.cols, map.rows, std::vector<char>(map.dead.size())};
  for (int64_t r = 0; r < map.rows; ++r)
    for (int64_t c = 0; c < map.cols; ++c)
      turned.dead[c * map.rows + r] = !map.live(r, c);
  Die columns = walkRows(turned);
  Die die(columns[0].size(), std::vector<Spot>(map.cols));
  for (int64_t x = 0; x < map.cols; ++x)
    for (size_t y = 0; y < die.size(); ++y)
      die[y][x] = {columns[x][y].second, columns[x][y].first};
  return die;
}

/// The largest rectangle of live nodes: for every top row the columns that stay
/// live downwards, and the longest run of them.
static Die largestRectangle(const DieMap &map) {
  int64_t best = 0, top = 0, left = 0, height = 0, width = 0;
  for (int64_t r0 = 0; r0 < map.rows; ++r0) {
    std::vector<char> open(map.cols, 1);
    for (int64_t r = r0; r < map.rows; ++r) {
      int64_t run = 0;
      for (int64_t c = 0; c < map.cols; ++c) {
        open[c] &= map.live(r, c);
        run = open[c] ? run + 1 : 0;
        if (run * (r - r0 + 1) > best) {
          best = run * (r - r0 + 1);
          top = r0, left = c - run + 1, height = r - r0 + 1, width = run;
        }
      }
    }
  }
  Die die(height);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      die[y].push_back({top + y, left + x});
  return die;
}

static Die walkDie(const DieMap &map, Walk walk) {
  switch (walk) {
  case Walk::rows:
    return walkRows(map);
  case Walk::columns:
    return walkColumns(map);
  case Walk::rectangle:
    return largestRectangle(map);
  }
  llvm_unreachable("a walk of no kind");
}

LogicalGrid dojo::walkGrid(const Machine &machine, Walk walk) {
  std::vector<Die> dies;
  int64_t rows = machine.dieRows, cols = machine.dieCols;
  for (int64_t d = 0; d < machine.numDies(); ++d) {
    dies.push_back(walkDie(mapOf(machine, d / machine.tileCols, d % machine.tileCols), walk));
    rows = std::min<int64_t>(rows, dies.back().size());
    cols = std::min<int64_t>(cols, dies.back().empty() ? 0 : dies.back()[0].size());
  }
  LogicalGrid grid{walk, {machine.tileRows, machine.tileCols, rows, cols}, {}};
  for (auto [d, die] : llvm::enumerate(dies))
    for (int64_t y = 0; y < rows; ++y)
      for (int64_t x = 0; x < cols; ++x)
        grid.physical.push_back({static_cast<int64_t>(d) / machine.tileCols,
                                 static_cast<int64_t>(d) % machine.tileCols, die[y][x].first,
                                 die[y][x].second});
  return grid;
}

LogicalGrid dojo::logicalGrid(const Machine &machine) {
  LogicalGrid best = walkGrid(machine, Walk::rows);
  for (Walk walk : {Walk::columns, Walk::rectangle}) {
    LogicalGrid other = walkGrid(machine, walk);
    if (other.numNodes() > best.numNodes())
      best = std::move(other);
  }
  return best;
}

const Place &LogicalGrid::at(const Place &n) const {
  return physical[((n[0] * extents[1] + n[1]) * extents[2] + n[2]) * extents[3] + n[3]];
}

Place Machine::gridExtents() const { return logicalGrid(*this).extents; }
