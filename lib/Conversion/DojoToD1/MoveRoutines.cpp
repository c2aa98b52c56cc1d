//===- MoveRoutines.cpp - a move as code that all nodes share -------------===//
#include "dojo/Conversion/DojoToD1/MoveRoutines.h"
#include "MoveParts.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace dojo;

void dojo::requireInside(MoveGeometry &g, Int i, Interval range) {
  g.requireLess(i, range.hi);
  g.requireLess(g.sub(range.lo, 1), i);
}

void dojo::requireNonEmpty(MoveGeometry &g, Interval range) { g.requireLess(range.lo, range.hi); }

void dojo::narrow(MoveGeometry &g, MoveTransfer &transfer, Piece &piece, unsigned e, Interval range,
                  Int start) {
  transfer.writeCount(e, g.sub(range.hi, range.lo));
  piece.src = g.add(piece.src, g.mul(range.lo, transfer.srcStride(e)));
  piece.dst = g.add(piece.dst, g.mul(g.sub(range.lo, start), transfer.dstStride(e)));
}

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
