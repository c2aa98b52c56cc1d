//===- CountTraffic.cpp - bytes moved, beside their bounds ----------------===//
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "llvm/ADT/BitVector.h"

namespace dojo::ir {
#define GEN_PASS_DEF_COUNTTRAFFIC
#include "dojo/Dialect/Dojo/Transforms/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

/// How often an operation runs: the product of the repeats around it.
static int64_t timesRun(Operation *op) {
  int64_t times = 1;
  while ((op = op->getParentOp()))
    if (auto repeat = dyn_cast<RepeatOp>(op))
      times *= repeat.getCount();
  return times;
}

static int64_t tensorBytes(RankedTensorType type) {
  return type.getNumElements() * elementBytes(type.getElementType());
}

namespace {

struct CountTrafficPass : ir::impl::CountTrafficBase<CountTrafficPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = Target::of(module);
    if (failed(target))
      return signalPassFailure();
    int64_t noc = 0, dram = 0, bound = 0;
    llvm::BitVector computing(numNodes(target->grid));
    module.walk([&](MoveOp move) { count(move, target->grid, noc, dram); });
    module.walk([&](LaunchOp launch) { mark(launch, target->grid, computing); });
    // State is stored by one entry and loaded by another; nobody has to use scratch.
    for (auto tensor : module.getOps<DramOp>())
      if (tensor.getRole() != "scratch")
        bound += tensorBytes(cast<RankedTensorType>(tensor.getType())) *
                 (tensor.getRole() == "state" ? 2 : 1);
    Builder builder(&getContext());
    auto set = [&](StringRef name, int64_t value) {
      module->setAttr(name, builder.getI64IntegerAttr(value));
    };
    set(nocBytesAttrName, noc);
    set(dramBytesAttrName, dram);
    set(dramBoundAttrName, bound);
    set(nodesUsedAttrName, computing.count());
  }

private:
  static void count(MoveOp op, const Coords &grid, int64_t &noc, int64_t &dram) {
    Move move = op.getMove();
    int64_t times = timesRun(op);
    if (!op.getSymbol())
      return countOnce(op, move, grid, 0, times, noc, dram);
    StepNumber number = stepNumberOf(op.getSymbol());
    int64_t steps = number.repeat ? number.repeat.getCount() : 1;
    for (int64_t s = 0; s < steps; ++s)
      countOnce(op, move, grid, number.at(s), times / steps, noc, dram);
  }

  static void countOnce(MoveOp op, const Move &move, const Coords &grid, int64_t symbol,
                        int64_t times, int64_t &noc, int64_t &dram) {
    if (op.readsDram())
      dram += times * countReceivedBytes(move, grid, symbol);
    else if (op.writesDram()) // each element is stored once
      dram += times * countReceivedBytes(move, Coords{1, 1, 1, 1}, symbol);
    else
      noc += times * countRemoteBytes(move, grid, symbol);
  }

  static void mark(LaunchOp op, const Coords &grid, llvm::BitVector &computing) {
    Layout layout = layoutOf(op.getOuts().front().getType());
    for (int64_t n = 0; n < numNodes(grid); ++n)
      if (layout.blocksAt(nodeAt(grid, n)))
        computing.set(n);
  }
};

} // namespace
