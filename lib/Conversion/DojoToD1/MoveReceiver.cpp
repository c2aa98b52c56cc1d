//===- MoveReceiver.cpp - the receiver's side of a move -------------------===//
#include "MoveParts.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace dojo;

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

/// Whether blocks of source dimension d may lie between those of senders and hold nothing
/// that is wanted.
static bool isSparse(const MoveGeometry &g, unsigned d) {
  return g.move.map[d].coefficient > g.move.src.dims[d].step;
}

/// The source dimensions in which a receiver meets several blocks.
static llvm::SmallVector<unsigned> sourceDimsMet(const MoveGeometry &g) {
  llvm::SmallVector<unsigned> dims;
  for (unsigned d = 0; d < g.move.src.rank(); ++d)
    if (g.move.src.blocks(d) > 1 && g.move.map[d].dstDim >= 0)
      dims.push_back(d);
  return dims;
}

/// One wait for all senders, as far as they need not be looked at one by one.
void dojo::emitReceive(MoveGeometry &g, Int ready) {
  requireReceiver(g);
  Int count = 1;
  for (unsigned d : sourceDimsMet(g)) {
    unsigned e = g.move.map[d].dstDim;
    Interval blocks = g.sourceBlocks(e, g.held(e));
    if (isSparse(g, d)) {
      Int block = g.loop(blocks.lo, blocks.hi);
      requireNonEmpty(g, g.intersect(g.held(e), g.wantedFrom(e, g.owned(d, block))));
    } else {
      count = g.mul(count, g.sub(blocks.hi, blocks.lo));
    }
  }
  d1::WAIT::create(g.b, g.loc, g.get(ready), g.get(count));
}

void dojo::emitPull(MoveGeometry &g, Int dram, Int dst, Int descriptor) {
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
