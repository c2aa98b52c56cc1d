//===- MoveRoutines.cpp - a move as code that all nodes share -------------===//
#include "dojo/Conversion/DojoToD1/MoveRoutines.h"
#include "MoveTransfer.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/ISA/Abi.h"
#include "dojo/ISA/Address.h"
#include "dojo/ISA/ISA.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace dojo;

namespace {

/// Where a piece begins on both sides, as far as it is known.
struct Piece {
  Int src, dst;
};

} // namespace

static void requireInside(MoveGeometry &g, Int i, Interval range) {
  g.requireLess(i, range.hi);
  g.requireLess(g.sub(range.lo, 1), i);
}

static void requireNonEmpty(MoveGeometry &g, Interval range) { g.requireLess(range.lo, range.hi); }

/// Cuts a piece to `range` of dimension e, whose block begins at `start`.
static void narrow(MoveGeometry &g, MoveTransfer &transfer, Piece &piece, unsigned e,
                   Interval range, Int start) {
  transfer.writeCount(e, g.sub(range.hi, range.lo));
  piece.src = g.add(piece.src, g.mul(range.lo, transfer.srcStride(e)));
  piece.dst = g.add(piece.dst, g.mul(g.sub(range.lo, start), transfer.dstStride(e)));
}

//===----------------------------------------------------------------------===//
// The receiver's side: receive, pull
//===----------------------------------------------------------------------===//

/// Skips nodes that nothing is sent to.
static void requireReceiver(MoveGeometry &g) {
  g.requireUsed(g.move.dst);
  for (auto [d, term] : llvm::enumerate(g.move.map))
    if (term.dstDim < 0)
      requireInside(g, g.shift(d), {0, g.move.src.dims[d].size});
  for (unsigned e = 0; e < g.move.dst.rank(); ++e)
    if (!g.census[e].everyReceiverReceives)
      requireNonEmpty(g, g.held(e));
}

/// Loops over the blocks of source dimension d that this node receives from.
static Int loopOverSourceBlocks(MoveGeometry &g, unsigned d) {
  const Move::Term &term = g.move.map[d];
  const Layout::Dim &dim = g.move.src.dims[d];
  if (term.dstDim < 0)
    return g.min(g.div(g.shift(d), dim.step), g.move.src.blocks(d) - 1);
  Interval blocks = g.sourceBlocks(term.dstDim, g.held(term.dstDim));
  Int block = g.loop(blocks.lo, blocks.hi);
  if (term.coefficient > dim.step)
    requireNonEmpty(g,
                    g.intersect(g.held(term.dstDim), g.wantedFrom(term.dstDim, g.owned(d, block))));
  return block;
}

/// Loops over the senders of this node; returns `address` plus their place.
static Int loopOverSenders(MoveGeometry &g, Int address) {
  const Layout &src = g.move.src;
  requireReceiver(g);
  for (unsigned axis = 0; axis < numAxes; ++axis)
    if (repeatsAxis(src, axis))
      address = g.add(address, g.inAddress(axis, g.coord(axis)));
  for (const DigitPlace &place : digitsOf(src))
    if (place.dim == Layout::Digit::none) {
      Int value = g.digit(place, g.coord(place.axis), g.grid[place.axis]);
      address = g.add(address, g.inAddress(place.axis, value, place.inner));
    }
  for (unsigned d = 0; d < src.rank(); ++d)
    if (src.blocks(d) > 1)
      address = g.add(address, g.blockInAddress(src, d, loopOverSourceBlocks(g, d)));
  return address;
}

static void emitReceive(MoveGeometry &g, Int ready) {
  loopOverSenders(g, 0);
  d1::WAIT::create(g.b, g.loc, g.get(ready), g.get(1));
}

static void emitPull(MoveGeometry &g, Int dram, Int dst, Int descriptor) {
  MoveTransfer transfer(g, descriptor);
  requireReceiver(g);
  transfer.writeConstants();
  Piece piece{dram, dst};
  for (unsigned d = 0; d < g.move.src.rank(); ++d)
    piece.src = g.add(piece.src, g.mul(g.shift(d), transfer.ownStride(d)));
  for (unsigned e = 0; e < g.move.dst.rank(); ++e)
    narrow(g, transfer, piece, e, g.held(e), g.ownStart(g.move.dst, e));
  transfer.pull(piece.src, piece.dst);
}

//===----------------------------------------------------------------------===//
// The sender's side: send, store
//===----------------------------------------------------------------------===//

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

/// Where the semaphore and the intervals of dimensions that are looped over wait,
/// behind the descriptor: kept in registers they would be too many.
class Notes {
public:
  Notes(MoveGeometry &g, Int scratch) : g(g), scratch(scratch) {}

  void keepWanted(unsigned e) {
    if (!keeps(e))
      return;
    Interval range = g.wanted(e);
    g.storeWord(range.lo, scratch, at(e));
    g.storeWord(range.hi, scratch, at(e) + 4);
  }
  Interval wanted(unsigned e) {
    if (!keeps(e))
      return g.wanted(e);
    return {g.loadWord(scratch, at(e)), g.loadWord(scratch, at(e) + 4)};
  }

  void keepReady(Int semaphore) { g.storeWord(semaphore, scratch, readyWord); }
  Int ready() { return g.loadWord(scratch, readyWord); }

private:
  static constexpr int64_t readyWord = isa::moveScratchBytes - 4;
  static int64_t at(unsigned e) { return isa::descriptorBytes + 8 * e; }
  bool keeps(unsigned e) const { return !g.wantedIsConstant(e) && at(e) + 8 <= readyWord; }

  MoveGeometry &g;
  Int scratch;
};

/// Whether this node's coordinate fixes a digit of its receivers.
static bool isFixed(const Layout &src, const DigitPlace &place) {
  return repeatsAxis(src, place.axis) || llvm::any_of(digitsOf(src), [&](const DigitPlace &p) {
           return p.dim == Layout::Digit::none && p.axis == place.axis && p.inner == place.inner &&
                  p.count == place.count;
         });
}

static Int ownDigit(MoveGeometry &g, const DigitPlace &place) {
  return g.digit(place, g.coord(place.axis), g.grid[place.axis]);
}

/// Loops over the coordinates of receivers on axes (and digits) that repeat the
/// destination; returns `address` plus them.
static Int loopOverRepeats(MoveGeometry &g, Int address) {
  const Layout &src = g.move.src, &dst = g.move.dst;
  for (unsigned axis = 0; axis < numAxes; ++axis) {
    int64_t used = dst.used(static_cast<Axis>(axis), g.grid[axis]);
    bool whole = repeatsAxis(dst, axis);
    if (repeatsAxis(src, axis) && used < g.grid[axis])
      g.requireLess(g.coord(axis), used);
    if (whole) {
      Int at = repeatsAxis(src, axis) ? g.coord(axis) : g.loop(0, g.grid[axis]);
      address = g.add(address, g.inAddress(axis, at));
    }
  }
  for (const DigitPlace &place : digitsOf(dst))
    if (place.dim == Layout::Digit::none) {
      Int value = isFixed(src, place) ? ownDigit(g, place) : g.loop(0, place.count);
      address = g.add(address, g.inAddress(place.axis, value, place.inner));
    }
  return address;
}

static llvm::SmallVector<DigitPlace> digitsOfDim(const Layout &layout, unsigned dim) {
  llvm::SmallVector<DigitPlace> places = digitsOf(layout);
  llvm::erase_if(places, [&](const DigitPlace &place) { return place.dim != dim; });
  return places;
}

/// The block of destination dimension e of all receivers, when this node's
/// coordinates fix it; it need not meet what this node owns.
static std::optional<Int> fixedBlock(MoveGeometry &g, unsigned e) {
  llvm::SmallVector<DigitPlace> places = digitsOfDim(g.move.dst, e);
  if (!llvm::all_of(places, [&](const DigitPlace &p) { return isFixed(g.move.src, p); }))
    return std::nullopt;
  Int block = 0;
  for (const DigitPlace &place : places)
    block = g.add(g.mul(block, place.count), ownDigit(g, place));
  return block;
}

/// Loops over the blocks of destination dimension e that this node sends to.
static Int loopOverDestinationBlocks(MoveGeometry &g, unsigned e, Interval wanted) {
  Interval blocks = g.blocksMeeting(e, wanted);
  Int block = g.loop(blocks.lo, blocks.hi);
  int64_t radix = g.move.dst.blocks(e);
  for (const DigitPlace &place : digitsOfDim(g.move.dst, e)) {
    radix /= place.count;
    if (isFixed(g.move.src, place))
      g.requireEqual(g.digit({place.axis, e, radix, place.count}, block, g.move.dst.blocks(e)),
                     ownDigit(g, place));
  }
  return block;
}

/// Skips receivers that another replica of the source serves.
static void requireServed(MoveGeometry &g, Int receiver) {
  for (const DigitPlace &place : digitsOf(g.move.src)) {
    if (place.dim != Layout::Digit::none)
      continue;
    unsigned axis = place.axis;
    bool matched = llvm::any_of(digitsOf(g.move.dst), [&](const DigitPlace &p) {
      return p.axis == axis && p.inner == place.inner && p.count == place.count;
    });
    if (matched || g.grid[axis] == 1)
      continue;
    Int at = g.low(g.shr(receiver, isa::coordShift[axis]), isa::coordBits[axis]);
    g.requireEqual(g.digit(place, at, g.grid[axis]), ownDigit(g, place));
  }
}

/// Loops over the receivers of this node; returns where the piece for each begins.
static Piece loopOverReceivers(MoveGeometry &g, Notes &notes, MoveTransfer &transfer, Piece piece) {
  const Layout &dst = g.move.dst;
  piece.dst = loopOverRepeats(g, piece.dst);
  for (unsigned e = 0; e < dst.rank(); ++e) {
    if (dst.blocks(e) == 1)
      continue;
    std::optional<Int> fixed = fixedBlock(g, e);
    Int block = fixed ? *fixed : loopOverDestinationBlocks(g, e, notes.wanted(e));
    Int start = g.start(dst, e, block);
    Interval hit = g.intersect(notes.wanted(e), {start, g.add(start, dst.dims[e].window)});
    if (fixed)
      requireNonEmpty(g, hit);
    piece.dst = g.add(piece.dst, g.blockInAddress(dst, e, block));
    narrow(g, transfer, piece, e, hit, start);
  }
  requireServed(g, piece.dst);
  return piece;
}

/// The semaphore `number` of the node of an SRAM address.
static Int semaphoreAt(MoveGeometry &g, Int address, Int number) {
  Int node = g.shr(address, isa::offsetBits);
  Int space = int64_t(isa::semaphoreSpace >> isa::offsetBits);
  return g.add(g.shl(g.add(node, space), isa::offsetBits), number);
}

static void emitSend(MoveGeometry &g, ValueRange args) {
  Int src = args[0], dst = args[1], scratch = args[2];
  MoveTransfer transfer(g, scratch);
  Notes notes(g, scratch);
  Piece piece = beginPieces(g, transfer, src, dst);
  notes.keepReady(args[3]);
  for (unsigned e = 0; e < g.move.dst.rank(); ++e)
    if (g.move.dst.blocks(e) > 1)
      notes.keepWanted(e);
  piece = loopOverReceivers(g, notes, transfer, piece);
  transfer.push(piece.src, piece.dst);
  d1::SIGNAL::create(g.b, g.loc, g.get(semaphoreAt(g, piece.dst, notes.ready())));
}

static void emitStore(MoveGeometry &g, Int src, Int dram, Int descriptor) {
  for (unsigned axis = 0; axis < numAxes; ++axis)
    if (repeatsAxis(g.move.src, axis))
      g.requireEqual(g.coord(axis), 0);
  for (const DigitPlace &place : digitsOf(g.move.src))
    if (place.dim == Layout::Digit::none)
      g.requireEqual(ownDigit(g, place), 0);
  MoveTransfer transfer(g, descriptor);
  Piece piece = beginPieces(g, transfer, src, dram);
  transfer.push(piece.src, piece.dst);
}

//===----------------------------------------------------------------------===//
// Routines
//===----------------------------------------------------------------------===//

static Layout denseOf(const Layout &layout) {
  llvm::SmallVector<int64_t> shape;
  for (const Layout::Dim &dim : layout.dims)
    shape.push_back(dim.size);
  return Layout::replicated(shape);
}

static unsigned numArguments(MovePart part) {
  switch (part) {
  case MovePart::receive:
    return 1;
  case MovePart::send:
    return 4;
  case MovePart::pull:
  case MovePart::store:
    return 3;
  }
  llvm_unreachable("a move has no other part");
}

static void emit(MoveGeometry &g, MovePart part, ValueRange args) {
  switch (part) {
  case MovePart::receive:
    return emitReceive(g, args[0]);
  case MovePart::send:
    return emitSend(g, args);
  case MovePart::pull:
    return emitPull(g, args[0], args[1], args[2]);
  case MovePart::store:
    return emitStore(g, args[0], args[1], args[2]);
  }
}

func::FuncOp dojo::buildMoveRoutine(OpBuilder &builder, Location loc, llvm::StringRef name,
                                    MovePart part, const Move &move, const Coords &grid) {
  Move dense = move;
  if (part == MovePart::pull)
    dense.src = denseOf(move.src);
  if (part == MovePart::store)
    dense.dst = denseOf(move.dst);
  unsigned numArgs = numArguments(part);
  llvm::SmallVector<Type> types(numArgs + move.usesSymbol(), builder.getI64Type());
  auto routine = func::FuncOp::create(builder, loc, name, builder.getFunctionType(types, {}));
  routine->setAttr("d1.routine", builder.getUnitAttr());
  Block *body = routine.addEntryBlock();

  OpBuilder inside = OpBuilder::atBlockEnd(body);
  inside.setInsertionPoint(func::ReturnOp::create(inside, loc));
  Int symbol = move.usesSymbol() ? Int(body->getArgument(numArgs)) : Int(0);
  MoveGeometry geometry(inside, loc, dense, grid, symbol);
  emit(geometry, part, body->getArguments().take_front(numArgs));
  return routine;
}
