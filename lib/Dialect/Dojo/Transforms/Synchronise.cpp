//===- Synchronise.cpp - derive every wait and signal from byte ranges ----===//
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Dialect/Dojo/Transforms/Liveness.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dojo::ir {
#define GEN_PASS_DEF_SYNCHRONISE
#include "dojo/Dialect/Dojo/Transforms/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

namespace {

/// A run of bytes of every node's SRAM.
struct Bytes {
  int64_t begin, end;
  bool meets(const Bytes &other) const { return begin < other.end && other.begin < end; }
};

/// What one operation does to SRAM. `later` bytes are still in use when it returns.
struct Access {
  SmallVector<Bytes, 4> reads, writes, readsLater, writesLater;
};

/// Tensors in DRAM that nodes have read or written since all of them met.
struct DramAccess {
  llvm::SmallDenseSet<StringAttr> reads, writes;

  void add(MoveOp move) {
    if (move.readsDram())
      reads.insert(dramNameOf(move.getSource()));
    if (move.writesDram())
      writes.insert(dramNameOf(move.getDest()));
  }
  bool conflicts(MoveOp move) const {
    return (move.readsDram() && writes.contains(dramNameOf(move.getSource()))) ||
           (move.writesDram() && reads.contains(dramNameOf(move.getDest())));
  }
};

class Synchroniser {
public:
  /// `semaphores` are for moves, behind them stand those of barriers.
  explicit Synchroniser(int64_t semaphores) : limit(semaphores) {}

  LogicalResult run(func::FuncOp function);

private:
  LogicalResult insertBarriers(Block &block);
  void insertDramBarriers(Block &block, DramAccess &pending);
  void barrierBefore(Operation *op);
  LogicalResult splitMoves(Block &block);
  void split(MoveOp move);
  void insertDrains(Block &block);

  int64_t limit;
  int64_t next = 0;
};

} // namespace

/// Whether a move needs semaphores.
static bool isBetweenNodes(MoveOp move) { return !move.readsDram() && !move.writesDram(); }

static std::optional<Bytes> bytesOf(Value buffer) {
  Operation *memory = memoryOf(buffer);
  if (!memory)
    return std::nullopt;
  int64_t address = *addressOf(memory);
  return Bytes{address, address + localBytes(tensorOf(memory))};
}

static void add(SmallVectorImpl<Bytes> &list, ValueRange buffers) {
  for (Value buffer : buffers)
    if (auto bytes = bytesOf(buffer))
      list.push_back(*bytes);
}

static void collect(Operation *op, Access &access) {
  if (auto launch = dyn_cast<LaunchOp>(op)) {
    add(access.reads, launch.getIns());
    add(access.writes, launch.getOuts());
  } else if (auto grant = dyn_cast<GrantOp>(op)) {
    add(access.writes, grant.getDest());
  } else if (auto send = dyn_cast<SendOp>(op)) {
    add(access.readsLater, send.getSource());
  } else if (auto receive = dyn_cast<ReceiveOp>(op)) {
    add(access.writes, receive.getDest());
  } else if (auto move = dyn_cast<MoveOp>(op)) {
    add(access.readsLater, move.getSource());
    add(access.writesLater, move.getDest());
  } else if (auto repeat = dyn_cast<RepeatOp>(op)) {
    for (Operation &inner : repeat.getBody().front())
      collect(&inner, access);
  }
}

/// Whether an operation only names memory or a step.
static bool isName(Operation *op) {
  return isa<AllocOp, GetResidentOp, GetDramOp, ReshapeOp, affine::AffineApplyOp,
             arith::ConstantIndexOp>(op);
}

static bool meetAny(ArrayRef<Bytes> list, ArrayRef<Bytes> others) {
  return llvm::any_of(list, [&](const Bytes &a) {
    return llvm::any_of(others, [&](const Bytes &b) { return a.meets(b); });
  });
}

//===-- Barriers ----------------------------------------------------------===//

void Synchroniser::barrierBefore(Operation *op) {
  OpBuilder builder(op);
  BarrierOp::create(builder, op->getLoc(), limit);
}

/// The nodes that store a tensor are not those that load it.
void Synchroniser::insertDramBarriers(Block &block, DramAccess &pending) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (auto repeat = dyn_cast<RepeatOp>(op)) {
      // What a step does is pending in the next one too.
      DramAccess inside;
      repeat.walk([&](MoveOp move) { inside.add(move); });
      bool meets = false;
      repeat.walk([&](MoveOp move) { meets |= pending.conflicts(move); });
      if (meets) {
        barrierBefore(repeat);
        pending = {};
      }
      insertDramBarriers(repeat.getBody().front(), inside);
      pending.reads.insert(inside.reads.begin(), inside.reads.end());
      pending.writes.insert(inside.writes.begin(), inside.writes.end());
    } else if (auto move = dyn_cast<MoveOp>(op)) {
      if (pending.conflicts(move)) {
        barrierBefore(move);
        pending = {};
      }
      pending.add(move);
    }
  }
}

/// Where the semaphores are used up, a barrier makes them all free.
LogicalResult Synchroniser::insertBarriers(Block &block) {
  int64_t used = 0;
  for (Operation &op : block) {
    int64_t needed = 0;
    op.walk([&](MoveOp move) { needed += isBetweenNodes(move) ? 2 : 0; });
    if (needed > limit)
      return op.emitOpError("needs ") << needed << " semaphores at once, the machine has " << limit
                                      << " for moves; cut it into fewer moves";
    if (used + needed > limit) {
      barrierBefore(&op);
      used = 0;
    }
    used = isa<BarrierOp>(op) ? 0 : used + needed;
  }
  return success();
}

//===-- Grant, send, receive ----------------------------------------------===//

void Synchroniser::split(MoveOp move) {
  Bytes dest = *bytesOf(move.getDest());
  // The destination is free from the last operation on that touches its bytes.
  Operation *after = nullptr;
  for (Operation *op = move->getPrevNode(); op && !after; op = op->getPrevNode()) {
    Access access;
    collect(op, access);
    bool touches = meetAny(access.reads, dest) || meetAny(access.writes, dest) ||
                   meetAny(access.readsLater, dest) || meetAny(access.writesLater, dest);
    if (touches || isName(op) || isa<BarrierOp>(op))
      after = op;
  }
  OpBuilder builder(move);
  int64_t free = next++, ready = next++;
  auto make = [&](auto tag) {
    using Part = decltype(tag);
    return Part::create(builder, move.getLoc(), move.getSource(), move.getDest(), move.getSymbol(),
                        move.getRoutineAttr(), free, ready);
  };
  if (after)
    builder.setInsertionPointAfter(after);
  else
    builder.setInsertionPointToStart(move->getBlock());
  make(GrantOp{});
  builder.setInsertionPoint(move);
  make(SendOp{});
  make(ReceiveOp{});
  move.erase();
}

/// Whether who sends to whom depends on the step.
static bool changesPartners(Operation &op) {
  auto move = dyn_cast<MoveOp>(op);
  return move && isBetweenNodes(move) && move.getSymbol();
}

/// Names of memory and steps go first, so that a grant can stand anywhere.
static void hoistMemory(Block &block) {
  Operation *last = nullptr;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (!isName(&op))
      continue;
    if (last)
      op.moveAfter(last);
    else
      op.moveBefore(&block, block.begin());
    last = &op;
  }
}

LogicalResult Synchroniser::splitMoves(Block &block) {
  hoistMemory(block);
  for (Operation &op : llvm::make_early_inc_range(block)) {
    // One inside a repeat does not part the end of a step from the next one.
    if (isa<BarrierOp>(op) && isa<func::FuncOp>(block.getParentOp()))
      next = 0;
    if (auto repeat = dyn_cast<RepeatOp>(op)) {
      Block &step = repeat.getBody().front();
      // A semaphore counts and does not tell the partners of one step from those of the next.
      if (llvm::any_of(step, changesPartners))
        barrierBefore(&step.front());
      if (failed(splitMoves(step)))
        return failure();
    }
    auto move = dyn_cast<MoveOp>(op);
    if (!move || !isBetweenNodes(move))
      continue;
    if (!move.getRoutine())
      return move.emitOpError("has no routine; run --convert-moves-to-d1 before");
    split(move);
  }
  return success();
}

//===-- Drains ------------------------------------------------------------===//

void Synchroniser::insertDrains(Block &block) {
  SmallVector<Bytes> leaving, arriving;
  auto drainBefore = [&](Operation *op) {
    OpBuilder builder(op);
    DrainOp::create(builder, op->getLoc());
    leaving.clear();
    arriving.clear();
  };
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (isa<DrainOp>(op)) {
      if (leaving.empty() && arriving.empty())
        op.erase();
      leaving.clear();
      arriving.clear();
      continue;
    }
    if (op.hasTrait<OpTrait::IsTerminator>() || isa<RepeatOp, BarrierOp>(op)) {
      if (!leaving.empty() || !arriving.empty())
        drainBefore(&op);
      if (auto repeat = dyn_cast<RepeatOp>(op))
        insertDrains(repeat.getBody().front());
      continue;
    }
    Access access;
    collect(&op, access);
    if (meetAny(leaving, access.writes) || meetAny(leaving, access.writesLater) ||
        meetAny(arriving, access.reads) || meetAny(arriving, access.writes) ||
        meetAny(arriving, access.readsLater) || meetAny(arriving, access.writesLater))
      drainBefore(&op);
    leaving.append(access.readsLater);
    arriving.append(access.writesLater);
  }
}

LogicalResult Synchroniser::run(func::FuncOp function) {
  Block &body = function.getBody().front();
  DramAccess pending;
  insertDramBarriers(body, pending);
  if (failed(insertBarriers(body)) || failed(splitMoves(body)))
    return failure();
  insertDrains(body);
  return success();
}

namespace {

struct SynchronisePass : ir::impl::SynchroniseBase<SynchronisePass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = Target::of(module);
    if (failed(target))
      return signalPassFailure();
    for (auto &[memory, lifetime] : timelineOf(module).lifetimes)
      if (!addressOf(memory)) {
        memory->emitOpError("has no address; run --dojo-place before");
        return signalPassFailure();
      }
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal() && !function->hasAttr(kernelAttrName) &&
          failed(Synchroniser(target->moveSemaphores()).run(function)))
        return signalPassFailure();
  }
};

} // namespace
