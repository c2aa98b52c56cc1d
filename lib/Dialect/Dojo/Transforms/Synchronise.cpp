//===- Synchronise.cpp - derive every wait and signal from byte ranges ----===//
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Dialect/Dojo/Transforms/Liveness.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
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

class Synchroniser {
public:
  /// `semaphores` are for moves, behind them stand those of barriers.
  explicit Synchroniser(int64_t semaphores) : limit(semaphores) {}

  LogicalResult run(func::FuncOp function);

private:
  LogicalResult insertBarriers(Block &block);
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

static bool meetAny(ArrayRef<Bytes> list, ArrayRef<Bytes> others) {
  return llvm::any_of(list, [&](const Bytes &a) {
    return llvm::any_of(others, [&](const Bytes &b) { return a.meets(b); });
  });
}

//===-- Barriers ----------------------------------------------------------===//

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
      OpBuilder builder(&op);
      BarrierOp::create(builder, op.getLoc(), limit);
      used = 0;
    }
    used += needed;
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
    if (touches || isa<AllocOp, GetResidentOp, GetDramOp, ReshapeOp, BarrierOp>(op))
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

/// Names of memory go first, so that a grant can stand anywhere.
static void hoistMemory(Block &block) {
  Operation *last = nullptr;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (!isa<AllocOp, GetResidentOp, GetDramOp, ReshapeOp>(op))
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
    if (isa<BarrierOp>(op))
      next = 0;
    if (auto repeat = dyn_cast<RepeatOp>(op))
      if (failed(splitMoves(repeat.getBody().front())))
        return failure();
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
  for (Operation &op : block) {
    if (op.hasTrait<OpTrait::IsTerminator>() || isa<RepeatOp>(op)) {
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
    for (auto &[memory, lifetime] : lifetimesOf(module))
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
