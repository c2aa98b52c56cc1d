//===- MoveCensus.cpp - what all pairs of blocks have in common -----------===//
#include "MoveCensus.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/MathExtras.h"

using namespace dojo;

namespace {

struct Span {
  int64_t lo, hi;
};

} // namespace

int dojo::sourceDimOf(const Move &move, unsigned e) {
  auto term = llvm::find_if(move.map, [&](const Move::Term &t) { return t.dstDim == int(e); });
  return term == move.map.end() ? -1 : term - move.map.begin();
}

/// Notes a further value of what may always be the same.
static void note(std::optional<int64_t> &same, bool &differs, int64_t value) {
  differs |= same.value_or(value) != value;
  same = value;
}

/// The j whose source block `block` of dimension d owns.
static Span wantedOf(const Move &move, unsigned e, int d, int64_t block) {
  Span all = {0, move.dst.dims[e].size};
  if (d < 0)
    return all;
  const Move::Term &term = move.map[d];
  const Layout::Dim &dim = move.src.dims[d];
  bool last = block == move.src.blocks(d) - 1;
  int64_t lo = block * dim.step, hi = last ? dim.size : std::min(lo + dim.step, dim.size);
  auto first = [&](int64_t i) {
    return llvm::divideCeilSigned(i - term.constant, term.coefficient);
  };
  return {std::max(all.lo, first(lo)), std::min(all.hi, first(hi))};
}

static Census censusOf(const Move &move, unsigned e) {
  int d = sourceDimOf(move, e);
  if (d >= 0 && move.map[d].symbolCoefficient != 0)
    return {};
  const Layout::Dim &dim = move.dst.dims[e];
  int64_t sources = d < 0 ? 1 : move.src.blocks(d), targets = move.dst.blocks(e);
  llvm::SmallBitVector receives(targets);
  bool everySends = true, countDiffers = false, beginDiffers = false;
  std::optional<int64_t> count, begin;
  for (int64_t b = 0; b < sources; ++b) {
    Span wanted = wantedOf(move, e, d, b);
    bool sends = false;
    int64_t v = std::max<int64_t>(0, (wanted.lo - dim.offset - dim.window) / dim.step);
    for (; v < targets && move.dst.start(e, v) < wanted.hi; ++v) {
      int64_t start = move.dst.start(e, v);
      Span hit = {std::max(wanted.lo, start), std::min(wanted.hi, start + dim.window)};
      if (hit.lo >= hit.hi)
        continue;
      receives.set(v);
      sends = true;
      note(count, countDiffers, hit.hi - hit.lo);
      note(begin, beginDiffers, hit.lo - start);
    }
    everySends &= sends;
  }
  if (countDiffers)
    count.reset();
  if (beginDiffers)
    begin.reset();
  return {everySends, receives.all(), count, begin};
}

llvm::SmallVector<Census, 4> dojo::takeCensus(const Move &move) {
  llvm::SmallVector<Census, 4> census;
  for (unsigned e = 0; e < move.dst.rank(); ++e)
    census.push_back(censusOf(move, e));
  return census;
}
