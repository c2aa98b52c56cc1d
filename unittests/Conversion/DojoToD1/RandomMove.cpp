//===- RandomMove.cpp - moves of every shape for tests --------------------===//
#include "RandomMove.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace dojo;
using namespace dojo::testing;

int64_t RandomMoves::from(int64_t least, int64_t most) {
  return least + static_cast<int64_t>(random() % static_cast<uint64_t>(most - least + 1));
}

Coords RandomMoves::grid() {
  return {chance(15) ? 2 : 1, chance(15) ? from(2, 3) : 1, from(1, 4), from(1, 5)};
}

llvm::SmallVector<int64_t> RandomMoves::shape() {
  llvm::SmallVector<int64_t> shape;
  int64_t room = 400;
  for (int64_t d = from(1, 5); d > 0; --d) {
    shape.push_back(from(1, std::min<int64_t>(room, 13)));
    room = std::max<int64_t>(1, room / shape.back());
  }
  llvm::shuffle(shape.begin(), shape.end(), random);
  return shape;
}

void RandomMoves::spread(Layout &layout, const Coords &grid) {
  for (unsigned axis = 0; axis < numAxes; ++axis) {
    Layout::AxisUse &use = layout.axes[axis];
    if (grid[axis] == 1 || chance(20)) // repeats
      continue;
    if (chance(10)) {
      use.pinned = true;
      continue;
    }
    int64_t room = grid[axis];
    for (int64_t n = from(1, 2); n > 0 && room > 1; --n) {
      int64_t count = n == 1 && chance(60) ? room : from(2, room);
      unsigned dim = chance(15) ? Layout::Digit::none : from(0, layout.rank() - 1);
      use.digits.push_back({dim, count});
      room /= count;
    }
  }
}

Layout::Dim RandomMoves::dim(int64_t size, int64_t blocks) {
  int64_t step =
      std::max<int64_t>(1, llvm::divideCeil(size, blocks) + (chance(30) ? from(-1, 2) : 0));
  int64_t offset = chance(30) ? -from(0, 2) : 0;
  int64_t window = step - offset + (chance(30) ? from(0, 2) : 0);
  window = std::max(window, size - (blocks - 1) * step - offset);
  if (chance(15)) // a strided window; only a destination may leave elements out
    window = from(1, step);
  return {size, step, offset, window, window + (chance(30) ? from(0, 3) : 0)};
}

Layout RandomMoves::layout(llvm::ArrayRef<int64_t> shape, const Coords &grid) {
  Layout layout = Layout::replicated(shape);
  spread(layout, grid);
  for (unsigned d = 0; d < layout.rank(); ++d)
    layout.dims[d] = dim(shape[d], layout.blocks(d));
  if (chance(50))
    llvm::shuffle(layout.order.begin(), layout.order.end(), random);
  return layout;
}

llvm::SmallVector<Move::Term, 4> RandomMoves::map(llvm::ArrayRef<int64_t> src,
                                                  llvm::ArrayRef<int64_t> dst) {
  llvm::SmallVector<int> free;
  for (unsigned e = 0; e < dst.size(); ++e)
    free.push_back(e);
  llvm::shuffle(free.begin(), free.end(), random);
  llvm::SmallVector<Move::Term, 4> map;
  for (int64_t size : src) {
    Move::Term term{-1, 1, 0, chance(20) ? from(-2, 3) : 0};
    if (free.empty() || chance(15)) {
      term.constant = from(0, size - 1);
    } else {
      term.dstDim = free.pop_back_val();
      term.coefficient = chance(25) ? from(2, 4) : 1;
      term.constant = chance(40) ? from(-3, 3) : 0;
    }
    map.push_back(term);
  }
  return map;
}

RandomMoves::Case RandomMoves::next() {
  while (true) {
    Case result;
    result.grid = grid();
    result.symbol = from(-2, 3);
    result.move.elementBytes = 1u << from(0, 2);
    llvm::SmallVector<int64_t> src = shape(), dst = shape();
    if (chance(40)) {
      result.move = Move::relayout(layout(src, result.grid), layout(src, result.grid),
                                   result.move.elementBytes);
    } else {
      result.move.src = layout(src, result.grid);
      result.move.dst = layout(dst, result.grid);
      result.move.map = map(src, dst);
    }
    llvm::Error error = result.move.check(result.grid);
    if (!error)
      return result;
    llvm::consumeError(std::move(error));
  }
}
