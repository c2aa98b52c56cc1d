//===- SramDrawing.cpp - the buffer table over time -----------------------===//
#include "Panels.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace dojo;
using namespace dojo::report;
using binary::Buffer;
using binary::Label;
using binary::SourceRange;

static constexpr llvm::StringLiteral codeFill = "#d3d7dd", ownFill = "#6ea4d6", edge = "#ffffff";
static constexpr llvm::StringLiteral keptFills[] = {"#f8e6c1", "#f1d5a0", "#f5deb2"};
static constexpr llvm::StringLiteral briefFills[] = {"#dbe9f6", "#c3daef", "#cfe3e6"};
static constexpr llvm::StringLiteral stripFills[] = {"#eef0f3", "#dfe3e8"};
static constexpr double leftMargin = 70, rightMargin = 110, stripHeight = 12, namesHeight = 96;

namespace {

/// An entry of the program and where it is drawn.
struct Section {
  Label entry;
  uint32_t end; ///< one past the entry's last instruction
  double left = 0, width = 0;

  double xOf(uint32_t address) const {
    double part = double(std::clamp(address, entry.address, end) - entry.address);
    return left + width * part / double(std::max<uint32_t>(1, end - entry.address));
  }
};

class SramPanel {
public:
  SramPanel(const Map &map, const Box &place, Svg &svg);

  void draw();

private:
  void placeSections();
  double yOf(double address) const { return chart.y + chart.height * (1 - address / top); }
  const Section &sectionOf(llvm::StringRef entry) const;
  std::vector<SourceRange> opsIn(const Section &section) const;
  std::string opAt(uint32_t address) const;
  void drawAxis();
  void drawBuffer(const Buffer &buffer, unsigned number);
  void writeName(const Buffer &buffer, const Box &box);
  void drawOps(const Section &section);
  void drawLevel(int64_t bytes, llvm::StringRef what, llvm::StringRef dashes, bool above);
  void drawLegend();

  const Map &map;
  Svg &svg;
  Box chart;
  std::vector<Section> sections;
  int64_t peak = 0;
  double top = 1; ///< the address at the upper edge
};

} // namespace

//===-- Axes --------------------------------------------------------------===//

/// Entries in the order in which they run, each up to the next label of the code.
static std::vector<Section> sectionsOf(const binary::Program &program) {
  std::vector<Section> sections;
  for (llvm::StringRef name : {"init", "step"})
    if (auto address = program.entry(name)) {
      uint32_t end = program.code.size();
      for (const auto *labels : {&program.entries, &program.routines})
        for (const Label &label : *labels)
          if (label.address > *address)
            end = std::min(end, label.address);
      sections.push_back({{name.str(), *address}, end});
    }
  return sections;
}

SramPanel::SramPanel(const Map &map, const Box &place, Svg &svg)
    : map(map), svg(svg),
      chart{place.x + leftMargin, place.y + 44, place.width - leftMargin - rightMargin,
            place.height - 44 - stripHeight - namesHeight},
      sections(sectionsOf(map.program)) {
  placeSections();
  for (const Buffer &buffer : map.program.buffers)
    peak = std::max<int64_t>(peak, int64_t(buffer.address) + buffer.size);
  auto capacity = double(map.machine.sramBytes);
  top = double(peak) > 0.6 * capacity ? capacity * 1.02 : double(peak) * 1.12;
}

/// Widths follow the code, but what runs once never takes more than a quarter.
void SramPanel::placeSections() {
  constexpr double between = 12, least = 0.1, most = 0.25;
  double left = chart.x, room = chart.width;
  for (Section &section : sections) {
    bool isLast = &section == &sections.back();
    double code = section.end - section.entry.address;
    double all = sections.back().end - sections.back().entry.address + (isLast ? 0 : code);
    section.left = left;
    section.width = isLast ? room : room * std::clamp(code / all, least, most);
    left += section.width + between;
    room -= section.width + between;
  }
}

const Section &SramPanel::sectionOf(llvm::StringRef entry) const {
  for (const Section &section : sections)
    if (section.entry.name == entry)
      return section;
  return sections.front();
}

void SramPanel::drawAxis() {
  int64_t tick = 1024;
  while (double(tick) * 7 < top)
    tick *= 2;
  for (int64_t address = 0; double(address) < top; address += tick) {
    svg.line(chart.x - 4, yOf(double(address)), chart.x + chart.width, yOf(double(address)),
             "#e6e9ed");
    svg.text(chart.x - 8, yOf(double(address)) + 4, llvm::formatv("{0} KiB", address / 1024).str(),
             {10, faintInk, Anchor::end});
  }
}

//===-- Buffers -----------------------------------------------------------===//

/// The name of a buffer, and its bytes where they fit; upwards in a box that is tall.
void SramPanel::writeName(const Buffer &buffer, const Box &box) {
  bool isTall = box.height > 1.5 * box.width;
  double length = (isTall ? box.height : box.width) - 6;
  double across = isTall ? box.width : box.height, size = std::min(11.0, across * 0.75);
  constexpr double least = 6, easy = 7.5;
  if (size < least)
    return;
  size = std::min(size, std::max(easy, length / Svg::widthOf(buffer.name, 1)));
  std::string label = Svg::fitted(buffer.name, size, length);
  std::string bytes = "  " + bytesText(buffer.size);
  if (label == buffer.name && Svg::widthOf(label + bytes, size) < length)
    label += bytes;
  if (isTall)
    svg.text(box.x + across / 2 + size * 0.36, box.y + box.height - 3, label,
             {size, ink, Anchor::start, false, -90});
  else
    svg.text(box.x + 3, box.y + across / 2 + size * 0.36, label, {size, ink});
}

void SramPanel::drawBuffer(const Buffer &buffer, unsigned number) {
  const Section &section = sectionOf(buffer.entry);
  bool kept = buffer.end == Buffer::forever;
  bool always = kept && buffer.begin == section.entry.address;
  double left = section.xOf(buffer.begin);
  double right = kept ? chart.x + chart.width : section.xOf(buffer.end);
  double upper = yOf(double(buffer.address) + buffer.size);
  Box box{left, upper, std::max(right - left, 0.8), std::max(yOf(buffer.address) - upper, 0.5)};
  std::string title = llvm::formatv("{0}: {1} at {2}, in {3} ", buffer.name, bytesText(buffer.size),
                                    grouped(buffer.address), buffer.entry);
  title += always ? "and after" : "from " + opAt(buffer.begin);
  if (!kept)
    title += " to " + opAt(buffer.end - 1);
  else if (!always)
    title += " on";
  llvm::StringRef fill = always                                ? codeFill
                         : buffer.name == map.op.name && !kept ? ownFill
                         : kept                                ? keptFills[number % 3]
                                                               : briefFills[number % 3];
  svg.box(box, fill, edge, title, "buffer");
  writeName(buffer, box);
}

//===-- Operations --------------------------------------------------------===//

/// Runs of instructions of an entry that come from one ONNX node.
std::vector<SourceRange> SramPanel::opsIn(const Section &section) const {
  std::vector<SourceRange> ops;
  for (const SourceRange &line : map.program.lines) {
    uint32_t begin = std::max(line.begin, section.entry.address);
    uint32_t end = std::min(line.end, section.end);
    if (begin >= end)
      continue;
    if (!ops.empty() && ops.back().location == line.location)
      ops.back().end = end;
    else
      ops.push_back({begin, end, line.location});
  }
  return ops;
}

std::string SramPanel::opAt(uint32_t address) const {
  llvm::StringRef name = map.program.location(address);
  return name.empty() ? "its start" : ("'" + name + "'").str();
}

/// The longest run of the op that the die shows, if it runs in this entry.
static std::optional<SourceRange> chosenRun(llvm::ArrayRef<SourceRange> ops, const MappedOp &op) {
  std::optional<SourceRange> longest;
  for (const SourceRange &run : ops)
    if (run.location == op.name &&
        (!longest || run.end - run.begin > longest->end - longest->begin))
      longest = run;
  return longest;
}

void SramPanel::drawOps(const Section &section) {
  std::vector<SourceRange> ops = opsIn(section);
  std::optional<SourceRange> chosen;
  if (section.entry.name == map.op.entry)
    chosen = chosenRun(ops, map.op);
  auto middleOf = [&](const SourceRange &op) {
    return (section.xOf(op.begin) + section.xOf(op.end)) / 2;
  };
  constexpr double size = 8, apart = size + 1;
  double y = chart.y + chart.height + 2, labelled = chart.x - apart;
  auto label = [&](const SourceRange &op, bool bold) {
    svg.text(middleOf(op) + size / 3, y + stripHeight + 4,
             Svg::fitted(op.location, size, namesHeight - 8),
             {size, bold ? ink : faintInk, Anchor::end, bold, -90});
  };
  for (auto [number, op] : llvm::enumerate(ops)) {
    double left = section.xOf(op.begin), right = section.xOf(op.end);
    bool isChosen = chosen && op.begin == chosen->begin;
    llvm::StringRef fill = isChosen ? ownFill : stripFills[number % 2];
    svg.box({left, y, right - left, stripHeight}, fill, "none",
            section.entry.name + ": " + op.location, "op");
    bool crowds = chosen && std::abs(middleOf(op) - middleOf(*chosen)) < apart;
    if (isChosen || crowds || middleOf(op) - labelled < apart)
      continue;
    labelled = middleOf(op);
    label(op, false);
  }
  if (chosen) {
    label(*chosen, true);
    for (double x : {section.xOf(chosen->begin), section.xOf(chosen->end)})
      svg.line(x, chart.y, x, y, ownFill, "2 3");
  }
  svg.text(section.left, chart.y - 8, section.entry.name, {11, ink, Anchor::start, true});
}

void SramPanel::drawLevel(int64_t bytes, llvm::StringRef what, llvm::StringRef dashes, bool above) {
  double y = yOf(double(bytes)), x = chart.x + chart.width;
  svg.line(chart.x, y, x + 6, y, ink, dashes);
  svg.text(x + 10, above ? y - 4 : y + 12, (what + " " + bytesText(bytes)).str(), {10, ink});
}

void SramPanel::drawLegend() {
  double x = chart.x + 220, y = chart.y - 36;
  auto key = [&](llvm::StringRef fill, llvm::StringRef meaning) {
    svg.box({x, y, 12, 12}, fill, paleLine);
    svg.text(x + 17, y + 10, meaning, {11, ink});
    x += 34 + Svg::widthOf(meaning, 11);
  };
  key(codeFill, "code");
  key(keptFills[1], "kept from init on");
  key(briefFills[1], "while in use");
  key(ownFill, "of the op above");
}

void SramPanel::draw() {
  svg.text(chart.x - leftMargin, chart.y - 26, "SRAM of every node over time",
           {14, ink, Anchor::start, true});
  drawLegend();
  drawAxis();
  for (auto [number, buffer] : llvm::enumerate(map.program.buffers))
    drawBuffer(buffer, number);
  for (const Section &section : sections)
    drawOps(section);
  drawLevel(peak, "peak", "", true);
  drawLevel(map.sramBound, "bound", "6 3", false);
  if (double(map.machine.sramBytes) < top)
    drawLevel(map.machine.sramBytes, "SRAM", "1 3", true);
}

void report::drawSram(const Map &map, const Box &place, Svg &svg) {
  SramPanel(map, place, svg).draw();
}
