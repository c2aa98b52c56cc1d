//===- LocalCopy.cpp - a move within the nodes ----------------------------===//
#include "dojo/Layout/LocalCopy.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace dojo;

/// The dimension of the source that destination dimension `e` indexes, or -1.
static int sourceOf(const Move &move, unsigned e) {
  auto *term = llvm::find_if(move.map, [&](const Move::Term &t) { return t.dstDim == int(e); });
  return term == move.map.end() ? -1 : term - move.map.begin();
}

/// Whether a node's coordinate on an axis is that of the source it takes, and spread
/// dimensions are spread alike.
static bool isOwn(const Move &move, unsigned axis, const Coords &grid) {
  const Layout::AxisUse &src = move.src.axes[axis], &dst = move.dst.axes[axis];
  auto comesFrom = [&](const Layout::Digit &digit) {
    return digit.repeats() ? -1 : sourceOf(move, digit.dim);
  };
  if (src.digits.empty())
    return (!src.pinned || dst.pinned || grid[axis] == 1) &&
           llvm::all_of(dst.digits, [&](auto &digit) { return comesFrom(digit) < 0; });
  return llvm::equal(src.digits, dst.digits, [&](auto &from, auto &to) {
    int wanted = from.repeats() ? -1 : int(from.dim);
    return from.count == to.count && comesFrom(to) == wanted;
  });
}

/// Blocks without halo that the elements fill.
static bool isEven(const Layout &layout, unsigned d) {
  const Layout::Dim &dim = layout.dims[d];
  return dim.offset == 0 && dim.window == dim.step && dim.size == dim.step * layout.blocks(d);
}

std::optional<LocalCopy> dojo::localCopyOf(const Move &move, const Coords &grid) {
  for (unsigned a = 0; a < numAxes; ++a)
    if (!isOwn(move, a, grid))
      return std::nullopt;
  LocalCopy copy;
  copy.sourceFirst.resize(move.src.rank());
  for (auto [d, term] : llvm::enumerate(move.map)) {
    const Layout::Dim &dim = move.src.dims[d];
    bool isInside = term.constant >= 0 && term.constant < dim.size;
    if (term.symbolCoefficient || (term.dstDim < 0 && (!isInside || move.src.blocks(d) > 1)))
      return std::nullopt;
    copy.sourceFirst[d] = term.constant - dim.offset;
  }
  for (auto [e, dim] : llvm::enumerate(move.dst.dims)) {
    int d = sourceOf(move, e);
    int64_t begin = std::max<int64_t>(-dim.offset, 0);
    int64_t end = std::min(dim.window, dim.size - dim.offset);
    if (move.dst.blocks(e) > 1) {
      bool isSame =
          d < 0 || (move.map[d].coefficient == 1 && move.map[d].constant == 0 &&
                    move.src.dims[d].step == dim.step && move.src.dims[d].size >= dim.size);
      if (!isSame || !isEven(move.dst, e))
        return std::nullopt;
      end = dim.step;
    } else if (d >= 0) {
      const Move::Term &term = move.map[d];
      int64_t start = term.constant + term.coefficient * dim.offset; // source index of local 0
      begin = std::max(begin, llvm::divideCeilSigned(-start, term.coefficient));
      end = std::min(end, llvm::divideCeilSigned(move.src.dims[d].size - start, term.coefficient));
      copy.sourceFirst[d] += term.coefficient * (dim.offset + begin);
    }
    if (begin >= end)
      return std::nullopt;
    copy.first.push_back(begin);
    copy.count.push_back(end - begin);
  }
  return copy;
}

int64_t dojo::runOf(const Move &move, const LocalCopy &copy) {
  llvm::SmallVector<int64_t, 4> src = move.src.strides(), dst = move.dst.strides();
  int64_t run = 1;
  for (unsigned e : llvm::reverse(move.dst.order)) {
    if (copy.count[e] == 1)
      continue;
    int d = sourceOf(move, e);
    if (d < 0 || move.map[d].coefficient * src[d] != run || dst[e] != run)
      break;
    run *= copy.count[e];
  }
  return run;
}
