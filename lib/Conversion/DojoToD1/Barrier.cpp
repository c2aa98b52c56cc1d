//===- Barrier.cpp - every node waits for every other ---------------------===//
#include "dojo/Conversion/DojoToD1/Barrier.h"
#include "ScalarBuilder.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/ISA/Address.h"

using namespace mlir;
using namespace dojo;

namespace {

class BarrierBuilder : public ScalarBuilder {
public:
  BarrierBuilder(OpBuilder &b, Location loc, const Coords &grid, Int first)
      : ScalarBuilder(b, loc), grid(grid), first(first) {
    for (unsigned a = 0; a < numAxes; ++a)
      coords[a] = Value(d1::COORD::create(b, loc, int64_t(a)));
  }

  /// The nodes at coordinate 0 of all axes after `axis` gather along it.
  void gather(unsigned axis);

private:
  Int arrive(unsigned axis) { return add(first, axis); }
  Int release(unsigned axis) { return add(first, numAxes + axis); }
  void wait(Int semaphore, Int count) { d1::WAIT::create(b, loc, get(semaphore), get(count)); }
  /// Of the node at `at` on an axis, this node's neighbour on the others.
  void signal(unsigned axis, Int at, Int semaphore);
  /// What `body` builds runs where a < c.
  void whereLess(Int a, Int c, function_ref<void()> body) {
    OpBuilder::InsertionGuard guard(b);
    requireLess(a, c);
    body();
  }

  const Coords &grid;
  Int first;
  SmallVector<Int> coords = SmallVector<Int>(numAxes, Int(0));
};

} // namespace

void BarrierBuilder::signal(unsigned axis, Int at, Int semaphore) {
  Int address = add(semaphore, int64_t(isa::semaphoreSpace));
  for (unsigned a = 0; a < numAxes; ++a)
    if (grid[a] > 1)
      address = add(address, shl(a == axis ? at : coords[a], isa::coordShift[a]));
  d1::SIGNAL::create(b, loc, get(address));
}

void BarrierBuilder::gather(unsigned axis) {
  if (grid[axis] == 1)
    return axis ? gather(axis - 1) : void();
  whereLess(0, coords[axis], [&] {
    signal(axis, 0, arrive(axis));
    wait(release(axis), 1);
  });
  whereLess(coords[axis], 1, [&] {
    wait(arrive(axis), grid[axis] - 1);
    if (axis)
      gather(axis - 1);
    Int other = loop(1, grid[axis]);
    signal(axis, other, release(axis));
  });
}

func::FuncOp dojo::buildBarrierRoutine(OpBuilder &builder, Location loc, const Coords &grid) {
  auto routine = func::FuncOp::create(builder, loc, barrierName,
                                      builder.getFunctionType({builder.getI64Type()}, {}));
  routine->setAttr("d1.routine", builder.getUnitAttr());
  Block *body = routine.addEntryBlock();
  OpBuilder inside = OpBuilder::atBlockEnd(body);
  inside.setInsertionPoint(func::ReturnOp::create(inside, loc));
  BarrierBuilder(inside, loc, grid, body->getArgument(0)).gather(numAxes - 1);
  return routine;
}
