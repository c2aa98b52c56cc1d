//===- MoveGeometry.cpp - which indices and blocks meet in a move ---------===//
#include "MoveGeometry.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/ISA/Address.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dojo;

llvm::SmallVector<DigitPlace> dojo::digitsOf(const Layout &layout) {
  llvm::SmallVector<DigitPlace> places;
  for (unsigned axis = 0; axis < numAxes; ++axis) {
    int64_t inner = layout.used(static_cast<Axis>(axis), 1);
    for (const Layout::Digit &digit : layout.axes[axis].digits) {
      inner /= digit.count;
      places.push_back({axis, digit.dim, inner, digit.count});
    }
  }
  return places;
}

llvm::SmallVector<DigitPlace> dojo::digitsOf(const Layout &layout, unsigned dim) {
  llvm::SmallVector<DigitPlace> places = digitsOf(layout);
  llvm::erase_if(places, [&](const DigitPlace &place) { return place.dim != dim; });
  return places;
}

bool dojo::repeatsAxis(const Layout &layout, unsigned axis) {
  return layout.axes[axis].digits.empty() && !layout.axes[axis].pinned;
}

Int MoveGeometry::shift(unsigned d) {
  const Move::Term &term = move.map[d];
  return add(mul(symbol, term.symbolCoefficient), term.constant);
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

Int MoveGeometry::coord(unsigned axis) {
  if (grid[axis] == 1)
    return 0;
  return Value(d1::COORD::create(b, loc, axis));
}

Int MoveGeometry::digit(const DigitPlace &place, Int coordinate, int64_t bound) {
  Int quotient = div(coordinate, place.inner);
  return place.inner * place.count < bound ? rem(quotient, place.count) : quotient;
}

Int MoveGeometry::inAddress(unsigned axis, Int coordinate, int64_t inner) {
  return shl(mul(coordinate, inner), isa::coordShift[axis]);
}

void MoveGeometry::requireUsed(const Layout &layout) {
  for (unsigned axis = 0; axis < numAxes; ++axis) {
    int64_t used = layout.used(static_cast<Axis>(axis), grid[axis]);
    if (used < grid[axis])
      requireLess(coord(axis), used);
  }
}

Int MoveGeometry::ownBlock(const Layout &layout, unsigned dim) {
  Int block = 0;
  for (const DigitPlace &place : digitsOf(layout, dim))
    block = add(mul(block, place.count),
                digit(place, coord(place.axis), layout.used(static_cast<Axis>(place.axis), 1)));
  return block;
}

Int MoveGeometry::blockInAddress(const Layout &layout, unsigned dim, Int block) {
  int64_t radix = layout.blocks(dim), blocks = radix;
  Int address = 0;
  for (const DigitPlace &place : digitsOf(layout, dim)) {
    radix /= place.count;
    Int value = digit({place.axis, dim, radix, place.count}, block, blocks);
    address = add(address, inAddress(place.axis, value, place.inner));
  }
  return address;
}

Int MoveGeometry::start(const Layout &layout, unsigned dim, Int block) {
  return add(mul(block, layout.dims[dim].step), layout.dims[dim].offset);
}

//===----------------------------------------------------------------------===//
// Intervals
//===----------------------------------------------------------------------===//

Interval MoveGeometry::owned(unsigned d, Int block) {
  const Layout::Dim &dim = move.src.dims[d];
  int64_t blocks = move.src.blocks(d);
  if (blocks == 1)
    return {0, dim.size};
  Int lo = mul(block, dim.step), hi = add(lo, dim.step);
  if (blocks * dim.step > dim.size)
    hi = min(hi, dim.size);
  if (blocks * dim.step < dim.size)
    hi = ifEqual(block, blocks - 1, dim.size, hi);
  return {lo, hi};
}

// lo = ceil((range.lo - c) / a), hi = ceil((range.hi - c) / a), cut to [0, size).
// A quotient of a negative number need only be no larger than 0.
Interval MoveGeometry::wantedFrom(unsigned e, Interval range) {
  unsigned d = sourceOf(e);
  int64_t a = move.map[d].coefficient, size = move.dst.dims[e].size;
  Int c = shift(d);
  Int first = add(sub(range.lo, c), a - 1), last = add(sub(range.hi, c), a - 1);
  if (!c.constant || *c.constant > 0)
    first = max(first, 0);
  Int hi = div(last, a);
  if (!c.constant || llvm::divideCeilSigned(move.src.dims[d].size - *c.constant, a) > size)
    hi = min(hi, size);
  return {div(first, a), hi};
}

Interval MoveGeometry::wanted(unsigned e) {
  int d = sourceOf(e);
  Interval range =
      d < 0 ? Interval{0, move.dst.dims[e].size} : wantedFrom(e, owned(d, ownBlock(move.src, d)));
  return move.dst.blocks(e) == 1 ? cutToWindow(e, range, move.dst.dims[e].offset) : range;
}

Interval MoveGeometry::cutToWindow(unsigned e, Interval range, Int start) {
  const Layout::Dim &dim = move.dst.dims[e];
  bool holdsAll = move.dst.blocks(e) == 1 && dim.offset <= 0 && dim.offset + dim.window >= dim.size;
  return holdsAll ? range : intersect(range, {start, add(start, dim.window)});
}

bool MoveGeometry::wantedIsConstant(unsigned e) const {
  int d = sourceOf(e);
  return d < 0 || (move.src.blocks(d) == 1 && move.map[d].symbolCoefficient == 0);
}

Interval MoveGeometry::held(unsigned e) {
  int d = sourceOf(e);
  Interval all =
      d < 0 ? Interval{0, move.dst.dims[e].size} : wantedFrom(e, {0, move.src.dims[d].size});
  return cutToWindow(e, all, ownStart(move.dst, e));
}

// Block v holds [v * step + offset, + window): it meets [lo, hi) from
// v = floor((lo - offset - window) / step) + 1 to v = floor((hi - 1 - offset) / step).
Interval MoveGeometry::blocksMeeting(unsigned e, Interval range) {
  const Layout::Dim &dim = move.dst.dims[e];
  int64_t before = dim.step - dim.offset - dim.window;
  Int first = add(range.lo, before);
  if (before < 0)
    first = max(first, 0);
  int64_t after = dim.step - 1 - dim.offset, blocks = move.dst.blocks(e);
  Int last = div(add(range.hi, after), dim.step);
  if ((dim.size + after) / dim.step > blocks)
    last = min(last, blocks);
  return {div(first, dim.step), last};
}

// Block of i: min(i div step, blocks - 1).
Interval MoveGeometry::sourceBlocks(unsigned e, Interval range) {
  unsigned d = sourceOf(e);
  const Layout::Dim &dim = move.src.dims[d];
  int64_t a = move.map[d].coefficient, blocks = move.src.blocks(d);
  Int first = div(add(mul(range.lo, a), shift(d)), dim.step);
  Int last = div(add(mul(sub(range.hi, 1), a), add(shift(d), dim.step)), dim.step);
  if (blocks * dim.step < dim.size) {
    first = min(first, blocks - 1);
    last = min(last, blocks);
  }
  return {first, last};
}
