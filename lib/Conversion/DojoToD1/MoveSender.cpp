//===- MoveSender.cpp - the sender's side of a move -----------------------===//
#include "MoveParts.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/ISA/Abi.h"
#include "dojo/ISA/Address.h"
#include "dojo/ISA/ISA.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace dojo;

/// Skips nodes that send nothing and takes what is the same for all receivers.
static Piece beginPieces(MoveGeometry &g, MoveTransfer &transfer, Int srcBase, Int dstBase) {
  const Move &move = g.move;
  g.requireUsed(move.src);
  Piece piece{srcBase, dstBase};
  for (auto [d, term] : llvm::enumerate(move.map)) {
    if (term.dstDim < 0)
      requireInside(g, g.shift(d), g.owned(d, g.ownBlock(move.src, d)));
    Int local = g.sub(g.shift(d), g.ownStart(move.src, d));
    piece.src = g.add(piece.src, g.mul(local, transfer.ownStride(d)));
  }
  for (unsigned e = 0; e < move.dst.rank(); ++e)
    if (!g.census[e].everySenderSends)
      requireNonEmpty(g, g.wanted(e));
  transfer.writeConstants();
  for (unsigned e = 0; e < move.dst.rank(); ++e)
    if (move.dst.blocks(e) == 1)
      narrow(g, transfer, piece, e, g.wanted(e), move.dst.dims[e].offset);
  return piece;
}

/// Where intervals that are needed within loops wait, behind the descriptor: kept in registers
/// they would be too many.
class Notes {
public:
  Notes(MoveGeometry &g, Int scratch) : g(g), scratch(scratch), kept(g.move.dst.rank()) {}

  void keepWanted(unsigned e) {
    if (g.wantedIsConstant(e) || at(e) + 8 > int64_t(isa::moveScratchBytes))
      return;
    Interval range = g.wanted(e);
    g.storeWord(range.lo, scratch, at(e));
    g.storeWord(range.hi, scratch, at(e) + 4);
    kept.set(e);
  }
  Int wantedFrom(unsigned e) { return kept.test(e) ? g.loadWord(scratch, at(e)) : g.wanted(e).lo; }
  Int wantedTo(unsigned e) {
    return kept.test(e) ? g.loadWord(scratch, at(e) + 4) : g.wanted(e).hi;
  }

private:
  static int64_t at(unsigned e) { return isa::descriptorBytes + 8 * e; }

  MoveGeometry &g;
  Int scratch;
  llvm::SmallBitVector kept;
};

namespace {

/// Coordinates of receivers that all have the same data: the values of a digit that repeats
/// the destination, or of a whole axis.
struct Repeat {
  unsigned axis;
  int64_t inner, count;
};

class Sender {
public:
  Sender(MoveGeometry &g, Int scratch)
      : g(g), src(g.move.src), dst(g.move.dst), transfer(g, scratch), notes(g, scratch) {}

  void emit(Int source, Int destination, Int ready);

private:
  bool isFixed(const DigitPlace &place) const;
  bool isFixed(unsigned e) const;
  bool isEven(unsigned e) const { return g.census[e].count && g.census[e].begin; }
  bool isShared(const DigitPlace &place) const;
  bool sharesReceivers() const;

  Int placeCommon();
  void narrowFixed(unsigned e, Piece &piece, Int &node);
  Interval blocksMet(unsigned e);
  void loopOverBlocks(unsigned e, Int &node, llvm::SmallVector<ScalarBuilder::Growing> growing);
  void loopOverPieces(unsigned e, Piece &piece, Int &node);
  void loopOverRepeat(const Repeat &repeat, llvm::ArrayRef<Int *> addresses);
  void requireServed(Int node);

  MoveGeometry &g;
  const Layout &src, &dst;
  MoveTransfer transfer;
  Notes notes;
  llvm::SmallVector<unsigned> dims; ///< of the destination, whose blocks are looped over
  llvm::SmallVector<Repeat> repeats;
};

} // namespace

/// Whether this node's coordinate fixes a digit of its receivers.
bool Sender::isFixed(const DigitPlace &place) const {
  return repeatsAxis(src, place.axis) ||
         llvm::any_of(digitsOf(src, Layout::Digit::none), [&](const DigitPlace &p) {
           return p.axis == place.axis && p.inner == place.inner && p.count == place.count;
         });
}

/// Whether it fixes the block of destination dimension e.
bool Sender::isFixed(unsigned e) const {
  return llvm::all_of(digitsOf(dst, e), [&](const DigitPlace &p) { return isFixed(p); });
}

/// Whether a digit that repeats the source leaves some receivers to its other values.
bool Sender::isShared(const DigitPlace &place) const {
  return g.grid[place.axis] > 1 && llvm::none_of(digitsOf(dst), [&](const DigitPlace &p) {
           return p.axis == place.axis && p.inner == place.inner && p.count == place.count;
         });
}

bool Sender::sharesReceivers() const {
  return llvm::any_of(digitsOf(src, Layout::Digit::none),
                      [&](const DigitPlace &place) { return isShared(place); });
}

/// Finds what receivers are looped over; returns what their addresses have in common.
Int Sender::placeCommon() {
  Int node = 0;
  for (unsigned axis = 0; axis < numAxes; ++axis) {
    int64_t used = dst.used(static_cast<Axis>(axis), g.grid[axis]);
    if (repeatsAxis(src, axis) && used < g.grid[axis])
      g.requireLess(g.coord(axis), used);
    if (!repeatsAxis(dst, axis))
      continue;
    if (repeatsAxis(src, axis))
      node = g.add(node, g.inAddress(axis, g.coord(axis)));
    else
      repeats.push_back({axis, 1, g.grid[axis]});
  }
  for (const DigitPlace &place : digitsOf(dst, Layout::Digit::none))
    if (isFixed(place))
      node = g.add(node, g.inAddress(place.axis, g.ownDigit(place), place.inner));
    else
      repeats.push_back({place.axis, place.inner, place.count});
  llvm::stable_sort(repeats, [](const Repeat &a, const Repeat &c) { return a.count < c.count; });
  for (unsigned e = 0; e < dst.rank(); ++e)
    if (dst.blocks(e) > 1 && !isFixed(e))
      dims.push_back(e);
  llvm::stable_sort(dims, [&](unsigned a, unsigned c) { return isEven(a) < isEven(c); });
  return node;
}

/// The block of dimension e need not meet what this node owns.
void Sender::narrowFixed(unsigned e, Piece &piece, Int &node) {
  Int block = 0;
  for (const DigitPlace &place : digitsOf(dst, e)) {
    Int value = g.ownDigit(place);
    block = g.add(g.mul(block, place.count), value);
    node = g.add(node, g.inAddress(place.axis, value, place.inner));
  }
  Int start = g.start(dst, e, block);
  Interval hit = g.intersect(g.wanted(e), {start, g.add(start, dst.dims[e].window)});
  requireNonEmpty(g, hit);
  narrow(g, transfer, piece, e, hit, start);
}

Interval Sender::blocksMet(unsigned e) {
  return g.blocksMeeting(e, {notes.wantedFrom(e), notes.wantedTo(e)});
}

/// Loops over the blocks of destination dimension e that this node sends to. One digit makes
/// the address grow; several come by division, as a loop for each would take too many registers.
void Sender::loopOverBlocks(unsigned e, Int &node,
                            llvm::SmallVector<ScalarBuilder::Growing> growing) {
  llvm::SmallVector<DigitPlace> places = digitsOf(dst, e);
  Interval blocks = blocksMet(e);
  bool addressGrows = places.size() == 1;
  if (addressGrows)
    growing.push_back({&node, places[0].inner << isa::coordShift[places[0].axis]});
  Int block = g.loop(blocks.lo, blocks.hi, growing);
  if (addressGrows)
    return;
  int64_t radix = dst.blocks(e);
  for (const DigitPlace &place : places) {
    radix /= place.count;
    if (isFixed(place))
      g.requireEqual(g.digit({place.axis, e, radix, place.count}, block, dst.blocks(e)),
                     g.ownDigit(place));
  }
  node = g.add(node, g.blockInAddress(dst, e, block));
}

/// Loops over the pieces for the blocks of destination dimension e.
void Sender::loopOverPieces(unsigned e, Piece &piece, Int &node) {
  const Layout::Dim &dim = dst.dims[e];
  const Census &census = g.census[e];
  int64_t srcStride = transfer.srcStride(e);
  if (isEven(e)) {
    piece.src = g.add(piece.src, (dim.offset + *census.begin) * srcStride);
    piece.dst = g.add(piece.dst, *census.begin * transfer.dstStride(e));
    return loopOverBlocks(e, node, {{&piece.src, dim.step * srcStride}});
  }
  Int start = dim.offset;
  loopOverBlocks(e, node, {{&start, dim.step}});
  Int lo = census.begin ? g.add(start, *census.begin) : g.max(notes.wantedFrom(e), start);
  Int hi = census.count ? Int(0) : g.min(notes.wantedTo(e), g.add(start, dim.window));
  narrow(g, transfer, piece, e, {lo, hi}, start);
}

void Sender::loopOverRepeat(const Repeat &repeat, llvm::ArrayRef<Int *> addresses) {
  llvm::SmallVector<ScalarBuilder::Growing> growing;
  for (Int *address : addresses)
    growing.push_back({address, repeat.inner << isa::coordShift[repeat.axis]});
  g.loop(0, repeat.count, growing);
}

/// Skips receivers that another replica of the source serves.
void Sender::requireServed(Int node) {
  for (const DigitPlace &place : digitsOf(src, Layout::Digit::none)) {
    if (!isShared(place))
      continue;
    Int at = g.low(g.shr(node, isa::coordShift[place.axis]), isa::coordBits[place.axis]);
    g.requireEqual(g.digit(place, at, g.grid[place.axis]), g.ownDigit(place));
  }
}

/// Receivers of the same data come last, so that between them only addresses change.
void Sender::emit(Int source, Int destination, Int ready) {
  Piece piece = beginPieces(g, transfer, source, destination);
  Int node = placeCommon();
  for (unsigned e = 0; e < dst.rank(); ++e)
    if (dst.blocks(e) > 1 && isFixed(e))
      narrowFixed(e, piece, node);
  for (unsigned e : dims)
    notes.keepWanted(e);
  for (unsigned e : dims)
    loopOverPieces(e, piece, node);
  for (const Repeat &repeat : llvm::ArrayRef(repeats).drop_back(repeats.empty() ? 0 : 1))
    loopOverRepeat(repeat, &node);
  Int to = g.add(piece.dst, node), signal = g.add(node, g.add(ready, int64_t(isa::semaphoreSpace)));
  llvm::SmallVector<Int *> addresses = {&to, &signal};
  if (sharesReceivers())
    addresses.push_back(&node);
  if (!repeats.empty())
    loopOverRepeat(repeats.back(), addresses);
  requireServed(node);
  transfer.push(piece.src, to);
  d1::SIGNAL::create(g.b, g.loc, g.get(signal));
}

void dojo::emitSend(MoveGeometry &g, ValueRange args) {
  Sender(g, args[2]).emit(args[0], args[1], args[3]);
}

void dojo::emitStore(MoveGeometry &g, Int src, Int dram, Int descriptor) {
  for (unsigned axis = 0; axis < numAxes; ++axis)
    if (repeatsAxis(g.move.src, axis))
      g.requireEqual(g.coord(axis), 0);
  for (const DigitPlace &place : digitsOf(g.move.src, Layout::Digit::none))
    g.requireEqual(g.ownDigit(place), 0);
  MoveTransfer transfer(g, descriptor);
  Piece piece = beginPieces(g, transfer, src, dram);
  transfer.push(piece.src, piece.dst);
}
