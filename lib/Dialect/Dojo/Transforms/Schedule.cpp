//===- Schedule.cpp - loads that arrive while nodes compute ---------------===//
#include "dojo/Dialect/Dojo/Transforms/Liveness.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace dojo::ir {
#define GEN_PASS_DEF_SCHEDULE
#include "dojo/Dialect/Dojo/Transforms/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

namespace {

/// A repeat whose steps begin with loads from DRAM, as a pipeline of two stages.
class Pipeline {
public:
  explicit Pipeline(RepeatOp repeat) : repeat(repeat) {}

  /// Sorts the body into loads and the rest; false if nothing can be loaded early.
  bool analyse();
  void rewrite();

private:
  bool canLoadEarly(MoveOp move, AllocOp memory);
  void makeSlots();
  Value stepNumber(OpBuilder &builder, Value iteration, int64_t number);
  void emit(OpBuilder &builder, ArrayRef<Operation *> ops, Value step, unsigned slot);

  RepeatOp repeat;
  SmallVector<Operation *> loads, rest; ///< in order; `loads` with the fills before them
  SmallVector<AllocOp> memories;        ///< that the loads fill
  std::array<SmallVector<Value>, 2> slots;
};

} // namespace

static bool touches(Operation *op, AllocOp memory) {
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    return isa<BufferType>(operand.getType()) && memoryOf(operand) == memory;
  });
}

/// Nothing but fills touches the memory before the load, and no step stores what is
/// loaded.
bool Pipeline::canLoadEarly(MoveOp move, AllocOp memory) {
  for (Operation *op = move->getPrevNode(); op; op = op->getPrevNode())
    if (touches(op, memory) && !(isa<LaunchOp>(op) && op->getNumOperands() == 1))
      return false;
  WalkResult stores = repeat.walk([&](MoveOp other) {
    bool clashes =
        other.writesDram() && dramNameOf(other.getDest()) == dramNameOf(move.getSource());
    return clashes ? WalkResult::interrupt() : WalkResult::advance();
  });
  return !stores.wasInterrupted();
}

bool Pipeline::analyse() {
  Block &body = repeat.getBody().front();
  for (auto move : body.getOps<MoveOp>()) {
    auto memory = dyn_cast_or_null<AllocOp>(memoryOf(move.getDest()));
    if (move.readsDram() && memory && memory->getBlock() == &body && canLoadEarly(move, memory))
      memories.push_back(memory);
  }
  llvm::SmallPtrSet<Operation *, 4> loaded;
  for (Operation &op : body.without_terminator()) {
    if (llvm::is_contained(memories, dyn_cast<AllocOp>(op)))
      continue;
    auto *memory = llvm::find_if(memories, [&](AllocOp m) { return touches(&op, m); });
    bool early = memory != memories.end() && !loaded.contains(*memory);
    (early ? loads : rest).push_back(&op);
    if (early && isa<MoveOp>(op))
      loaded.insert(*memory);
  }
  return !memories.empty();
}

void Pipeline::makeSlots() {
  OpBuilder builder(repeat);
  for (AllocOp memory : memories)
    for (SmallVector<Value> &slot : slots)
      slot.push_back(builder.clone(*memory)->getResult(0));
}

/// The number of a step: 2 * iteration + number, or number before and after the loop.
Value Pipeline::stepNumber(OpBuilder &builder, Value iteration, int64_t number) {
  if (!iteration)
    return arith::ConstantIndexOp::create(builder, repeat.getLoc(), number);
  AffineExpr expr = builder.getAffineDimExpr(0) * 2 + number;
  return affine::AffineApplyOp::create(builder, repeat.getLoc(), AffineMap::get(1, 0, expr),
                                       ValueRange{iteration});
}

void Pipeline::emit(OpBuilder &builder, ArrayRef<Operation *> ops, Value step, unsigned slot) {
  IRMapping known;
  known.map(repeat.getBody().getArgument(0), step);
  for (auto [memory, value] : llvm::zip(memories, slots[slot]))
    known.map(memory.getResult(), value);
  for (Operation *op : ops) {
    // What both stages name stands in both.
    for (Value operand : op->getOperands())
      if (Operation *name = operand.getDefiningOp();
          name && name->getParentRegion() == &repeat.getBody() && !known.contains(operand))
        builder.clone(*name, known);
    if (op->getNumResults() == 0 || !known.contains(op->getResult(0)))
      builder.clone(*op, known);
  }
}

// With the loads L and the rest R of n steps, slots in brackets:
//     L(0)[0]
//     repeat (n - 1) / 2 as i { L(2i+1)[1]; R(2i)[0]; drain; L(2i+2)[0]; R(2i+1)[1] }
// and then what is left, one step or two. The drain waits for the load before it, so
// that none later in the program waits for the load after it.
void Pipeline::rewrite() {
  makeSlots();
  OpBuilder builder(repeat);
  Location loc = repeat.getLoc();
  int64_t count = repeat.getCount(), pairs = (count - 1) / 2;
  auto load = [&](OpBuilder &b, Value iteration, int64_t number) {
    DrainOp::create(b, loc);
    emit(b, loads, stepNumber(b, iteration, number), number % 2);
  };
  auto run = [&](OpBuilder &b, Value iteration, int64_t number) {
    emit(b, rest, stepNumber(b, iteration, number), number % 2);
  };
  load(builder, {}, 0);
  if (pairs > 0) {
    auto loop = RepeatOp::create(builder, loc, TypeRange{}, pairs, ValueRange{});
    OpBuilder inside = OpBuilder::atBlockBegin(&loop.getBody().emplaceBlock());
    Value iteration = inside.getBlock()->addArgument(builder.getIndexType(), loc);
    for (int64_t number : {0, 1}) {
      load(inside, iteration, number + 1);
      run(inside, iteration, number);
    }
    YieldOp::create(inside, loc, ValueRange{});
  }
  for (int64_t number = 2 * pairs; number < count; ++number) {
    if (number + 1 < count)
      load(builder, {}, number + 1);
    run(builder, {}, number);
  }
  repeat.erase();
}

namespace {

struct SchedulePass : ir::impl::ScheduleBase<SchedulePass> {
  void runOnOperation() override {
    SmallVector<RepeatOp> repeats;
    getOperation().walk([&](RepeatOp repeat) {
      if (repeat.getSlots() == 2 && repeat.getCount() > 1)
        repeats.push_back(repeat);
    });
    for (RepeatOp repeat : repeats) {
      Pipeline pipeline(repeat);
      if (pipeline.analyse())
        pipeline.rewrite();
    }
  }
};

} // namespace
