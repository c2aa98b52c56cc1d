//===- Bufferize.cpp - give every spread tensor its memory ----------------===//
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace dojo::ir {
#define GEN_PASS_DEF_BUFFERIZE
#include "dojo/Dialect/Dojo/Transforms/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

namespace {

class Bufferizer {
public:
  explicit Bufferizer(ModuleOp module) : module(module) {}

  LogicalResult run();

private:
  LogicalResult findResidents(func::FuncOp function);
  LogicalResult convertFunction(func::FuncOp function);
  FailureOr<SmallVector<Operation *>> convertOps(Block &block);
  static void eraseOps(ArrayRef<Operation *> ops);
  LogicalResult convert(Operation &op, OpBuilder &builder);
  LogicalResult convertCompute(ComputeOp op, OpBuilder &builder);
  LogicalResult convertRepeat(RepeatOp op, OpBuilder &builder);
  Value bufferFor(EmptyOp op, OpBuilder &builder);
  Value load(ml_program::GlobalLoadOp op, OpBuilder &builder);

  ModuleOp module;
  IRMapping buffers;
  llvm::DenseMap<Operation *, StringAttr> residentOf; ///< of the empty it starts from
  llvm::StringMap<ResidentOp> residents;              ///< by global
};

} // namespace

static BufferType bufferType(Type tensor) {
  return BufferType::get(tensor.getContext(), cast<RankedTensorType>(tensor));
}

/// The empty whose memory a value is.
static EmptyOp memoryOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto empty = dyn_cast<EmptyOp>(op))
      return empty;
    auto result = cast<OpResult>(value).getResultNumber();
    if (auto move = dyn_cast<MoveOp>(op))
      value = move.getDest();
    else if (auto compute = dyn_cast<ComputeOp>(op))
      value = compute.getOuts()[result];
    else if (auto repeat = dyn_cast<RepeatOp>(op))
      value = repeat.getInits()[result];
    else if (auto reshape = dyn_cast<ReshapeOp>(op))
      value = reshape.getSource();
    else
      return {};
  }
  return {};
}

LogicalResult Bufferizer::findResidents(func::FuncOp function) {
  OpBuilder builder(module.getBody(), module.getBody()->begin());
  WalkResult result = function.walk([&](ml_program::GlobalStoreOp store) {
    EmptyOp memory = memoryOf(store.getValue());
    if (!memory) {
      store.emitOpError("stores a tensor that has no memory of its own");
      return WalkResult::interrupt();
    }
    StringAttr global = store.getGlobal().getLeafReference();
    StringAttr &name = residentOf[memory];
    if (!name) {
      name = global;
      residents[global] = ResidentOp::create(builder, store.getLoc(), global,
                                             bufferType(memory.getType()), IntegerAttr{});
    } else {
      residents[global] = residents[name];
    }
    return WalkResult::advance();
  });
  return success(!result.wasInterrupted());
}

Value Bufferizer::bufferFor(EmptyOp op, OpBuilder &builder) {
  if (StringAttr name = residentOf.lookup(op))
    return GetResidentOp::create(builder, op.getLoc(), bufferType(op.getType()), name);
  return AllocOp::create(builder, op.getLoc(), bufferType(op.getType()), IntegerAttr{});
}

Value Bufferizer::load(ml_program::GlobalLoadOp op, OpBuilder &builder) {
  ResidentOp resident = residents.lookup(op.getGlobal().getLeafReference());
  if (!resident)
    return {};
  Type type = resident.getType();
  Value memory = GetResidentOp::create(builder, op.getLoc(), type, resident.getSymName());
  BufferType wanted = bufferType(op.getType());
  return type == wanted ? memory : Value(ReshapeOp::create(builder, op.getLoc(), wanted, memory));
}

//===-- Computation -------------------------------------------------------===//

/// The memref of a body's argument: the piece itself, its trailing dimensions, or
/// the piece as a run of elements.
static MemRefType localMemRef(RankedTensorType argument, RankedTensorType spread) {
  SmallVector<int64_t, 4> strides = layoutOf(spread).strides();
  unsigned rank = argument.getRank();
  bool isRun = rank == 1 && (strides.size() != 1 || strides[0] != 1);
  if (isRun)
    return MemRefType::get(argument.getShape(), argument.getElementType());
  ArrayRef<int64_t> trailing = ArrayRef<int64_t>(strides).take_back(rank);
  return MemRefType::get(argument.getShape(), argument.getElementType(),
                         StridedLayoutAttr::get(argument.getContext(), 0, trailing));
}

LogicalResult Bufferizer::convertCompute(ComputeOp op, OpBuilder &builder) {
  auto lookup = [&](ValueRange values) {
    return llvm::map_to_vector(values, [&](Value v) { return buffers.lookup(v); });
  };
  auto compute = ComputeOp::create(builder, op.getLoc(), TypeRange{}, lookup(op.getIns()),
                                   lookup(op.getOuts()), op.getFactsAttr());
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&compute.getBody());
  IRMapping local;
  for (auto [argument, operand] : llvm::zip(op.getBody().getArguments(), op.getOperands()))
    local.map(argument, body->addArgument(localMemRef(cast<RankedTensorType>(argument.getType()),
                                                      tensorOf(operand.getType())),
                                          op.getLoc()));
  for (Operation &inner : op.getBody().front().without_terminator()) {
    auto structured = dyn_cast<linalg::LinalgOp>(inner);
    if (!structured) {
      builder.clone(inner, local);
      continue;
    }
    Operation *clone = mlir::cloneWithoutRegions(
        builder, &inner, TypeRange{}, llvm::map_to_vector(inner.getOperands(), [&](Value v) {
          return local.lookupOrDefault(v);
        }));
    for (auto [from, to] : llvm::zip(inner.getRegions(), clone->getRegions()))
      from.cloneInto(&to, local);
    for (auto [init, result] : llvm::zip(structured.getDpsInits(), inner.getResults()))
      local.map(result, local.lookup(init));
  }
  ValueRange outs = body->getArguments().take_back(op.getOuts().size());
  for (auto [value, out] : llvm::zip(op.getBody().front().getTerminator()->getOperands(), outs))
    if (local.lookup(value) != out)
      return op.emitOpError("yields a tensor that was not computed in its output");
  YieldOp::create(builder, op.getLoc(), ValueRange{});
  for (auto [result, out] : llvm::zip(op.getResults(), op.getOuts()))
    buffers.map(result, buffers.lookup(out));
  return success();
}

LogicalResult Bufferizer::convertRepeat(RepeatOp op, OpBuilder &builder) {
  auto repeat = RepeatOp::create(builder, op.getLoc(), TypeRange{}, op.getCount(), ValueRange{},
                                 op.getSlots());
  repeat.getBody().takeBody(op.getBody());
  Block &body = repeat.getBody().front();
  for (auto [argument, init] : llvm::zip(body.getArguments().drop_front(), op.getInits()))
    buffers.map(argument, buffers.lookup(init));
  FailureOr<SmallVector<Operation *>> old = convertOps(body);
  if (failed(old))
    return failure();
  Operation *yield = body.getTerminator();
  for (auto [value, init] : llvm::zip(yield->getOperands(), op.getInits()))
    if (buffers.lookup(value) != buffers.lookup(init))
      return op.emitOpError("carries a tensor that is not updated in place");
  for (auto [result, init] : llvm::zip(op.getResults(), op.getInits()))
    buffers.map(result, buffers.lookup(init));
  yield->setOperands({});
  eraseOps(*old);
  body.eraseArguments(1, body.getNumArguments() - 1);
  return success();
}

//===-- Functions ---------------------------------------------------------===//

LogicalResult Bufferizer::convert(Operation &op, OpBuilder &builder) {
  Location loc = op.getLoc();
  if (auto empty = dyn_cast<EmptyOp>(op)) {
    buffers.map(empty.getResult(), bufferFor(empty, builder));
  } else if (auto dram = dyn_cast<GetDramOp>(op)) {
    Type type = bufferType(dram.getType());
    buffers.map(dram.getResult(), Value(GetDramOp::create(builder, loc, type, dram.getName())));
  } else if (auto reshape = dyn_cast<ReshapeOp>(op)) {
    buffers.map(reshape.getResult(),
                Value(ReshapeOp::create(builder, loc, bufferType(reshape.getType()),
                                        buffers.lookup(reshape.getSource()))));
  } else if (auto move = dyn_cast<MoveOp>(op)) {
    Value dest = buffers.lookup(move.getDest());
    MoveOp::create(builder, loc, Type{}, buffers.lookup(move.getSource()), dest, move.getSymbol(),
                   move.getMap(), move.getRoutineAttr());
    buffers.map(move.getResult(), dest);
  } else if (auto compute = dyn_cast<ComputeOp>(op)) {
    return convertCompute(compute, builder);
  } else if (auto repeat = dyn_cast<RepeatOp>(op)) {
    return convertRepeat(repeat, builder);
  } else if (auto load = dyn_cast<ml_program::GlobalLoadOp>(op)) {
    Value memory = this->load(load, builder);
    if (!memory)
      return op.emitOpError("reads a global that nothing stores");
    buffers.map(load.getResult(), memory);
  } else if (!isa<ml_program::GlobalStoreOp>(op)) {
    return op.emitOpError("has no memory; expected the dojo dialect");
  }
  return success();
}

/// Converts what stands in front of the terminator; the old ops stay behind.
FailureOr<SmallVector<Operation *>> Bufferizer::convertOps(Block &block) {
  SmallVector<Operation *> old;
  for (Operation &op : block.without_terminator())
    old.push_back(&op);
  for (Operation *op : old) {
    OpBuilder builder(op);
    if (failed(convert(*op, builder)))
      return failure();
  }
  return old;
}

void Bufferizer::eraseOps(ArrayRef<Operation *> ops) {
  for (Operation *op : llvm::reverse(ops))
    op->erase();
}

LogicalResult Bufferizer::convertFunction(func::FuncOp function) {
  FailureOr<SmallVector<Operation *>> old = convertOps(function.getBody().front());
  if (failed(old))
    return failure();
  eraseOps(*old);
  return success();
}

LogicalResult Bufferizer::run() {
  for (auto function : module.getOps<func::FuncOp>())
    if (failed(findResidents(function)))
      return failure();
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal() && failed(convertFunction(function)))
      return failure();
  for (auto global : llvm::make_early_inc_range(module.getOps<ml_program::GlobalOp>()))
    global.erase();
  return success();
}

namespace {

struct BufferizePass : ir::impl::BufferizeBase<BufferizePass> {
  void runOnOperation() override {
    if (failed(Bufferizer(getOperation()).run()))
      signalPassFailure();
  }
};

} // namespace
