//===- LayoutTest.cpp - layouts and the move enumerator -------------------===//
#include "dojo/Layout/LocalCopy.h"
#include "llvm/Support/MathExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <map>
#include <random>

using namespace dojo;

namespace {

const Coords grid22 = {1, 1, 2, 2};

/// The C of worked-example.md: 256 x 256 in quarters.
Layout quarters() {
  Layout layout = Layout::replicated({256, 256});
  for (unsigned d : {0, 1})
    layout.dims[d] = {256, 128, 0, 128, 128};
  layout.use(Axis::y).digits = {{0, 2}};
  layout.use(Axis::x).digits = {{1, 2}};
  return layout;
}

std::string messageOf(llvm::Error error) { return llvm::toString(std::move(error)); }

TEST(Layout, EachElementOfAPartitionIsHeldOnce) {
  Layout layout = quarters();
  EXPECT_FALSE(layout.check(grid22));
  EXPECT_TRUE(layout.isPartition());
  EXPECT_EQ(layout.localElement({0, 0, 1, 0}, {130, 5}), 2 * 128 + 5);
  EXPECT_EQ(layout.localElement({0, 0, 0, 0}, {130, 5}), std::nullopt);
}

TEST(Layout, TwoDigitsOnOneAxisCountAsMixedRadix) {
  Layout layout = Layout::replicated({6, 4});
  layout.dims[0] = {6, 2, 0, 2, 2};
  layout.dims[1] = {4, 2, 0, 2, 2};
  layout.use(Axis::x).digits = {{0, 3}, {1, 2}};
  EXPECT_FALSE(layout.check({1, 1, 1, 7}));
  EXPECT_THAT(*layout.blocksAt({0, 0, 0, 5}), testing::ElementsAre(2, 1));
  EXPECT_EQ(layout.blocksAt({0, 0, 0, 6}), std::nullopt);
}

TEST(Layout, OneDimensionOverTwoAxesNumbersItsBlocksAcrossThem) {
  Layout layout = Layout::replicated({8});
  layout.dims[0] = {8, 2, 0, 2, 2};
  layout.use(Axis::y).digits = {{0, 2}};
  layout.use(Axis::x).digits = {{0, 2}};
  EXPECT_THAT(*layout.blocksAt({0, 0, 1, 0}), testing::ElementsAre(2));
}

TEST(Layout, ADigitOfNoDimensionRepeats) {
  Layout layout = Layout::replicated({4});
  layout.dims[0] = {4, 2, 0, 2, 2};
  layout.use(Axis::x).digits = {{0, 2}, {Layout::Digit::none, 3}};
  EXPECT_FALSE(layout.check({1, 1, 1, 6}));
  EXPECT_THAT(*layout.blocksAt({0, 0, 0, 2}), testing::ElementsAre(0));
  EXPECT_THAT(*layout.blocksAt({0, 0, 0, 4}), testing::ElementsAre(1));

  // Receiver x = 4 takes element 0 from the repetition 4 mod 3 = 1 of block 0.
  Move move = Move::relayout(layout, Layout::replicated({4}), 4);
  enumerateMove(move, {1, 1, 1, 6}, 0, [&](const ElementMove &e) {
    EXPECT_EQ(e.srcNode[3], (e.dstElement / 2) * 3 + e.dstNode[3] % 3);
  });
}

TEST(Layout, MemoryOrderPutsTheLastDimensionInnermost) {
  Layout layout = Layout::replicated({2, 3, 4});
  layout.order = {0, 2, 1};
  EXPECT_THAT(layout.strides(), testing::ElementsAre(12, 1, 3));
}

TEST(Layout, RefusesWhatDoesNotFit) {
  Layout layout = quarters();
  EXPECT_EQ(messageOf(layout.check({1, 1, 1, 2})),
            "invalid layout: axis y is cut into 2, the grid has 1");
  layout.dims[0].window = 100;
  EXPECT_FALSE(layout.holdsAll());
  EXPECT_EQ(messageOf(Move::relayout(layout, quarters(), 2).check(grid22)),
            "invalid move: the source does not own every element");
  layout = quarters();
  layout.order = {0, 0};
  EXPECT_EQ(messageOf(layout.check(grid22)),
            "invalid layout: the memory order is not a permutation of the dimensions");
  layout = quarters();
  layout.use(Axis::y).pinned = true;
  EXPECT_EQ(messageOf(layout.check(grid22)), "invalid layout: axis y is pinned and spread at once");
  layout = quarters();
  layout.use(Axis::y).digits[0].dim = 7;
  EXPECT_EQ(messageOf(layout.check(grid22)),
            "invalid layout: axis y has a digit of no dimension or of no block");
  layout = quarters();
  layout.dims[0].extent = 1;
  EXPECT_EQ(messageOf(layout.check(grid22)),
            "invalid layout: dimension 0 needs size, step and window of at least 1 and an extent "
            "that holds the window");
}

TEST(Move, AHaloTakesTheNeighboursRow) {
  // 8 rows over two nodes, each wants one row more on either side.
  Layout src = Layout::replicated({8}), dst = src;
  src.dims[0] = {8, 4, 0, 4, 4};
  dst.dims[0] = {8, 4, -1, 6, 6};
  src.use(Axis::y).digits = dst.use(Axis::y).digits = {{0, 2}};
  src.use(Axis::x).pinned = dst.use(Axis::x).pinned = true;
  Move move = Move::relayout(src, dst, 4);
  ASSERT_FALSE(move.check(grid22));
  std::map<std::pair<int64_t, int64_t>, std::pair<int64_t, int64_t>> found;
  enumerateMove(move, grid22, 0, [&](const ElementMove &e) {
    found[{e.dstNode[2], e.dstElement}] = {e.srcNode[2], e.srcElement};
  });
  EXPECT_EQ(found.size(), 10u); // two of the twelve places lie outside the tensor
  EXPECT_EQ((found[{0, 5}]), (std::pair<int64_t, int64_t>(1, 0)));
  EXPECT_EQ((found[{1, 0}]), (std::pair<int64_t, int64_t>(0, 3)));
  EXPECT_EQ(countRemoteBytes(move, grid22, 0), 2 * 4);
}

/// A random layout of `shape` on `grid`, with halos and repetitions.
Layout randomLayout(std::mt19937 &random, llvm::ArrayRef<int64_t> shape, const Coords &grid,
                    bool halo) {
  auto below = [&](int64_t n) { return static_cast<int64_t>(random() % n); };
  Layout layout = Layout::replicated(shape);
  for (unsigned a = 0; a < numAxes; ++a) {
    int64_t count = 1 + below(grid[a]);
    unsigned dim = below(shape.size());
    if (below(4) == 0)
      layout.axes[a].pinned = true;
    else if (count > 1)
      layout.axes[a].digits = {{below(5) == 0 ? Layout::Digit::none : dim, count}};
  }
  for (unsigned d = 0; d < shape.size(); ++d) {
    int64_t step = llvm::divideCeil(shape[d], layout.blocks(d)), before = halo ? below(3) : 0;
    int64_t window = step + before + (halo ? below(3) : 0);
    layout.dims[d] = {shape[d], step, -before, window, window + below(2)};
  }
  return layout;
}

TEST(Move, CountsTheBytesThatTheEnumeratorSees) {
  std::mt19937 random(1);
  const Coords grid = {1, 1, 3, 4};
  for (int i = 0; i < 300; ++i) {
    llvm::SmallVector<int64_t> shape = {1 + int64_t(random() % 9), 1 + int64_t(random() % 13)};
    Move move = Move::relayout(randomLayout(random, shape, grid, false),
                               randomLayout(random, shape, grid, true), 2);
    move.map[0] = {0, 1 + int(random() % 2), int(random() % 5) - 2, 1};
    ASSERT_FALSE(move.check(grid));
    int64_t remote = 0, received = 0;
    enumerateMove(move, grid, 1, [&](const ElementMove &e) {
      remote += 2 * (e.srcNode != e.dstNode);
      received += 2;
    });
    EXPECT_EQ(countRemoteBytes(move, grid, 1), remote) << "move " << i;
    EXPECT_LE(boundRemoteBytes(move, grid, 1), remote) << "move " << i;
    EXPECT_EQ(countReceivedBytes(move, grid, 1), received) << "move " << i;
  }
}

TEST(Move, StaysOnNodesWhereBothSidesAreSpreadAlike) {
  Layout rows = Layout::replicated({8, 6}), columns = Layout::replicated({8, 6});
  rows.use(Axis::x).digits = {{0, 4}};
  rows.dims[0] = {8, 2, 0, 2, 2};
  columns.use(Axis::x).digits = {{1, 3}};
  columns.dims[1] = {6, 2, 0, 2, 2};
  EXPECT_TRUE(Move::relayout(rows, rows, 4).staysOnNodes());
  EXPECT_TRUE(Move::relayout(Layout::replicated({8, 6}), rows, 4).staysOnNodes());
  EXPECT_FALSE(Move::relayout(rows, Layout::replicated({8, 6}), 4).staysOnNodes());
  EXPECT_FALSE(Move::relayout(rows, columns, 4).staysOnNodes());
  // A place in an uncut dimension may depend on the step, a row may not.
  Move panel = Move::relayout(rows, rows, 4);
  panel.map[1].symbolCoefficient = 2;
  EXPECT_TRUE(panel.staysOnNodes());
  panel.map[0].symbolCoefficient = 2;
  EXPECT_FALSE(panel.staysOnNodes());
  Layout halo = rows;
  halo.dims[0].window = halo.dims[0].extent = 3;
  EXPECT_FALSE(Move::relayout(rows, halo, 4).staysOnNodes());
  Layout corner = Layout::replicated({8, 6});
  corner.use(Axis::y).pinned = true;
  EXPECT_FALSE(Move::relayout(corner, Layout::replicated({8, 6}), 4).staysOnNodes());
  EXPECT_TRUE(Move::relayout(corner, corner, 4).staysOnNodes());
}

/// What `copy` does on one node, as pairs of local elements.
std::map<int64_t, int64_t> elementsOf(const Move &move, const LocalCopy &copy) {
  auto srcStrides = move.src.strides(), dstStrides = move.dst.strides();
  std::map<int64_t, int64_t> from;
  std::vector<std::pair<int64_t, int64_t>> places{{0, 0}};
  for (unsigned e = 0; e < move.dst.rank(); ++e) {
    int64_t step = 0;
    for (auto [d, term] : llvm::enumerate(move.map))
      step += term.dstDim == int(e) ? term.coefficient * srcStrides[d] : 0;
    std::vector<std::pair<int64_t, int64_t>> longer;
    for (auto [src, dst] : places)
      for (int64_t k = 0; k < copy.count[e]; ++k)
        longer.push_back({src + k * step, dst + (copy.first[e] + k) * dstStrides[e]});
    places = std::move(longer);
  }
  int64_t first = 0;
  for (auto [at, stride] : llvm::zip(copy.sourceFirst, srcStrides))
    first += at * stride;
  for (auto [src, dst] : places)
    from[dst] = first + src;
  return from;
}

TEST(LocalCopy, DoesOnEveryNodeWhatTheEnumeratorSees) {
  std::mt19937 random(2);
  auto below = [&](int64_t n) { return static_cast<int64_t>(random() % n); };
  const Coords grid = {1, 1, 2, 3};
  int found = 0, acrossNodes = 0;
  for (int i = 0; i < 3000; ++i) {
    llvm::SmallVector<int64_t> shape = {1 + below(6), 1 + below(6), 1 + below(4)};
    Move move = Move::relayout(randomLayout(random, shape, grid, false), {}, 2);
    // The destination is the source with dimensions exchanged, or anything.
    unsigned p = below(3), q = below(3);
    std::swap(shape[p], shape[q]);
    move.dst = move.src;
    std::swap(move.dst.dims[p], move.dst.dims[q]);
    for (Layout::AxisUse &use : move.dst.axes)
      for (Layout::Digit &digit : use.digits)
        digit.dim = digit.dim == p ? q : digit.dim == q ? p : digit.dim;
    if (below(3) == 0)
      move.dst = randomLayout(random, shape, grid, below(2));
    std::swap(move.map[p].dstDim, move.map[q].dstDim);
    if (below(3) == 0)
      move.map[below(3)] = {below(2) ? -1 : move.map[0].dstDim, 1 + below(2), below(4) - 1, 0};
    if (llvm::Error error = move.check(grid)) {
      llvm::consumeError(std::move(error));
      continue;
    }
    std::map<Coords, std::map<int64_t, int64_t>> wanted;
    bool isLocal = true;
    enumerateMove(move, grid, 0, [&](const ElementMove &e) {
      isLocal &= e.srcNode == e.dstNode;
      wanted[e.dstNode][e.dstElement] = e.srcElement;
    });
    std::optional<LocalCopy> copy = localCopyOf(move, grid);
    acrossNodes += !isLocal;
    if (!copy)
      continue;
    ++found;
    ASSERT_TRUE(isLocal) << "move " << i;
    for (int64_t n = 0; n < numNodes(grid); ++n)
      if (Coords node = nodeAt(grid, n); move.dst.blocksAt(node))
        ASSERT_EQ(elementsOf(move, *copy), wanted[node]) << "move " << i;
  }
  EXPECT_GT(found, 300);
  EXPECT_GT(acrossNodes, 300);
}

TEST(LocalCopy, RunsEndWhereAGapBegins) {
  Layout rows = Layout::replicated({4, 6, 8});
  Move move = Move::relayout(rows, rows, 4);
  auto run = [&] { return runOf(move, *localCopyOf(move, {1, 1, 1, 1})); };
  EXPECT_EQ(run(), 4 * 6 * 8);
  std::swap(move.map[0].dstDim, move.map[1].dstDim);
  move.dst = Layout::replicated({6, 4, 8});
  EXPECT_EQ(run(), 8);
  move.dst.order = {0, 2, 1};
  EXPECT_EQ(run(), 1);
}

TEST(Move, PanelsLeaveNoGapsWhereTheStepsDivideTheSource) {
  Move move = Move::relayout(Layout::replicated({12}), Layout::replicated({4}), 2);
  move.map[0].symbolCoefficient = 4;
  EXPECT_FALSE(move.leavesGaps(3));
  EXPECT_TRUE(move.leavesGaps(4));
  move.map[0].symbolCoefficient = -4;
  EXPECT_FALSE(move.leavesGaps(1));
  EXPECT_TRUE(move.leavesGaps(2));
}

TEST(Move, TheBoundIsWhatNodesWantLessWhatTheSourceHolds) {
  // Rows of an 8 x 4 matrix over y; two nodes along x want each row.
  Layout rows = Layout::replicated({8, 4});
  rows.dims[0] = {8, 4, 0, 4, 4};
  rows.use(Axis::y).digits = {{0, 2}};
  Layout once = rows;
  once.use(Axis::x).pinned = true;
  EXPECT_EQ(boundRemoteBytes(Move::relayout(once, rows, 2), grid22, 0), 8 * 4 * 2);
  EXPECT_EQ(boundRemoteBytes(Move::relayout(rows, rows, 2), grid22, 0), 0);
  // Columns instead of rows: half of each piece crosses, but could have been there.
  Layout columns = Layout::replicated({8, 4});
  columns.dims[1] = {4, 2, 0, 2, 2};
  columns.use(Axis::y).digits = {{1, 2}};
  columns.use(Axis::x).pinned = true;
  Move turned = Move::relayout(once, columns, 2);
  EXPECT_EQ(countRemoteBytes(turned, grid22, 0), 4 * 4 * 2);
  EXPECT_EQ(boundRemoteBytes(turned, grid22, 0), 0);
}

TEST(Move, RefusesAMapThatIsNoFunctionOfTheDestination) {
  Move move = Move::relayout(quarters(), quarters(), 2);
  move.map[1].dstDim = 0;
  EXPECT_EQ(messageOf(move.check(grid22)),
            "invalid move: two source dimensions depend on one destination dimension");
  move.map[1].dstDim = 9;
  EXPECT_EQ(messageOf(move.check(grid22)), "invalid move: a term names no destination dimension "
                                           "or has no positive coefficient");
  move.map.pop_back();
  EXPECT_EQ(messageOf(move.check(grid22)),
            "invalid move: the map needs one term for each source dimension");
}

} // namespace
