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

using ByteRanges = SmallVector<Bytes, 4>;

bool meetAny(ArrayRef<Bytes> list, ArrayRef<Bytes> others) {
  return llvm::any_of(list, [&](const Bytes &a) {
    return llvm::any_of(others, [&](const Bytes &b) { return a.meets(b); });
  });
}

/// What one operation does to SRAM. `later` bytes are still in use when it returns.
struct Access {
  ByteRanges reads, writes, readsLater, writesLater;

  bool readsFrom(ArrayRef<Bytes> list) const {
    return meetAny(reads, list) || meetAny(readsLater, list);
  }
  bool writesTo(ArrayRef<Bytes> list) const {
    return meetAny(writes, list) || meetAny(writesLater, list);
  }
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
  explicit Synchroniser(int64_t semaphores) : limit(semaphores) {}

  LogicalResult run(func::FuncOp function);

private:
  void insertDramBarriers(Block &block, DramAccess &pending);
  BarrierOp barrierBefore(Operation *op);
  LogicalResult takeSemaphores(Operation &op);
  LogicalResult splitMoves(Block &block);
  void free(MoveOp move);
  void split(MoveOp move);
  void insertDrains(Block &block);

  int64_t limit;
  /// The first semaphore that no move has taken since the last barrier of the entry.
  int64_t next = 0;
};

} // namespace

static std::optional<Bytes> bytesOf(Value buffer) {
  Operation *memory = memoryOf(buffer);
  if (!memory)
    return std::nullopt;
  int64_t address = *addressOf(memory);
  return Bytes{address, address + localBytes(tensorOf(memory))};
}

static void add(ByteRanges &list, ValueRange buffers) {
  for (Value buffer : buffers)
    if (auto bytes = bytesOf(buffer))
      list.push_back(*bytes);
}

static void collect(Operation *op, Access &access) {
  if (auto launch = dyn_cast<LaunchOp>(op)) {
    add(access.reads, launch.getIns());
    add(access.writes, launch.getOuts());
  } else if (auto barrier = dyn_cast<BarrierOp>(op)) {
    add(access.writes, barrier.getFrees());
  } else if (auto send = dyn_cast<SendOp>(op)) {
    add(access.readsLater, send.getSource());
    add(access.writes, send.getDest());
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

static bool touches(Operation *op, const Bytes &bytes) {
  Access access;
  collect(op, access);
  return access.readsFrom(bytes) || access.writesTo(bytes);
}

//===-- Barriers ----------------------------------------------------------===//

BarrierOp Synchroniser::barrierBefore(Operation *op) {
  OpBuilder builder(op);
  if (isa<func::FuncOp>(op->getParentOp()))
    next = 0;
  return BarrierOp::create(builder, op->getLoc(), ValueRange{});
}

static void drainBefore(Operation *op) {
  OpBuilder builder(op);
  DrainOp::create(builder, op->getLoc());
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
        drainBefore(repeat);
        barrierBefore(repeat);
        pending = {};
      }
      insertDramBarriers(repeat.getBody().front(), inside);
      pending.reads.insert(inside.reads.begin(), inside.reads.end());
      pending.writes.insert(inside.writes.begin(), inside.writes.end());
    } else if (auto move = dyn_cast<MoveOp>(op)) {
      if (pending.conflicts(move)) {
        drainBefore(move);
        barrierBefore(move);
        pending = {};
      }
      pending.add(move);
    }
  }
}

/// Parts the moves of an operation of the entry from earlier ones where they need more
/// semaphores than are left.
LogicalResult Synchroniser::takeSemaphores(Operation &op) {
  int64_t needed = 0;
  op.walk([&](MoveOp move) { needed += move.isBetweenNodes(); });
  if (needed > limit)
    return op.emitOpError("needs ") << needed << " semaphores at once, the machine has " << limit
                                    << "; cut it into fewer moves";
  if (next + needed > limit)
    barrierBefore(&op);
  return success();
}

/// Finds the barrier behind which all nodes have done with the bytes of the destination, or
/// makes one.
void Synchroniser::free(MoveOp move) {
  Bytes dest = *bytesOf(move.getDest());
  BarrierOp barrier;
  for (Operation *op = move->getPrevNode(); op && !barrier; op = op->getPrevNode()) {
    barrier = dyn_cast<BarrierOp>(op);
    if (!barrier && touches(op, dest))
      break;
  }
  if (!barrier)
    barrier = barrierBefore(move);
  barrier.getFreesMutable().append(move.getDest());
}

//===-- Send, receive -----------------------------------------------------===//

void Synchroniser::split(MoveOp move) {
  if (!move.getMove().staysOnNodes())
    free(move);
  OpBuilder builder(move);
  int64_t ready = next++;
  auto make = [&](auto tag) {
    using Part = decltype(tag);
    Part::create(builder, move.getLoc(), move.getSource(), move.getDest(), move.getSymbol(),
                 move.getRoutineAttr(), ready);
  };
  make(SendOp{});
  make(ReceiveOp{});
  move.erase();
}

/// Names of memory and steps go first, so that a barrier can free memory anywhere.
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
  const bool isEntry = isa<func::FuncOp>(block.getParentOp());
  hoistMemory(block);
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (isa<BarrierOp>(op) && isEntry)
      next = 0;
    if (isEntry && failed(takeSemaphores(op)))
      return failure();
    if (auto repeat = dyn_cast<RepeatOp>(op))
      if (failed(splitMoves(repeat.getBody().front())))
        return failure();
    auto move = dyn_cast<MoveOp>(op);
    if (!move || !move.isBetweenNodes())
      continue;
    if (!move.getRoutine())
      return move.emitOpError("has no routine; run --convert-moves-to-d1 before");
    split(move);
  }
  return success();
}

//===-- Drains ------------------------------------------------------------===//

void Synchroniser::insertDrains(Block &block) {
  ByteRanges leaving, arriving;
  auto drained = [&] {
    leaving.clear();
    arriving.clear();
  };
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (isa<DrainOp>(op)) {
      if (leaving.empty() && arriving.empty())
        op.erase();
      drained();
      continue;
    }
    Access access;
    collect(&op, access);
    const bool ends = op.hasTrait<OpTrait::IsTerminator>() || isa<RepeatOp>(op);
    if (ends
            ? !leaving.empty() || !arriving.empty()
            : access.writesTo(leaving) || access.writesTo(arriving) || access.readsFrom(arriving)) {
      drainBefore(&op);
      drained();
    }
    if (auto repeat = dyn_cast<RepeatOp>(op)) {
      insertDrains(repeat.getBody().front());
      continue;
    }
    leaving.append(access.readsLater);
    arriving.append(access.writesLater);
  }
}

LogicalResult Synchroniser::run(func::FuncOp function) {
  Block &body = function.getBody().front();
  DramAccess pending;
  insertDramBarriers(body, pending);
  if (failed(splitMoves(body)))
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
          failed(Synchroniser(target->machine.semaphores).run(function)))
        return signalPassFailure();
  }
};

} // namespace
