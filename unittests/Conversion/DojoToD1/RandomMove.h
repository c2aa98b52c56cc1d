//===- RandomMove.h - moves of every shape for tests ------------*- C++ -*-===//
#ifndef DOJO_UNITTESTS_RANDOMMOVE_H
#define DOJO_UNITTESTS_RANDOMMOVE_H

#include "dojo/Layout/Move.h"
#include <random>

namespace dojo::testing {

/// Valid moves on small grids: uneven blocks, halos, padding, repeated and
/// pinned axes, repeating digits, several digits of an axis and several axes of a
/// dimension, permuted memory orders, slices, strides, shifts, symbols.
class RandomMoves {
public:
  explicit RandomMoves(unsigned seed) : random(seed) {}

  struct Case {
    Move move;
    Coords grid;
    int64_t symbol;
  };
  Case next();

private:
  int64_t from(int64_t least, int64_t most);
  bool chance(int percent) { return from(1, 100) <= percent; }
  Coords grid();
  llvm::SmallVector<int64_t> shape();
  Layout layout(llvm::ArrayRef<int64_t> shape, const Coords &grid);
  Layout::Dim dim(int64_t size, int64_t blocks);
  void spread(Layout &layout, const Coords &grid);
  llvm::SmallVector<Move::Term, 4> map(llvm::ArrayRef<int64_t> src, llvm::ArrayRef<int64_t> dst);

  std::mt19937 random;
};

} // namespace dojo::testing

#endif // DOJO_UNITTESTS_RANDOMMOVE_H
