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
  void wait(Int semaphore) { d1::WAIT::create(b, loc, get(semaphore), get(1)); }
  void signal(unsigned axis, int64_t step, Int semaphore);
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

void BarrierBuilder::signal(unsigned axis, int64_t step, Int semaphore) {
  Int address = add(semaphore, int64_t(isa::semaphoreSpace));
  for (unsigned a = 0; a < numAxes; ++a)
    if (grid[a] > 1)
      address = add(address, shl(add(coords[a], a == axis ? step : 0), isa::coordShift[a]));
  d1::SIGNAL::create(b, loc, get(address));
}

void BarrierBuilder::gather(unsigned axis) {
  if (grid[axis] == 1)
    return axis ? gather(axis - 1) : void();
  Int at = coords[axis], last = grid[axis] - 1;
  whereLess(at, last, [&] { wait(arrive(axis)); });
  whereLess(0, at, [&] {
    signal(axis, -1, arrive(axis));
    wait(release(axis));
  });
  if (axis)
    whereLess(at, 1, [&] { gather(axis - 1); });
  whereLess(at, last, [&] { signal(axis, 1, release(axis)); });
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
