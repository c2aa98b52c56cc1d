//===- Move.cpp - the one movement of data --------------------------------===//
#include "dojo/Layout/Move.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/MathExtras.h"

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

bool Move::staysOnNodes() const {
  auto isSpreadAlike = [&](const Layout::Digit &from, const Layout::Digit &to) {
    if (from.count != to.count || from.repeats() || to.repeats())
      return from == to;
    const Layout::Dim &source = src.dims[from.dim], &dest = dst.dims[to.dim];
    return map[from.dim] == Term{int(to.dim), 1, 0, 0} && source.step == dest.step &&
           dest.offset == 0 && dest.window <= dest.step;
  };
  return llvm::all_of(llvm::zip(src.axes, dst.axes), [&](const auto &uses) {
    const auto &[from, to] = uses;
    if (from.digits.empty())
      return !from.pinned || to.pinned;
    return from.digits.size() == to.digits.size() &&
           llvm::all_of_zip(from.digits, to.digits, isSpreadAlike);
  });
}

bool Move::leavesGaps(int64_t steps) const {
  for (auto [d, dim] : llvm::enumerate(dst.dims)) {
    int64_t last = dst.start(d, dst.blocks(d) - 1) + dim.window;
    if (dim.extent > dim.window || dim.offset < 0 || last > dim.size)
      return true;
  }
  for (unsigned d = 0; d < map.size(); ++d)
    if (leaves(d, steps))
      return true;
  return false;
}

bool Move::leaves(unsigned d, int64_t steps) const {
  const Term &term = map[d];
  int64_t advance = term.symbolCoefficient * (steps - 1);
  int64_t first = term.constant + std::min<int64_t>(advance, 0);
  int64_t last = term.constant + std::max<int64_t>(advance, 0);
  if (term.dstDim >= 0)
    last += term.coefficient * (dst.dims[term.dstDim].size - 1);
  return first < 0 || last >= src.dims[d].size;
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
    if (!src.holdsAll() || (src.blocks(d) > 1 && dim.offset + dim.window < dim.step))
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

/// How many of the indices [begin, end) lie in [low, high) after * c + k, c >= 1.
static int64_t countMapped(int64_t begin, int64_t end, int64_t c, int64_t k, int64_t low,
                           int64_t high) {
  auto firstAtLeast = [&](int64_t bound) { return llvm::divideCeilSigned(bound - k, c); };
  int64_t from = std::max(begin, firstAtLeast(low)), to = std::min(end, firstAtLeast(high));
  return std::max<int64_t>(0, to - from);
}

namespace {

/// What a node receives of one move, in elements.
struct Received {
  int64_t all = 0;
  int64_t local = 0;    ///< of these, from itself
  int64_t distinct = 0; ///< different elements of the source
};

} // namespace

static Received countReceived(const Move &move, const Coords &node, int64_t symbol) {
  auto block = move.dst.blocksAt(node);
  if (!block)
    return {};
  auto own = move.src.blocksAt(node);
  int64_t distinct = 1, local = own ? 1 : 0, copies = 1;
  llvm::SmallBitVector mapped(move.dst.rank());
  auto held = [&](unsigned d) {
    const Layout::Dim &dim = move.dst.dims[d];
    int64_t start = move.dst.start(d, (*block)[d]);
    return std::pair(std::max<int64_t>(start, 0), std::min(start + dim.window, dim.size));
  };
  for (auto [d, term] : llvm::enumerate(move.map)) {
    const Layout::Dim &dim = move.src.dims[d];
    int64_t k = term.constant + term.symbolCoefficient * symbol;
    auto [begin, end] = term.dstDim < 0 ? std::pair<int64_t, int64_t>(0, 1) : held(term.dstDim);
    int64_t c = term.dstDim < 0 ? 1 : term.coefficient;
    distinct *= countMapped(begin, end, c, k, 0, dim.size);
    if (own) {
      int64_t low = (*own)[d] * dim.step;
      bool isLast = (*own)[d] == move.src.blocks(d) - 1;
      local *= countMapped(begin, end, c, k, low,
                           isLast ? dim.size : std::min(low + dim.step, dim.size));
    }
    if (term.dstDim >= 0)
      mapped.set(term.dstDim);
  }
  for (unsigned d = 0; d < move.dst.rank(); ++d) {
    if (mapped.test(d))
      continue;
    auto [begin, end] = held(d);
    copies *= std::max<int64_t>(0, end - begin);
  }
  return {distinct * copies, local * copies, copies ? distinct : 0};
}

int64_t dojo::countReceivedBytes(const Move &move, const Coords &grid, int64_t symbol) {
  int64_t elements = 0;
  for (int64_t n = 0; n < numNodes(grid); ++n)
    elements += countReceived(move, nodeAt(grid, n), symbol).all;
  return elements * move.elementBytes;
}

int64_t dojo::countRemoteBytes(const Move &move, const Coords &grid, int64_t symbol) {
  int64_t elements = 0;
  for (int64_t n = 0; n < numNodes(grid); ++n) {
    Received received = countReceived(move, nodeAt(grid, n), symbol);
    elements += received.all - received.local;
  }
  return elements * move.elementBytes;
}

/// Elements that all nodes hold together, each copy counted.
static int64_t heldElements(const Layout &layout, const Coords &grid) {
  int64_t sum = 0;
  for (int64_t n = 0; n < numNodes(grid); ++n) {
    auto block = layout.blocksAt(nodeAt(grid, n));
    int64_t held = block ? 1 : 0;
    for (unsigned d = 0; block && d < layout.rank(); ++d) {
      int64_t start = layout.start(d, (*block)[d]);
      held *= std::max<int64_t>(0, std::min(start + layout.dims[d].window, layout.dims[d].size) -
                                       std::max<int64_t>(start, 0));
    }
    sum += held;
  }
  return sum;
}

/// Copies, on all nodes, of the source elements that a move reads; at most so many where
/// blocks of the source overlap.
static int64_t copiesRead(const Move &move, const Coords &grid, int64_t symbol) {
  int64_t held = heldElements(move.src, grid), read = 1, all = 1;
  if (!move.src.isPartition())
    return held;
  for (auto [d, term] : llvm::enumerate(move.map)) {
    int64_t k = term.constant + term.symbolCoefficient * symbol;
    int64_t end = term.dstDim < 0 ? 1 : move.dst.dims[term.dstDim].size;
    int64_t c = term.dstDim < 0 ? 1 : term.coefficient;
    read *= countMapped(0, end, c, k, 0, move.src.dims[d].size);
    all *= move.src.dims[d].size;
  }
  return all ? read * (held / all) : 0;
}

int64_t dojo::boundRemoteBytes(const Move &move, const Coords &grid, int64_t symbol) {
  int64_t wanted = 0;
  for (int64_t n = 0; n < numNodes(grid); ++n)
    wanted += countReceived(move, nodeAt(grid, n), symbol).distinct;
  return std::max<int64_t>(0, wanted - copiesRead(move, grid, symbol)) * move.elementBytes;
}
