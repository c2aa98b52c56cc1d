//===- MoveTransfer.cpp - one piece of a move as a block transfer ---------===//
#include "MoveTransfer.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/ISA/Address.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace dojo;

/// The run and the levels that a descriptor holds.
static constexpr unsigned numHeld = 1 + isa::maxDescriptorLevels;

static llvm::SmallVector<int64_t, 4> byteStrides(const Layout &layout, int64_t elementBytes) {
  llvm::SmallVector<int64_t, 4> strides = layout.strides();
  for (int64_t &stride : strides)
    stride *= elementBytes;
  return strides;
}

MoveTransfer::MoveTransfer(MoveGeometry &geometry, Int descriptor)
    : g(geometry), descriptor(descriptor), srcStrides(byteStrides(g.move.src, g.move.elementBytes)),
      dstStrides(byteStrides(g.move.dst, g.move.elementBytes)),
      levels{{g.move.elementBytes, -1, 1, 1}} {
  for (unsigned e : llvm::reverse(g.move.dst.order))
    addLevel(e);
  for (const Level &level :
       llvm::ArrayRef(levels).drop_front(std::min<size_t>(numHeld, levels.size())))
    counts.push_back(level.factor);
}

int64_t MoveTransfer::srcStride(unsigned e) const {
  int d = g.sourceOf(e);
  return d < 0 ? 0 : g.move.map[d].coefficient * srcStrides[d];
}

void MoveTransfer::addLevel(unsigned e) {
  std::optional<int64_t> constant = g.census[e].count;
  if (constant == 1)
    return;
  int64_t factor = constant.value_or(1);
  int dim = constant ? -1 : e;
  int64_t src = srcStride(e), dst = dstStrides[e];
  Level &last = levels.back();
  if (last.dim < 0 && last.factor * last.src == src && last.factor * last.dst == dst) {
    last.factor *= factor;
    last.dim = dim;
    return;
  }
  levels.push_back({factor, dim, src, dst});
}

void MoveTransfer::writeConstants() {
  unsigned held = std::min<size_t>(levels.size(), numHeld);
  g.storeWord(held - 1, descriptor, isa::descriptorLevels);
  g.storeWord(0, descriptor, isa::descriptorZeros);
  g.storeWord(0, descriptor, isa::descriptorZeros + 4);
  if (levels[0].dim < 0)
    g.storeWord(levels[0].factor, descriptor, isa::descriptorRun);
  for (unsigned k = 1; k < held; ++k) {
    int64_t word = 4 * (k - 1);
    if (levels[k].dim < 0)
      g.storeWord(levels[k].factor, descriptor, isa::descriptorCounts + word);
    g.storeWord(levels[k].src, descriptor, isa::descriptorSrcStrides + word);
    g.storeWord(levels[k].dst, descriptor, isa::descriptorDstStrides + word);
  }
}

void MoveTransfer::writeCount(unsigned e, Int count) {
  const Level *level = llvm::find_if(levels, [&](const Level &l) { return l.dim == int(e); });
  if (level == levels.end())
    return;
  unsigned k = level - levels.begin();
  Int total = g.mul(count, level->factor);
  if (k >= numHeld)
    counts[k - numHeld] = total;
  else if (k == 0)
    g.storeWord(total, descriptor, isa::descriptorRun);
  else
    g.storeWord(total, descriptor, isa::descriptorCounts + 4 * (k - 1));
}

std::pair<Int, Int> MoveTransfer::loopOuterLevels(Int src, Int dst) {
  for (auto [i, count] : llvm::enumerate(counts)) {
    const Level &level = levels[numHeld + i];
    Int index = g.loop(0, count);
    src = g.add(src, g.mul(index, level.src));
    dst = g.add(dst, g.mul(index, level.dst));
  }
  return {src, dst};
}

void MoveTransfer::push(Int src, Int dst) {
  OpBuilder::InsertionGuard guard(g.b);
  auto [from, to] = loopOuterLevels(src, dst);
  d1::PUSH::create(g.b, g.loc, g.get(descriptor), g.get(from), g.get(to));
}

void MoveTransfer::pull(Int src, Int dst) {
  OpBuilder::InsertionGuard guard(g.b);
  auto [from, to] = loopOuterLevels(src, dst);
  d1::PULL::create(g.b, g.loc, g.get(descriptor), g.get(to), g.get(from));
}
