//===- Move.cpp - the one movement of data --------------------------------===//
#include "dojo/Layout/Move.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace dojo;

Move Move::relayout(Layout src, Layout dst, unsigned elementBytes) {
  Move move{std::move(src), std::move(dst), {}, elementBytes};
  for (unsigned d = 0; d < move.src.rank(); ++d)
    move.map.push_back({static_cast<int>(d), 1, 0, 0});
  return move;
}

bool Move::usesSymbol() const {
  return llvm::any_of(map, [](const Term &term) { return term.symbolCoefficient != 0; });
}

llvm::Error Move::check(const Coords &grid) const {
  if (llvm::Error error = src.check(grid))
    return error;
  if (llvm::Error error = dst.check(grid))
    return error;
  auto invalid = [](const char *why) {
    return llvm::createStringError(llvm::Twine("invalid move: ") + why);
  };
  if (map.size() != src.rank())
    return invalid("the map needs one term for each source dimension");
  llvm::SmallBitVector taken(dst.rank());
  for (const Term &term : map) {
    if (term.dstDim < 0)
      continue;
    if (static_cast<unsigned>(term.dstDim) >= dst.rank() || term.coefficient < 1)
      return invalid("a term names no destination dimension or has no positive coefficient");
    if (taken.test(term.dstDim))
      return invalid("two source dimensions depend on one destination dimension");
    taken.set(term.dstDim);
  }
  for (const auto &[d, dim] : llvm::enumerate(src.dims))
    if (src.blocks(d) > 1 && dim.offset + dim.window < dim.step)
      return invalid("the source does not own every element");
  return llvm::Error::success();
}

namespace {

/// Where the source of one logical index lies, seen from a receiving node.
struct Source {
  Coords node;
  int64_t element;
};

} // namespace

static Coords ownerOf(const Layout &src, llvm::ArrayRef<int64_t> index, const Coords &receiver) {
  llvm::SmallVector<int64_t, 4> rest, radix;
  for (unsigned d = 0; d < src.rank(); ++d) {
    radix.push_back(src.blocks(d));
    rest.push_back(radix[d] == 1 ? 0 : std::min(index[d] / src.dims[d].step, radix[d] - 1));
  }
  Coords node{};
  for (unsigned a = 0; a < numAxes; ++a) {
    const Layout::AxisUse &use = src.axes[a];
    if (use.digits.empty()) {
      node[a] = use.pinned ? 0 : receiver[a];
      continue;
    }
    int64_t inner = src.used(static_cast<Axis>(a), 0);
    for (const Layout::Digit &digit : use.digits) {
      inner /= digit.count;
      if (digit.repeats()) {
        node[a] += receiver[a] / inner % digit.count * inner;
        continue;
      }
      radix[digit.dim] /= digit.count;
      node[a] += rest[digit.dim] / radix[digit.dim] * inner;
      rest[digit.dim] %= radix[digit.dim];
    }
  }
  return node;
}

static std::optional<Source> sourceOf(const Move &move, llvm::ArrayRef<int64_t> dstIndex,
                                      const Coords &receiver, int64_t symbol) {
  llvm::SmallVector<int64_t, 4> index;
  for (auto [d, term] : llvm::enumerate(move.map)) {
    int64_t i = term.constant + term.symbolCoefficient * symbol;
    if (term.dstDim >= 0)
      i += term.coefficient * dstIndex[term.dstDim];
    if (i < 0 || i >= move.src.dims[d].size)
      return std::nullopt;
    index.push_back(i);
  }
  Source source{ownerOf(move.src, index, receiver), 0};
  source.element = *move.src.localElement(source.node, index);
  return source;
}

void dojo::enumerateMove(const Move &move, const Coords &grid, int64_t symbol,
                         llvm::function_ref<void(const ElementMove &)> visit) {
  const Layout &dst = move.dst;
  for (int64_t n = 0; n < numNodes(grid); ++n) {
    Coords node = nodeAt(grid, n);
    auto block = dst.blocksAt(node);
    if (!block)
      continue;
    llvm::SmallVector<int64_t, 4> local(dst.rank(), 0), index(dst.rank());
    for (bool more = true; more;) {
      for (unsigned d = 0; d < dst.rank(); ++d)
        index[d] = dst.start(d, (*block)[d]) + local[d];
      if (auto element = dst.localElement(node, index))
        if (auto source = sourceOf(move, index, node, symbol))
          visit({source->node, node, source->element, *element});
      more = false;
      for (unsigned d = dst.rank(); d-- > 0 && !more;) {
        more = ++local[d] < dst.dims[d].window;
        if (!more)
          local[d] = 0;
      }
    }
  }
}

int64_t dojo::countRemoteBytes(const Move &move, const Coords &grid, int64_t symbol) {
  int64_t elements = 0;
  enumerateMove(move, grid, symbol,
                [&](const ElementMove &e) { elements += e.srcNode != e.dstNode; });
  return elements * move.elementBytes;
}
