//===- Matrix.cpp - contractions on the matrix unit -----------------------===//
#include "Matrix.h"
#include "Odometer.h"

#include "mlir/IR/Matchers.h"
#include <set>

using namespace mlir;
using namespace dojo;
using namespace dojo::kernels;

/// mread moves two rows; vldg16 and vstg16 pieces of 16 bytes.
static constexpr int64_t rowsPerVector = 2, rowPairs = isa::matrixRows / rowsPerVector;
static constexpr int64_t pieceBytes = 16;

namespace {

class MatrixEmission {
public:
  MatrixEmission(Emitter &emitter, const Nest &nest, const MatrixPlan &plan, Inits inits)
      : e(emitter), nest(nest), plan(plan), init(inits.front()), c(nest.numInputs),
        reduced(emitter, loops(true), false), blocks(emitter, loops(false), true) {}

  void run();

private:
  /// Byte offsets, in one access, of the block's tiles along the iterators `along`.
  SmallVector<int64_t> tileOffsets(unsigned access, function_ref<bool(unsigned)> along) const;
  int64_t stride(unsigned access, unsigned iterator) const {
    return nest.accesses[access].stride(iterator);
  }
  SmallVector<Loop> loops(bool reduction) const;
  void findTiles();

  Value loadA(int64_t offset);
  Value loadB(int64_t offset);
  Value initialRows(Value gathered, Address dense);
  void storeTile(Value accumulator, int64_t offset);
  /// From the tile's first row to row 2 * pair.
  int64_t rowOffset(int64_t pair) const;
  bool denseRows() const;
  Values multiply(Values accumulators);
  Values startBlock();
  Values finishBlock(Values accumulators);
  void storeBlock(Values accumulators);
  /// Rounds of one block for each bank, each started while the one before it is stored.
  Values emitRounds(int64_t rounds, Values accumulators);
  bool isInput(unsigned p) const { return p != c; }

  Emitter &e;
  const Nest &nest;
  const MatrixPlan &plan;
  TypedAttr init;
  unsigned c;
  struct Tile {
    int64_t a, b, c; ///< byte offsets in the block
  };
  SmallVector<Tile> tiles;
  Odometer reduced, blocks;
};

} // namespace

SmallVector<int64_t> MatrixEmission::tileOffsets(unsigned access,
                                                 function_ref<bool(unsigned)> along) const {
  SmallVector<int64_t> offsets{0};
  for (unsigned j = 0; j < nest.iterators.size(); ++j) {
    SmallVector<int64_t> longer;
    for (int64_t first : offsets)
      for (int64_t at = 0; at < (along(j) ? plan.blocks[j] : 1); at += plan.tile[j])
        longer.push_back(first + at * stride(access, j));
    offsets = std::move(longer);
  }
  return offsets;
}

void MatrixEmission::findTiles() {
  auto parallel = [&](unsigned j) { return !nest.iterators[j].reduction; };
  for (auto [a, b, c] :
       llvm::zip_equal(tileOffsets(plan.a, parallel), tileOffsets(plan.b, parallel),
                       tileOffsets(this->c, parallel)))
    tiles.push_back({a, b, c});
  // The operand of more tiles streams: each of them is done with before the next.
  std::set<int64_t> ofA, ofB;
  for (const Tile &tile : tiles) {
    ofA.insert(tile.a);
    ofB.insert(tile.b);
  }
  int64_t Tile::*streamed = ofA.size() < ofB.size() ? &Tile::b : &Tile::a;
  llvm::stable_sort(tiles, [&](const Tile &x, const Tile &y) { return x.*streamed < y.*streamed; });
}

SmallVector<Loop> MatrixEmission::loops(bool reduction) const {
  SmallVector<Loop> result;
  for (unsigned j = 0; j < nest.iterators.size(); ++j)
    if (nest.iterators[j].reduction == reduction && j != plan.k)
      result.push_back(loopOver(nest, j, plan.blocks[j]));
  if (reduction)
    result.push_back(loopOver(nest, plan.k, plan.blocks[plan.k]));
  return result;
}

Value MatrixEmission::loadA(int64_t offset) {
  int64_t inner = stride(plan.a, plan.rowInner), outer = stride(plan.a, plan.rowOuter);
  int64_t depthBytes = isa::matrixDepth * nest.accesses[plan.a].bytes;
  bool oneIterator = plan.rowInner == plan.rowOuter;
  if (inner == depthBytes && (oneIterator || outer == plan.rowsInner * inner)) {
    Address at = e.address(plan.a, offset);
    return e.make<d1::VLD>(at.base, at.offset);
  }
  return e.make<d1::VLDG8>(e.addressRegister(plan.a, offset), e.keptNumber(inner),
                           e.keptNumber(outer), llvm::Log2_64(plan.rowsInner));
}

Value MatrixEmission::loadB(int64_t offset) {
  int64_t rows = stride(plan.b, plan.k);
  if (rows == pieceBytes) {
    Address at = e.address(plan.b, offset);
    return e.make<d1::VLD>(at.base, at.offset);
  }
  Value kept = e.keptNumber(rows);
  return e.make<d1::VLDG16>(e.addressRegister(plan.b, offset), kept, kept,
                            llvm::Log2_64(isa::matrixDepth));
}

int64_t MatrixEmission::rowOffset(int64_t pair) const {
  int64_t row = pair * rowsPerVector;
  return row % plan.rowsInner * stride(c, plan.rowInner) +
         row / plan.rowsInner * stride(c, plan.rowOuter);
}

bool MatrixEmission::denseRows() const {
  return stride(c, plan.rowInner) == int64_t(isa::matrixColumns) * nest.accesses[c].bytes;
}

/// What the product of these rows is added to, or null for zero.
Value MatrixEmission::initialRows(Value gathered, Address dense) {
  if (init)
    return matchPattern(init, m_PosZeroFloat()) ? Value() : emitConstant(e, init);
  if (!gathered)
    return e.make<d1::VLD>(dense.base, dense.offset);
  return e.make<d1::VLDG16>(gathered, e.keptNumber(pieceBytes),
                            e.keptNumber(stride(c, plan.rowInner)), 1);
}

void MatrixEmission::storeTile(Value accumulator, int64_t offset) {
  for (int64_t pair = 0; pair < rowPairs; ++pair) {
    Value rows = e.make<d1::MREAD>(accumulator, pair);
    int64_t at = offset + rowOffset(pair);
    Value scattered = denseRows() ? Value() : e.addressRegister(c, at);
    Address dense = denseRows() ? e.address(c, at) : Address();
    if (Value first = initialRows(scattered, dense))
      rows = e.make<d1::VADD>(first, rows);
    if (scattered)
      e.store<d1::VSTG16>(rows, scattered, e.keptNumber(pieceBytes),
                          e.keptNumber(stride(c, plan.rowInner)), 1);
    else
      e.store<d1::VST>(rows, dense.base, dense.offset);
  }
}

Values MatrixEmission::multiply(Values accumulators) {
  for (int64_t at = 0; at < plan.blocks[plan.k]; at += isa::matrixDepth) {
    int64_t depthA = at * stride(plan.a, plan.k), depthB = at * stride(plan.b, plan.k);
    DenseMap<int64_t, Value> rows, columns;
    for (auto [tile, accumulator] : llvm::zip_equal(tiles, accumulators)) {
      if (!columns.count(tile.b))
        columns[tile.b] = loadB(tile.b + depthB);
      if (!rows.count(tile.a))
        rows[tile.a] = loadA(tile.a + depthA);
      accumulator = e.make<d1::MMUL>(accumulator, rows[tile.a], columns[tile.b]);
    }
  }
  return accumulators;
}

/// The first step of all reductions.
Values MatrixEmission::startBlock() {
  Values accumulators;
  for (size_t t = 0; t < tiles.size(); ++t)
    accumulators.push_back(e.make<d1::MZERO>());
  return multiply(std::move(accumulators));
}

/// All other steps; the pointers are back where the block began.
Values MatrixEmission::finishBlock(Values accumulators) {
  SmallVector<unsigned> moving = e.moving(loops(true));
  int64_t left = reduced.iterations() - 1;
  if (left == 0)
    return accumulators;
  for (unsigned p : moving) {
    e.advance(p, reduced.firstStep(p));
    e.settle(p);
  }
  Values carried = reduced.start(1);
  size_t numCounters = carried.size();
  llvm::append_range(carried, accumulators);
  carried = e.repeat(left, moving, carried, [&](Values values) {
    Values products = multiply(Values(ArrayRef(values).drop_front(numCounters)));
    Values next = reduced.next(ArrayRef(values).take_front(numCounters));
    for (unsigned p : moving)
      reduced.advance(p);
    llvm::append_range(next, products);
    return next;
  });
  for (unsigned p : moving)
    e.advance(p, -reduced.total(p));
  return Values(ArrayRef(carried).drop_front(numCounters));
}

void MatrixEmission::storeBlock(Values accumulators) {
  for (auto [tile, accumulator] : llvm::zip_equal(tiles, accumulators))
    storeTile(accumulator, tile.c);
}

/// Behind the last block stands the first again, so what is started in vain reads its
/// operands. With one bank a block starts in the accumulators that are stored already.
Values MatrixEmission::emitRounds(int64_t rounds, Values accumulators) {
  SmallVector<unsigned> moving = e.moving(loops(false));
  for (unsigned p : e.moving(loops(true)))
    if (!llvm::is_contained(moving, p))
      moving.push_back(p);
  Values carried = blocks.start(0);
  size_t numCounters = carried.size();
  llvm::append_range(carried, accumulators);
  carried = e.repeat(rounds, moving, carried, [&](Values values) {
    Values counters(ArrayRef(values).take_front(numCounters));
    Values running(ArrayRef(values).drop_front(numCounters));
    for (unsigned bank = 0; bank < plan.banks; ++bank) {
      running = finishBlock(std::move(running));
      counters = blocks.next(counters);
      for (unsigned p : llvm::make_filter_range(moving, [&](unsigned p) { return isInput(p); })) {
        blocks.advance(p);
        e.settle(p);
      }
      if (plan.banks == 1)
        storeBlock(running);
      Values started = startBlock();
      if (plan.banks > 1)
        storeBlock(running);
      blocks.advance(c);
      running = std::move(started);
    }
    llvm::append_range(counters, running);
    return counters;
  });
  return Values(ArrayRef(carried).drop_front(numCounters));
}

void MatrixEmission::run() {
  findTiles();
  e.hoistConstants(0);
  e.startPointers(nest);
  int64_t rounds = blocks.iterations() > 1 ? blocks.iterations() / plan.banks : 0;
  Values accumulators = emitRounds(rounds, startBlock());
  if (blocks.iterations() > rounds * plan.banks)
    storeBlock(finishBlock(std::move(accumulators)));
}

void kernels::emitMatrix(Emitter &emitter, const Nest &nest, const MatrixPlan &plan, Inits inits) {
  MatrixEmission(emitter, nest, plan, inits).run();
}
