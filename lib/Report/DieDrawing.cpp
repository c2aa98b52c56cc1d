//===- DieDrawing.cpp - each node's piece of an op ------------------------===//
#include "Panels.h"
#include "dojo/Machine/Grid.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>

using namespace dojo;
using namespace dojo::report;

static constexpr llvm::StringLiteral deadFill = "#5b616b", spareFill = "#ffffff",
                                     idleFill = "#eef0f3", coordinateInk = "#6b7280";
// Corners of the palette: the first cut dimension goes from left to right, the second from
// above to below.
static constexpr llvm::StringLiteral corners[2][2] = {{"#e3eef9", "#7fb0dc"},
                                                      {"#fbeccb", "#dda45c"}};
static constexpr double gap = 2, dieGap = 14;

namespace {

/// The dimensions of a result that are cut over nodes, those of most blocks first.
struct Cuts {
  explicit Cuts(const MappedOp &op) : op(op) {
    for (unsigned d = 0; d < op.result.rank(); ++d)
      if (op.result.blocks(d) > 1)
        dims.push_back(d);
    llvm::sort(dims, [&](unsigned a, unsigned b) {
      return std::pair(-op.result.blocks(a), a) < std::pair(-op.result.blocks(b), b);
    });
  }

  /// "d1", or "part" where a dimension numbers partial results.
  std::string name(unsigned dim) const {
    if (dim >= op.partials)
      return "d" + std::to_string(dim - op.partials);
    return op.partials == 1 ? "part" : "part" + std::to_string(dim);
  }

  /// The logical indices of a block, or its number among partial results.
  std::string range(unsigned dim, int64_t block) const {
    const Layout::Dim &d = op.result.dims[dim];
    int64_t begin = std::max<int64_t>(op.result.start(dim, block), 0);
    int64_t end = std::min(op.result.start(dim, block) + d.window, d.size);
    if (begin >= end)
      return "padding";
    return begin + 1 == end ? std::to_string(begin)
                            : llvm::formatv("{0}–{1}", begin, end - 1).str();
  }

  bool isPadding(llvm::ArrayRef<int64_t> blocks) const {
    return llvm::any_of(
        dims, [&](unsigned d) { return op.result.start(d, blocks[d]) >= op.result.dims[d].size; });
  }

  std::string colour(llvm::ArrayRef<int64_t> blocks) const {
    auto part = [&](unsigned i) {
      return i < dims.size() ? double(blocks[dims[i]]) / double(op.result.blocks(dims[i]) - 1) : 0;
    };
    return mixed(mixed(corners[0][0], corners[0][1], part(0)),
                 mixed(corners[1][0], corners[1][1], part(0)), part(1));
  }

  const MappedOp &op;
  llvm::SmallVector<unsigned> dims;
};

} // namespace

/// The side of a node's square, given the room for the whole machine.
static double cellSide(const Machine &machine, double width) {
  double room = width - dieGap * double(machine.tileCols - 1);
  return std::min(120.0, room / double(machine.tileCols * machine.dieCols));
}

double report::dieHeight(const Map &map, double width) {
  double dies = double(map.machine.tileRows);
  return dies * double(map.machine.dieRows) * cellSide(map.machine, width) + (dies - 1) * dieGap;
}

static std::string placeText(const Place &logical, const Machine &machine) {
  std::string node = llvm::formatv("y {0}, x {1}", logical[2], logical[3]);
  if (machine.numDies() == 1)
    return node;
  return llvm::formatv("die {0}, {1}, {2}", logical[0], logical[1], node);
}

/// The logical coordinates of a node, and its piece in a line for each cut dimension.
static void writePiece(const Place &logical, llvm::ArrayRef<std::string> lines, const Box &cell,
                       Svg &svg) {
  constexpr double least = 4.5, spacing = 1.3;
  double size = std::min(12.0, cell.height / (spacing * double(lines.size() + 1) + 0.4));
  double longest = 1;
  for (llvm::StringRef line : lines)
    longest = std::max(longest, Svg::widthOf(line, 1));
  size = std::min(size, cell.width * 0.96 / longest);
  if (size < least)
    return;
  svg.text(cell.x + 2.5, cell.y + size * 1.1,
           llvm::formatv("{0},{1}", logical[2], logical[3]).str(), {size * 0.9, coordinateInk});
  double y = cell.y + cell.height / 2 + size * (1.15 - spacing * double(lines.size() - 1) / 2);
  for (llvm::StringRef line : lines) {
    svg.text(cell.x + cell.width / 2, y, line, {size, ink, Anchor::middle});
    y += size * spacing;
  }
}

/// A live node of the logical grid.
static void drawNode(const Map &map, const Cuts &cuts, const Place &logical, const Box &cell,
                     llvm::StringRef where, Svg &svg) {
  std::string title = (where + ": " + placeText(logical, map.machine)).str();
  auto blocks = map.op.result.blocksAt(logical);
  if (!blocks || cuts.isPadding(*blocks)) {
    title += blocks ? ", computes on padding alone" : ", holds nothing of this op";
    svg.box(cell, idleFill, paleLine, title, "node");
    return;
  }
  llvm::SmallVector<std::string> lines;
  for (unsigned d : cuts.dims) {
    lines.push_back(cuts.name(d) + " " + cuts.range(d, (*blocks)[d]));
    title += ", " + lines.back();
  }
  svg.box(cell, cuts.colour(*blocks), "none", title, "node");
  writePiece(logical, lines, cell, svg);
}

static void drawDead(const Box &cell, llvm::StringRef where, Svg &svg) {
  svg.box(cell, deadFill, "none", (where + ": dead").str(), "dead");
  double inset = cell.width * 0.28;
  svg.line(cell.x + inset, cell.y + inset, cell.x + cell.width - inset,
           cell.y + cell.height - inset, "#ffffff");
  svg.line(cell.x + inset, cell.y + cell.height - inset, cell.x + cell.width - inset,
           cell.y + inset, "#ffffff");
}

void report::drawDie(const Map &map, const Box &place, Svg &svg) {
  const Machine &machine = map.machine;
  LogicalGrid grid = logicalGrid(machine);
  std::map<Place, Place> logicalOf;
  for (int64_t n = 0; n < grid.numNodes(); ++n)
    logicalOf[grid.physical[n]] = nodeAt(grid.extents, n);
  Cuts cuts(map.op);
  double side = cellSide(machine, place.width);
  for (int64_t n = 0, all = machine.numDies() * machine.dieRows * machine.dieCols; n < all; ++n) {
    Place at = nodeAt({machine.tileRows, machine.tileCols, machine.dieRows, machine.dieCols}, n);
    auto offset = [&](int64_t die, int64_t nodes, int64_t node) {
      return double(die * nodes + node) * side + double(die) * dieGap;
    };
    Box cell{place.x + offset(at[1], machine.dieCols, at[3]),
             place.y + offset(at[0], machine.dieRows, at[2]), side - gap, side - gap};
    std::string where = llvm::formatv("row {0}, column {1}", at[2], at[3]);
    if (machine.numDies() > 1)
      where = llvm::formatv("die {0}, {1}, {2}", at[0], at[1], where);
    auto logical = logicalOf.find(at);
    if (machine.isDead(at))
      drawDead(cell, where, svg);
    else if (logical == logicalOf.end())
      svg.box(cell, spareFill, paleLine, where + ": live, outside of the logical grid", "node");
    else
      drawNode(map, cuts, logical->second, cell, where, svg);
  }
}

//===-- Legend ------------------------------------------------------------===//

static void drawSwatches(const Cuts &cuts, double x, double &y, Svg &svg) {
  constexpr double side = 22;
  double columns = cuts.dims.empty() ? 1 : 6, rows = cuts.dims.size() > 1 ? 4 : 1;
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c)
      svg.box({x + c * side, y + r * side, side - 1, side - 1},
              mixed(mixed(corners[0][0], corners[0][1], columns > 1 ? c / (columns - 1) : 0),
                    mixed(corners[1][0], corners[1][1], columns > 1 ? c / (columns - 1) : 0),
                    rows > 1 ? r / (rows - 1) : 0));
  if (!cuts.dims.empty())
    svg.text(x + columns * side + 6, y + 14, cuts.name(cuts.dims[0]) + " →", {11, ink});
  if (cuts.dims.size() > 1)
    svg.text(x + columns * side + 6, y + rows * side - 8, cuts.name(cuts.dims[1]) + " ↓",
             {11, ink});
  y += rows * side + 18;
}

static void drawKey(llvm::StringRef fill, llvm::StringRef stroke, llvm::StringRef meaning, double x,
                    double &y, Svg &svg) {
  svg.box({x, y, 14, 14}, fill, stroke);
  svg.text(x + 22, y + 11, meaning, {11, ink});
  y += 22;
}

void report::drawDieLegend(const Map &map, const Box &place, Svg &svg) {
  Cuts cuts(map.op);
  double x = place.x, y = place.y + 12;
  auto write = [&](llvm::StringRef text, const TextStyle &style) {
    svg.text(x, y, Svg::fitted(text, style.size, place.width), style);
    y += style.size + 7;
  };
  write(map.op.name.empty() ? "(no ONNX node)" : map.op.name, {16, ink, Anchor::start, true});
  write("its result, in " + map.op.entry, {11, faintInk});
  if (map.op.macs)
    write(grouped(map.op.macs) + " multiply-accumulates", {11, ink});
  y += 6;
  for (unsigned d = 0; d < map.op.result.rank(); ++d) {
    const Layout::Dim &dim = map.op.result.dims[d];
    std::string text = llvm::formatv("{0}: {1}", cuts.name(d), dim.size);
    if (int64_t blocks = map.op.result.blocks(d); blocks > 1)
      text += llvm::formatv(" in {0} blocks of {1}", blocks, dim.step).str();
    write(text, {12, ink});
  }
  y += 6;
  // A mapping is longer than the column is wide: a line for each of its parts.
  llvm::StringRef rest = map.op.mapping;
  while (!rest.empty()) {
    size_t end = rest.find("], ");
    end = end == llvm::StringRef::npos ? rest.size() : end + 2;
    write(rest.take_front(end), {10, faintInk});
    rest = rest.drop_front(end).ltrim();
  }
  y += 8;
  drawSwatches(cuts, x, y, svg);
  drawKey(idleFill, paleLine, "no part of this op, or padding alone", x, y, svg);
  drawKey(spareFill, paleLine, "live, outside of the logical grid", x, y, svg);
  drawKey(deadFill, "none", "dead", x, y, svg);
  y += 16;
  write("In a node: logical y,x; then its indices of", {10, faintInk});
  write("cut dimensions, most blocks first.", {10, faintInk});
}
