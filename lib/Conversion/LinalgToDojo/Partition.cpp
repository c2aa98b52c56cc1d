//===- Partition.cpp - spread a module over the grid ----------------------===//
#include "Partitioner.h"
#include "dojo/Conversion/LinalgToDojo/Passes.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"

namespace dojo::ir {
#define GEN_PASS_DEF_PARTITION
#include "dojo/Conversion/LinalgToDojo/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

Operation *ModuleState::lastDram() {
  Operation *last = nullptr;
  for (DramOp dram : module.getOps<DramOp>())
    last = dram;
  return last;
}

void ModuleState::makeOutput(DramOp dram, StringRef role, StringAttr title) {
  dram.setRole(role);
  dram.setTitleAttr(title);
  if (Operation *last = lastDram(); last != dram)
    dram->moveAfter(last);
}

DramOp ModuleState::addDram(Location loc, StringRef prefix, StringRef role, StringAttr title,
                            ElementsAttr value, RankedTensorType type) {
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  if (Operation *last = lastDram())
    builder.setInsertionPointAfter(last);
  std::string name = (prefix + "_" + Twine(counts[prefix]++)).str();
  return DramOp::create(builder, loc, name, role, title, value, type, IntegerAttr{});
}

Value FunctionPartitioner::getDram(DramOp dram) {
  auto type = cast<RankedTensorType>(dram.getType());
  auto inDram = RankedTensorType::get(type.getShape(), type.getElementType(),
                                      DramAttr::get(builder.getContext()));
  return GetDramOp::create(builder, dram.getLoc(), inDram, dram.getSymName());
}

//===-- Storage -----------------------------------------------------------===//

/// Whether a structured op or a global says that its tensor stays in DRAM.
static FailureOr<bool> saysDram(Operation *op) {
  auto storage = op->getAttrOfType<StringAttr>(storageAttrName);
  if (storage && storage != "dram")
    return op->emitOpError("storage is dram, or absent for SRAM, found ") << storage;
  return storage != nullptr;
}

/// A result stays in DRAM if its op says so, or a global that it is stored in.
FailureOr<bool> FunctionPartitioner::staysInDram(OpResult result) {
  FailureOr<bool> stays = saysDram(result.getOwner());
  for (Operation *user : result.getUsers()) {
    auto store = dyn_cast<ml_program::GlobalStoreOp>(user);
    if (failed(stays) || *stays || !store)
      continue;
    stays = saysDram(SymbolTable::lookupNearestSymbolFrom(store, store.getGlobal()));
  }
  return stays;
}

DramOp FunctionPartitioner::addScratch(Value value) {
  return state.addDram(value.getLoc(), "scratch", "scratch", {}, {},
                       cast<RankedTensorType>(value.getType()));
}

/// The tensor that holds a value in DRAM as it is, null if none does.
DramOp FunctionPartitioner::dramOf(Value value) {
  Value held = spreader.inDram(value);
  auto get = held ? held.getDefiningOp<GetDramOp>() : GetDramOp{};
  return get ? SymbolTable::lookupNearestSymbolFrom<DramOp>(get, get.getNameAttr()) : DramOp{};
}

//===-- The rest of a function --------------------------------------------===//

LogicalResult FunctionPartitioner::convertConstant(arith::ConstantOp op) {
  auto value = dyn_cast<ElementsAttr>(op.getValue());
  if (!value || isa<SplatElementsAttr>(op.getValue()))
    return success();
  DramOp &dram = state.constants[value];
  if (!dram)
    dram = state.addDram(op.getLoc(), "constant", "constant", {}, value,
                         cast<RankedTensorType>(op.getType()));
  spreader.define(op, getDram(dram));
  return success();
}

/// Which results count the places of others, as their extents say.
FailureOr<SmallVector<bool>> FunctionPartitioner::readCounts() {
  FunctionType function = source.getFunctionType();
  SmallVector<bool> counts(function.getNumResults());
  for (unsigned i = 0; i < counts.size(); ++i) {
    auto pairs = source.getResultAttrOfType<DenseI64ArrayAttr>(i, extentsAttrName);
    if (!pairs)
      continue;
    auto rank = cast<RankedTensorType>(function.getResult(i)).getRank();
    for (int64_t at = 0; at < pairs.size(); at += 2) {
      bool valid = at + 1 < pairs.size() && pairs[at] >= 0 && pairs[at] < rank &&
                   pairs[at + 1] >= 0 && pairs[at + 1] < int64_t(counts.size());
      Type count = valid ? function.getResult(pairs[at + 1]) : Type();
      if (count != RankedTensorType::get({}, builder.getI32Type()))
        return source.emitError("result ") << i << " has extents " << pairs
                                           << ", expected pairs of a dimension and the number of "
                                              "a result of type tensor<i32>";
      counts[pairs[at + 1]] = true;
    }
  }
  return counts;
}

/// Names the tensors in DRAM that count the places of others.
void FunctionPartitioner::linkCounts(ArrayRef<DramOp> stored) {
  for (auto [i, dram] : llvm::enumerate(stored))
    if (auto pairs = source.getResultAttrOfType<DenseI64ArrayAttr>(i, extentsAttrName)) {
      SmallVector<Attribute> links;
      for (int64_t at = 0; at < pairs.size(); at += 2) {
        DramOp count = stored[pairs[at + 1]];
        links.push_back(builder.getArrayAttr({builder.getI64IntegerAttr(pairs[at]),
                                              FlatSymbolRefAttr::get(count.getSymNameAttr())}));
      }
      dram->setAttr(extentsAttrName, builder.getArrayAttr(links));
    }
}

LogicalResult FunctionPartitioner::convertReturn(func::ReturnOp op) {
  FailureOr<SmallVector<bool>> counts = readCounts();
  if (failed(counts))
    return failure();
  SmallVector<DramOp> outputs;
  for (auto [i, value] : llvm::enumerate(op.getOperands())) {
    auto type = cast<RankedTensorType>(value.getType());
    auto title = source.getResultAttrOfType<StringAttr>(i, titleAttrName);
    StringRef role = (*counts)[i] ? "count" : "output";
    if (DramOp stored = dramOf(value); stored && stored.getRole() == "scratch") {
      state.makeOutput(stored, role, title);
      outputs.push_back(stored);
      if (Attribute element = source.getResultAttr(i, ir::elementAttrName))
        stored->setAttr(ir::elementAttrName, element);
      continue;
    }
    DramOp dram = state.addDram(op.getLoc(), role, role, title, {}, type);
    outputs.push_back(dram);
    if (Attribute element = source.getResultAttr(i, ir::elementAttrName))
      dram->setAttr(ir::elementAttrName, element);
    if (type.getNumElements() == 0)
      continue;
    FailureOr<Value> held = spreader.anywhere(value);
    if (failed(held))
      return failure();
    moveToDram(value, *held, dram);
  }
  linkCounts(outputs);
  func::ReturnOp::create(builder, op.getLoc());
  return success();
}

void FunctionPartitioner::moveToDram(Value value, Value held, DramOp dram) {
  Value dest = getDram(dram);
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  auto map = AffineMap::getMultiDimIdentityMap(rank, builder.getContext());
  MoveOp::create(builder, value.getLoc(), dest.getType(), held, dest, Value{}, map, StringAttr{});
}

LogicalResult FunctionPartitioner::convertStore(ml_program::GlobalStoreOp op) {
  StringAttr name = op.getGlobal().getLeafReference();
  auto global = SymbolTable::lookupNearestSymbolFrom<ml_program::GlobalOp>(op, op.getGlobal());
  FailureOr<bool> storage = saysDram(global);
  if (failed(storage))
    return failure();
  DramOp dram = dramOf(op.getValue());
  if (*storage && dram) {
    if (dram.getRole() == "scratch")
      dram.setRole("state");
    state.stored[name] = dram;
    return success();
  }
  auto wanted = state.wanted.find(name);
  FailureOr<Value> held = *storage || wanted == state.wanted.end()
                              ? spreader.anywhere(op.getValue())
                              : spreader.get(op.getValue(), wanted->second);
  if (failed(held))
    return failure();
  if (*storage) {
    state.stored[name] = state.addDram(op.getLoc(), "state", "state", {}, {},
                                       cast<RankedTensorType>(op.getValue().getType()));
    moveToDram(op.getValue(), *held, state.stored[name]);
    return success();
  }
  state.globals[name] = cast<RankedTensorType>(held->getType());
  ml_program::GlobalStoreOp::create(builder, op.getLoc(), op.getGlobal(), *held);
  return success();
}

LogicalResult FunctionPartitioner::convertLoad(ml_program::GlobalLoadOp op) {
  StringAttr name = op.getGlobal().getLeafReference();
  if (DramOp dram = state.stored.lookup(name)) {
    spreader.defineStreamed(op, getDram(dram));
    return success();
  }
  RankedTensorType type = state.globals.lookup(name);
  if (!type)
    return op.emitOpError("reads a global that init does not store");
  Value held = ml_program::GlobalLoadOp::create(builder, op.getLoc(), type, op.getGlobal());
  spreader.define(op, held);
  if (state.wanted.contains(name) && state.wanted[name].zeroPadding)
    spreader.setPaddedWithZero(held);
  return success();
}

LogicalResult FunctionPartitioner::convert(Operation &op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return convertConstant(constant);
  if (isa<linalg::FillOp, linalg::TransposeOp>(op))
    return success(); // followed from where they are used
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    return convertStructured(structured);
  if (auto ret = dyn_cast<func::ReturnOp>(op))
    return convertReturn(ret);
  if (auto store = dyn_cast<ml_program::GlobalStoreOp>(op))
    return convertStore(store);
  if (auto load = dyn_cast<ml_program::GlobalLoadOp>(op))
    return convertLoad(load);
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return convertLoop(loop);
  if (auto insertion = dyn_cast<tensor::InsertSliceOp>(op))
    return convertInsertion(insertion);
  if (op.getDialect()->getNamespace() == "tensor" || isa<affine::AffineApplyOp>(op))
    return success(); // views and their offsets, followed from where they are used
  return op.emitOpError("is not of the structured level: expected linalg, tensor, scf.for or "
                        "constants");
}

LogicalResult FunctionPartitioner::run() {
  builder.setInsertionPoint(source);
  auto target = func::FuncOp::create(builder, source.getLoc(), source.getName(),
                                     builder.getFunctionType({}, {}));
  builder.setInsertionPointToStart(target.addEntryBlock());
  for (BlockArgument argument : source.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type)
      return source.emitError("argument ")
             << argument.getArgNumber() << " is " << argument.getType() << ", expected a tensor";
    auto title = source.getArgAttrOfType<StringAttr>(argument.getArgNumber(), titleAttrName);
    DramOp dram = state.addDram(argument.getLoc(), "input", "input", title, {}, type);
    if (Attribute element = source.getArgAttr(argument.getArgNumber(), ir::elementAttrName))
      dram->setAttr(ir::elementAttrName, element);
    spreader.define(argument, getDram(dram));
  }
  for (Operation &op : source.getBody().front())
    if (failed(convert(op)))
      return failure();
  source.erase();
  return success();
}

namespace {

struct PartitionPass : ir::impl::PartitionBase<PartitionPass> {
  void runOnOperation() override {
    auto target = Target::of(getOperation());
    if (failed(target))
      return signalPassFailure();
    ModuleState state(getOperation(), *target);
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(state.findWanted(function)))
        return signalPassFailure();
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (!function.isExternal() && failed(FunctionPartitioner(function, state).run()))
        return signalPassFailure();
    for (auto global : getOperation().getOps<ml_program::GlobalOp>())
      if (RankedTensorType type = state.globals.lookup(global.getSymName()))
        global.setType(type);
  }
};

} // namespace
