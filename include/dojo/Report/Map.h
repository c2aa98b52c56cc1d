//===- Map.h - a picture of where a program is ------------------*- C++ -*-===//
//
// Two panels. The die: every physical node, dead ones marked, with its logical
// coordinates and its piece of one op's result. SRAM over time: every row of the
// binary's buffer table as a rectangle, from the operation where it begins to the
// one where it ends, between the addresses that it takes on each node. The file
// is self-contained, equal programs give equal bytes, and each shape has a
// tooltip.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_REPORT_MAP_H
#define DOJO_REPORT_MAP_H

#include "dojo/Binary/Program.h"
#include "dojo/Layout/Layout.h"
#include "dojo/Machine/Machine.h"
#include <string>

namespace dojo::report {

/// The op whose pieces are drawn.
struct MappedOp {
  std::string entry, name; ///< the function, the ONNX node
  std::string mapping;     ///< as text; empty when nothing wrote one
  int64_t macs;
  Layout result;
  unsigned partials; ///< leading dimensions that number partial results
};

struct Map {
  std::string title; ///< model, target and precision
  Machine machine;
  const binary::Program &program;
  MappedOp op;
  int64_t sramBound; ///< what is live at once at the worst moment
};

std::string drawMap(const Map &map);

} // namespace dojo::report

#endif // DOJO_REPORT_MAP_H
