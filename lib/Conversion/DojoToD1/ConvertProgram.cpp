//===- ConvertProgram.cpp - the driver of kernels and moves ---------------===//
#include "dojo/Conversion/DojoToD1/Passes.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Dialect/Dojo/Transforms/Liveness.h"
#include "dojo/ISA/Codec.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace dojo::ir {
#define GEN_PASS_DEF_CONVERTPROGRAMTOD1
#include "dojo/Conversion/DojoToD1/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

// Words that the pieces of an entry take at most: a byte of SRAM is li and lis, a
// byte of DRAM the longest constant, a number li alone.
static constexpr int64_t wordsPerSram = 2, wordsPerDram = 5, wordsPerNumber = 1;
static constexpr int64_t wordsPerCall = 1, wordsPerGuard = 4, wordsPerDrain = 1;
static constexpr int64_t wordsPerBarrier = 1 + wordsPerDrain;
static constexpr int64_t wordsPerSymbol = 5, wordsPerRepeat = 8 + wordsPerBarrier;

/// An axis along which fewer nodes than there are hold a block.
struct Guard {
  int64_t axis, used;
};

/// Only nodes that hold a block of the first output run the kernel.
static SmallVector<Guard> guardsOf(LaunchOp op, const Target &target) {
  Layout layout = layoutOf(op.getOuts().front().getType());
  SmallVector<Guard> guards;
  for (unsigned a = 0; a < numAxes; ++a)
    if (int64_t used = layout.used(static_cast<Axis>(a), target.grid[a]); used < target.grid[a])
      guards.push_back({a, used});
  return guards;
}

static int64_t wordsBound(Operation *op, const Target &target) {
  if (auto launch = dyn_cast<LaunchOp>(op))
    return guardsOf(launch, target).size() * wordsPerGuard +
           launch->getNumOperands() * wordsPerSram + wordsPerCall;
  if (llvm::isa<RepeatOp>(op))
    return wordsPerRepeat;
  if (llvm::isa<DrainOp>(op))
    return wordsPerDrain;
  auto move = dyn_cast<MoveOp>(op);
  if (!move)
    return 0;
  int64_t symbol = move.getSymbol() ? wordsPerSymbol : 0;
  if (!move.isBetweenNodes())
    return wordsPerDram + 2 * wordsPerSram + symbol + wordsPerCall + wordsPerDrain +
           wordsPerBarrier;
  int64_t send = 2 * wordsPerSram + 2 * wordsPerNumber + symbol + wordsPerCall;
  int64_t receive = wordsPerNumber + symbol + wordsPerCall + wordsPerDrain;
  return wordsPerBarrier + send + wordsPerDrain + receive;
}

int64_t ir::driverBytesBound(func::FuncOp function, const Target &target) {
  constexpr int64_t frame = 16;
  int64_t words = frame;
  function.walk([&](Operation *op) { words += wordsBound(op, target); });
  return words * isa::wordBytes;
}

namespace {

/// The life of a buffer as places in its block.
struct Life {
  Operation *memory;
  Operation *first; ///< it begins before this operation
  Operation *last;  ///< and ends after this one
};

class Driver {
public:
  Driver(func::FuncOp function, const Target &target, int64_t descriptor, int64_t &marks,
         SmallVectorImpl<Attribute> &table)
      : source(function), target(target), descriptor(descriptor), marks(marks), table(table),
        builder(function.getContext()) {}

  LogicalResult run();

private:
  LogicalResult convertBlock(Block &block);
  LogicalResult convert(Operation &op);
  void call(Location loc, StringRef routine, ArrayRef<Value> arguments);
  void launch(LaunchOp op);
  template <typename Part>
  void callPart(Part op, StringRef suffix, ArrayRef<Value> arguments);
  Value number(Location loc, int64_t value);
  Value address(Location loc, Value buffer);
  Value symbol(Location loc, Value symbol);
  void mark(Location loc, int64_t id) { d1::MarkOp::create(builder, loc, id); }
  void addRow(Operation *memory, int64_t begin, int64_t end);

  func::FuncOp source;
  const Target &target;
  int64_t descriptor;
  int64_t &marks;
  SmallVectorImpl<Attribute> &table;
  OpBuilder builder;
  llvm::DenseMap<Operation *, Value> steps; ///< of repeats, as i64
};

} // namespace

/// A byte in the one DRAM space of a global address (ISA/Instructions.td).
static int64_t dramAddress(int64_t byte) { return int64_t(uint64_t(2) << 62) | byte; }

Value Driver::number(Location loc, int64_t value) {
  return arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(value));
}

Value Driver::address(Location loc, Value buffer) {
  if (Operation *memory = memoryOf(buffer))
    return number(loc, *addressOf(memory));
  Operation *op = buffer.getDefiningOp();
  auto dram = cast<DramOp>(SymbolTable::lookupNearestSymbolFrom(op, dramNameOf(buffer)));
  return number(loc, dramAddress(*dram.getAddress()));
}

Value Driver::symbol(Location loc, Value symbol) {
  StepNumber step = stepNumberOf(symbol);
  if (!step.repeat)
    return number(loc, step.offset);
  Value value = steps.lookup(step.repeat);
  if (step.scale != 1)
    value = arith::MulIOp::create(builder, loc, value, number(loc, step.scale));
  if (step.offset != 0)
    value = arith::AddIOp::create(builder, loc, value, number(loc, step.offset));
  return value;
}

void Driver::call(Location loc, StringRef routine, ArrayRef<Value> arguments) {
  d1::CallOp::create(builder, loc, routine, arguments);
}

void Driver::launch(LaunchOp op) {
  Location loc = op.getLoc();
  OpBuilder::InsertionGuard insertion(builder);
  for (Guard guard : guardsOf(op, target)) {
    Value coordinate = d1::COORD::create(builder, loc, guard.axis);
    Value holds = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, coordinate,
                                        number(loc, guard.used));
    auto branch = scf::IfOp::create(builder, loc, holds, false);
    builder.setInsertionPointToStart(branch.thenBlock());
  }
  SmallVector<Value> arguments;
  for (Value buffer : op.getOperands())
    arguments.push_back(address(loc, buffer));
  call(loc, op.getKernel(), arguments);
}

template <typename Part>
void Driver::callPart(Part op, StringRef suffix, ArrayRef<Value> arguments) {
  SmallVector<Value> all(arguments);
  if (op.getSymbol())
    all.push_back(symbol(op.getLoc(), op.getSymbol()));
  call(op.getLoc(), (*std::optional<StringRef>(op.getRoutine()) + suffix).str(), all);
}

LogicalResult Driver::convert(Operation &op) {
  Location loc = op.getLoc();
  if (llvm::isa<AllocOp, GetResidentOp, GetDramOp, ReshapeOp, YieldOp, affine::AffineApplyOp,
                arith::ConstantIndexOp>(op))
    return success();
  if (auto launchOp = dyn_cast<LaunchOp>(op)) {
    launch(launchOp);
  } else if (auto send = dyn_cast<SendOp>(op)) {
    callPart(send, "_send",
             {address(loc, send.getSource()), address(loc, send.getDest()), number(loc, descriptor),
              number(loc, send.getReady())});
  } else if (auto receive = dyn_cast<ReceiveOp>(op)) {
    callPart(receive, "_receive", {number(loc, receive.getReady())});
  } else if (auto move = dyn_cast<MoveOp>(op)) {
    callPart(
        move, move.readsDram() ? "_pull" : "_store",
        {address(loc, move.getSource()), address(loc, move.getDest()), number(loc, descriptor)});
  } else if (llvm::isa<BarrierOp>(op)) {
    d1::BARRIER::create(builder, loc);
  } else if (llvm::isa<DrainOp>(op)) {
    d1::DRAIN::create(builder, loc);
  } else if (auto repeat = dyn_cast<RepeatOp>(op)) {
    auto loop = scf::ForOp::create(builder, loc, number(loc, 0), number(loc, repeat.getCount()),
                                   number(loc, 1));
    steps[repeat] = loop.getInductionVar();
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    return convertBlock(repeat.getBody().front());
  } else if (llvm::isa<func::ReturnOp>(op)) {
    func::ReturnOp::create(builder, loc);
  } else {
    return op.emitOpError("is not part of a synchronised program");
  }
  return success();
}

/// The buffers whose own bytes an operation touches, or frees for others.
static SmallVector<Value> buffersTouched(Operation *op) {
  if (auto receive = dyn_cast<ReceiveOp>(op))
    return {receive.getDest()};
  return llvm::filter_to_vector(op->getOperands(),
                                [](Value v) { return llvm::isa<BufferType>(v.getType()); });
}

/// Lives of the buffers that belong to a block, in order of their memory.
static SmallVector<Life> livesIn(Block &block) {
  llvm::MapVector<Operation *, Life> lives;
  for (Operation &op : block) {
    if (llvm::isa<AllocOp, GetResidentOp, GetDramOp, ReshapeOp>(op))
      continue;
    op.walk([&](Operation *inner) {
      for (Value buffer : buffersTouched(inner)) {
        Operation *memory = memoryOf(buffer);
        if (!memory || (llvm::isa<AllocOp>(memory) && memory->getBlock() != &block) ||
            (llvm::isa<ResidentOp>(memory) && !llvm::isa<func::FuncOp>(block.getParentOp())))
          continue;
        auto [entry, isNew] = lives.insert({memory, {memory, &op, &op}});
        entry->second.last = &op;
      }
    });
  }
  return llvm::map_to_vector(lives, [](auto &entry) { return entry.second; });
}

void Driver::addRow(Operation *memory, int64_t begin, int64_t end) {
  table.push_back(builder.getDictionaryAttr({
      builder.getNamedAttr("address", builder.getI64IntegerAttr(*addressOf(memory))),
      builder.getNamedAttr("begin", builder.getI64IntegerAttr(begin)),
      builder.getNamedAttr("end", builder.getI64IntegerAttr(end)),
      builder.getNamedAttr("entry", source.getSymNameAttr()),
      builder.getNamedAttr("name", builder.getStringAttr(nameOf(memory))),
      builder.getNamedAttr("size", builder.getI64IntegerAttr(localBytes(tensorOf(memory)))),
  }));
}

LogicalResult Driver::convertBlock(Block &block) {
  llvm::DenseMap<Operation *, SmallVector<int64_t>> begins, ends;
  for (const Life &life : livesIn(block)) {
    // A resident begins in the entry that fills it and never ends.
    bool resident = llvm::isa<ResidentOp>(life.memory);
    if (resident && source.getSymName() != initEntryName)
      continue;
    int64_t begin = marks++, end = resident ? foreverMark : marks++;
    begins[life.first].push_back(begin);
    if (!resident)
      ends[life.last].push_back(end);
    addRow(life.memory, begin, end);
  }
  for (Operation &op : block) {
    for (int64_t id : begins.lookup(&op))
      mark(op.getLoc(), id);
    if (failed(convert(op)))
      return failure();
    for (int64_t id : ends.lookup(&op))
      mark(op.getLoc(), id);
  }
  return success();
}

LogicalResult Driver::run() {
  builder.setInsertionPoint(source);
  auto entry = func::FuncOp::create(builder, source.getLoc(), source.getName(),
                                    builder.getFunctionType({}, {}));
  entry->setAttr("d1.entry", builder.getUnitAttr());
  builder.setInsertionPointToStart(entry.addEntryBlock());
  if (failed(convertBlock(source.getBody().front())))
    return failure();
  source.erase();
  return success();
}

namespace {

struct ConvertProgramPass : ir::impl::ConvertProgramToD1Base<ConvertProgramPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = Target::of(module);
    if (failed(target))
      return signalPassFailure();
    int64_t descriptor = descriptorAddress(target->codeBytes), marks = 0;
    SmallVector<Attribute> table;
    for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>())) {
      if (function.isPrivate())
        continue;
      if (failed(Driver(function, *target, descriptor, marks, table).run()))
        return signalPassFailure();
    }
    module->setAttr(buffersAttrName, ArrayAttr::get(&getContext(), table));
    for (auto resident : llvm::make_early_inc_range(module.getOps<ResidentOp>()))
      resident.erase();
  }
};

} // namespace
