//===- Panels.h - the parts of a map ----------------------------*- C++ -*-===//
#ifndef DOJO_LIB_REPORT_PANELS_H
#define DOJO_LIB_REPORT_PANELS_H

#include "dojo/Report/Map.h"
#include "dojo/Report/Svg.h"

namespace dojo::report {

constexpr llvm::StringLiteral ink = "#2b2f36", faintInk = "#8a9099", paleLine = "#c9ced6";

/// "1,234,567".
std::string grouped(int64_t number);
/// "12,345 B" or "1.3 MiB".
std::string bytesText(int64_t bytes);

/// How high the die is when it is `width` wide.
double dieHeight(const Map &map, double width);
void drawDie(const Map &map, const Box &place, Svg &svg);
/// What the colours mean and how the result is cut, beside the die.
void drawDieLegend(const Map &map, const Box &place, Svg &svg);

void drawSram(const Map &map, const Box &place, Svg &svg);

} // namespace dojo::report

#endif // DOJO_LIB_REPORT_PANELS_H
