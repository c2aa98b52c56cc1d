//===- Map.cpp - a picture of where a program is --------------------------===//
#include "dojo/Report/Map.h"
#include "Panels.h"
#include "llvm/Support/FormatVariadic.h"

using namespace dojo;
using namespace dojo::report;

static constexpr double width = 1400, margin = 32, legendWidth = 300, sramHeight = 640;

std::string report::grouped(int64_t number) { return llvm::formatv("{0:N0}", number); }

std::string report::bytesText(int64_t bytes) {
  constexpr int64_t kib = 1024;
  if (bytes < kib)
    return llvm::formatv("{0} B", bytes);
  if (bytes < kib * kib)
    return llvm::formatv("{0:F1} KiB", double(bytes) / kib);
  return llvm::formatv("{0:F2} MiB", double(bytes) / (kib * kib));
}

std::string report::drawMap(const Map &map) {
  constexpr double titleHeight = 64;
  double dieWidth = width - 2 * margin - legendWidth;
  double die = std::max(dieHeight(map, dieWidth), 420.0);
  Svg svg(width, titleHeight + die + margin + sramHeight + margin);
  svg.text(margin, 40, map.title, {18, ink, Anchor::start, true});
  drawDieLegend(map, {margin, titleHeight, legendWidth - 24, die}, svg);
  drawDie(map, {margin + legendWidth, titleHeight, dieWidth, die}, svg);
  drawSram(map, {margin, titleHeight + die + margin, width - 2 * margin, sramHeight}, svg);
  return svg.take();
}
