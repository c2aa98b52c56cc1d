//===- Transpose.cpp - copies that exchange two iterators -----------------===//
#include "Transpose.h"
#include "Simd.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::kernels;

/// Tiles of one straight block, at most: more would save little of the loop around it.
static constexpr int64_t mostTiles = 16;
/// Cycles that a block takes beside its tiles.
static constexpr int64_t blockOverhead = 2;

static bool isCopy(const Nest &nest) {
  if (nest.numInputs != 1 || nest.outputs().size() != 1 || nest.hasReduction())
    return false;
  const Access &from = nest.inputs().front(), &to = nest.outputs().front();
  return from.base && from.element == to.element && nest.yielded(0) == from.argument;
}

std::optional<TransposePlan> kernels::planTranspose(const Nest &nest) {
  if (!isCopy(nest))
    return std::nullopt;
  const Access &from = nest.inputs().front(), &to = nest.outputs().front();
  std::optional<unsigned> down, along;
  for (auto [j, iterator] : llvm::enumerate(nest.iterators)) {
    bool unitFrom = from.stride(j) == from.bytes, unitTo = to.stride(j) == to.bytes;
    if (unitTo && !unitFrom && from.stride(j) && iterator.extent >= isa::transposedRows(from.bytes))
      down = j;
    if (unitFrom && !unitTo && iterator.extent >= isa::transposedColumns(from.bytes))
      along = j;
  }
  if (!down || !along)
    return std::nullopt;
  return TransposePlan{*down, *along};
}

namespace {

class TransposeEmission {
public:
  TransposeEmission(Emitter &emitter, const Nest &nest, const TransposePlan &plan)
      : e(emitter), plan(plan), bytes(nest.accesses.front().bytes),
        rows(isa::transposedRows(bytes)), columns(isa::transposedColumns(bytes)) {}

  /// Cuts off what tiles do not divide, so that each part is tiles alone.
  void run(Nest nest);

private:
  void emitTiles(const Nest &nest);
  /// The blocks of the fewest cycles, as loops, the longest innermost.
  SmallVector<Loop> chooseBlocks(const Nest &nest);
  void emitTile(const Nest &nest, int64_t rowBlock, int64_t columnBlock);
  bool isGatheredBy8() const { return columns * bytes == 8; }
  bool isScatteredBy8() const { return rows * bytes == 8; }

  Emitter &e;
  TransposePlan plan;
  int64_t bytes, rows, columns;
  int64_t tilesDown = 1, tilesAlong = 1; ///< of a block
};

} // namespace

void TransposeEmission::run(Nest nest) {
  for (auto [j, size] : {std::pair(plan.down, rows), std::pair(plan.along, columns)}) {
    int64_t extent = nest.iterators[j].extent;
    if (extent % size == 0)
      continue;
    Nest edge = nest;
    edge.iterators[j].extent = size;
    for (Access &access : edge.accesses)
      access.offset += (extent - size) * access.stride(j);
    run(std::move(edge));
    nest.iterators[j].extent -= extent % size;
  }
  emitTiles(nest);
}

/// An innermost loop whose iterations overlap takes one more than its trips.
SmallVector<Loop> TransposeEmission::chooseBlocks(const Nest &nest) {
  auto tilesOf = [&](unsigned j, int64_t size) { return nest.iterators[j].extent / size; };
  int64_t down = tilesOf(plan.down, rows), along = tilesOf(plan.along, columns), least = 0;
  auto loopsFor = [&](int64_t factorDown, int64_t factorAlong) {
    SmallVector<Loop> loops;
    for (unsigned j = 0; j < nest.iterators.size(); ++j)
      loops.push_back(loopOver(nest, j,
                               j == plan.down    ? factorDown * rows
                               : j == plan.along ? factorAlong * columns
                                                 : 1));
    llvm::stable_sort(loops, [](const Loop &a, const Loop &b) { return a.trips < b.trips; });
    return loops;
  };
  SmallVector<Loop> best;
  for (int64_t d = 1; d <= std::min(down, mostTiles); ++d)
    for (int64_t a = 1; a <= std::min(along, mostTiles / d); ++a) {
      if (down % d || along % a)
        continue;
      SmallVector<Loop> loops = loopsFor(d, a);
      int64_t cycles = d * a + blockOverhead;
      for (const Loop &loop : loops)
        cycles *= loop.trips + (&loop == &loops.back());
      if (!best.empty() && cycles >= least)
        continue;
      least = cycles;
      best = std::move(loops);
      tilesDown = d;
      tilesAlong = a;
    }
  return best;
}

void TransposeEmission::emitTile(const Nest &nest, int64_t rowBlock, int64_t columnBlock) {
  auto offset = [&](const Access &access) {
    return rowBlock * rows * access.stride(plan.down) +
           columnBlock * columns * access.stride(plan.along);
  };
  const Access &source = nest.accesses[0], &dest = nest.accesses[1];
  Value from = e.addressRegister(0, offset(source));
  Value apart = e.keptNumber(source.stride(plan.down));
  int64_t pieces = llvm::Log2_64(rows);
  Value tile = isGatheredBy8() ? e.make<d1::VLDG8>(from, apart, apart, pieces)
                               : e.make<d1::VLDG16>(from, apart, apart, pieces);
  tile = e.make<d1::VTRN>(tile, llvm::Log2_64(bytes));
  Value to = e.addressRegister(1, offset(dest));
  apart = e.keptNumber(dest.stride(plan.along));
  pieces = llvm::Log2_64(columns);
  if (isScatteredBy8())
    e.store<d1::VSTG8>(tile, to, apart, apart, pieces);
  else
    e.store<d1::VSTG16>(tile, to, apart, apart, pieces);
}

void TransposeEmission::emitTiles(const Nest &nest) {
  e.hoistConstants(0);
  e.startPointers(nest);
  e.loops(chooseBlocks(nest), {}, {}, [&](Values) {
    for (int64_t d = 0; d < tilesDown; ++d)
      for (int64_t a = 0; a < tilesAlong; ++a)
        emitTile(nest, d, a);
    return Values();
  });
}

void kernels::emitTranspose(Emitter &emitter, const Nest &nest, const TransposePlan &plan) {
  TransposeEmission(emitter, nest, plan).run(nest);
}
