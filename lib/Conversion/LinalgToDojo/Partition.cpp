//===- Partition.cpp - spread structured ops over the grid ----------------===//
#include "Spreader.h"
#include "dojo/Conversion/LinalgToDojo/OperandLayouts.h"
#include "dojo/Conversion/LinalgToDojo/Passes.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Transforms/Contraction.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"

namespace dojo::ir {
#define GEN_PASS_DEF_PARTITION
#include "dojo/Conversion/LinalgToDojo/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

namespace {

/// Symbols of the module that its functions share.
struct ModuleState {
  ModuleState(ModuleOp module, const Target &target)
      : module(module), grid(target.grid), smallBytes(target.machine.sramBytes / 256) {}

  ModuleOp module;
  Coords grid;
  int64_t smallBytes; ///< what a node may hold of a weight that others hold too
  llvm::StringMap<RankedTensorType> globals; ///< spread types of those in SRAM, by name
  llvm::StringMap<Request> wanted;           ///< how all readers of a global want it
  llvm::StringMap<DramOp> stored;            ///< of those in DRAM
  llvm::DenseMap<Attribute, DramOp> constants;

  /// Notes what all readers of a global ask for alike, where each element is asked for
  /// once or a node's part is small: there it can rest.
  LogicalResult findWanted(func::FuncOp function);
  DramOp addDram(Location loc, StringRef prefix, StringRef role, StringAttr title,
                 ElementsAttr value, RankedTensorType type);

private:
  llvm::StringMap<unsigned> counts;
};

/// Rewrites one function from the structured level to the dojo dialect.
class FunctionPartitioner {
public:
  FunctionPartitioner(func::FuncOp function, ModuleState &state)
      : source(function), state(state), builder(function.getContext()),
        spreader(builder, state.grid) {}

  LogicalResult run();

private:
  LogicalResult convert(Operation &op);
  LogicalResult convertConstant(arith::ConstantOp op);
  LogicalResult convertStructured(linalg::LinalgOp op);
  LogicalResult convertReturn(func::ReturnOp op);
  LogicalResult convertStore(ml_program::GlobalStoreOp op);
  LogicalResult convertLoad(ml_program::GlobalLoadOp op);
  void moveToDram(Value value, Value held, DramOp dram);
  FailureOr<SmallVector<Value>> inputsOf(const MappedOp &mapped, Value symbol);
  FailureOr<SmallVector<Value>> initsOf(const MappedOp &mapped);
  ComputeOp emitCompute(const MappedOp &mapped, ValueRange ins, ValueRange outs, bool fillInside);
  FailureOr<SmallVector<Value>> emitSteps(const MappedOp &mapped, ValueRange inits);
  FailureOr<Value> combine(const MappedOp &mapped, unsigned init, Value partial);
  Value getDram(DramOp dram);

  func::FuncOp source;
  ModuleState &state;
  OpBuilder builder;
  Spreader spreader;
};

} // namespace

DramOp ModuleState::addDram(Location loc, StringRef prefix, StringRef role, StringAttr title,
                            ElementsAttr value, RankedTensorType type) {
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  for (Operation &op : *module.getBody())
    if (isa<DramOp>(op))
      builder.setInsertionPointAfter(&op);
  std::string name = (prefix + "_" + Twine(counts[prefix]++)).str();
  return DramOp::create(builder, loc, name, role, title, value, type, IntegerAttr{});
}

Value FunctionPartitioner::getDram(DramOp dram) {
  auto type = cast<RankedTensorType>(dram.getType());
  auto inDram = RankedTensorType::get(type.getShape(), type.getElementType(),
                                      DramAttr::get(builder.getContext()));
  return GetDramOp::create(builder, dram.getLoc(), inDram, dram.getSymName());
}

//===-- Structured ops ----------------------------------------------------===//

/// The constant an init is filled with, if it is.
static linalg::FillOp fillOf(OpOperand &init) { return init.get().getDefiningOp<linalg::FillOp>(); }

static bool isUndefined(OpOperand &init) {
  return init.get().getDefiningOp<tensor::EmptyOp>() != nullptr;
}

static Request requestFor(const MappedOp &mapped, OpOperand &operand, Value symbol) {
  Request request{mapped.layoutOf(operand),
                  mapped.shapeOf(operand),
                  addsNothingForZeros(mapped.op) && mapped.isReduced(operand),
                  {},
                  {}};
  SmallVector<int64_t> advance = mapped.advanceOf(operand);
  if (symbol && llvm::any_of(advance, [](int64_t a) { return a != 0; })) {
    request.symbol = symbol;
    request.advance = std::move(advance);
  }
  return request;
}

/// What one use asks for; nothing if it is no input of a mapped op, or asks in steps.
static FailureOr<std::optional<Request>> requestOf(OpOperand &use, const Coords &grid) {
  auto op = dyn_cast<linalg::LinalgOp>(use.getOwner());
  auto mapping = op ? op->getAttrOfType<MappingAttr>(mappingAttrName) : MappingAttr{};
  if (!mapping || !op.isDpsInput(&use))
    return std::optional<Request>();
  FailureOr<MappedOp> mapped = MappedOp::get(op, mapping, grid);
  if (failed(mapped))
    return failure();
  if (mapped->steps() > 1)
    return std::optional<Request>();
  return std::optional(requestFor(*mapped, use, {}));
}

LogicalResult ModuleState::findWanted(func::FuncOp function) {
  for (auto load : function.getOps<ml_program::GlobalLoadOp>()) {
    std::optional<Request> common;
    bool agree = true;
    for (OpOperand &use : load->getUses()) {
      FailureOr<std::optional<Request>> request = requestOf(use, grid);
      if (failed(request))
        return failure();
      agree &= *request && (!common || (common->layout == (*request)->layout &&
                                        common->zeroPadding == (*request)->zeroPadding));
      common = std::move(*request);
    }
    if (!agree || !common)
      continue;
    RankedTensorType type = withLayout(cast<RankedTensorType>(load.getType()), common->layout);
    if (holdsOnce(common->layout, grid) || localBytes(type) <= smallBytes)
      wanted[load.getGlobal().getLeafReference()] = std::move(*common);
  }
  return success();
}

FailureOr<SmallVector<Value>> FunctionPartitioner::inputsOf(const MappedOp &mapped, Value symbol) {
  SmallVector<Value> values;
  linalg::LinalgOp op = mapped.op;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    if (!isa<RankedTensorType>(operand->get().getType()))
      continue;
    FailureOr<Value> value = spreader.get(operand->get(), requestFor(mapped, *operand, symbol));
    if (failed(value))
      return failure();
    values.push_back(*value);
  }
  return values;
}

/// Where results go: undefined memory, the fill of a stepped reduction, or a copy of
/// the tensor that is updated.
FailureOr<SmallVector<Value>> FunctionPartitioner::initsOf(const MappedOp &mapped) {
  SmallVector<Value> values;
  linalg::LinalgOp op = mapped.op;
  bool isSplit = !mapped.splitReductions().empty();
  for (OpOperand &init : op.getDpsInitsMutable()) {
    auto type = cast<RankedTensorType>(init.get().getType());
    SmallVector<int64_t> shape(type.getShape());
    Layout layout = isSplit ? mapped.partialLayoutOf(init) : mapped.layoutOf(init);
    if (isSplit)
      for (unsigned r : llvm::reverse(mapped.splitReductions()))
        shape.insert(shape.begin(), mapped.iterators[r].blocks);
    auto spread = withLayout(RankedTensorType::get(shape, type.getElementType()), layout);
    TypedAttr constant;
    if (auto fill = fillOf(init); fill && !matchPattern(fill.value(), m_Constant(&constant)))
      return fill.emitOpError("fills with a value that is not a constant");
    if (fillOf(init) && mapped.steps() > 1) {
      values.push_back(createFilled(builder, op.getLoc(), spread, constant));
    } else if (fillOf(init) || isUndefined(init)) {
      values.push_back(EmptyOp::create(builder, op.getLoc(), spread));
    } else {
      FailureOr<Value> copy = spreader.copy(init.get(), {layout, shape, false, {}, {}});
      if (failed(copy))
        return failure();
      values.push_back(*copy);
    }
  }
  return values;
}

/// Constants used in a region but defined outside are cloned into the compute.
static LogicalResult importConstants(Operation *op, OpBuilder &builder, IRMapping &known) {
  auto import = [&](Value value) -> LogicalResult {
    Operation *definition = value.getDefiningOp();
    if (known.contains(value))
      return success();
    if (!definition || !definition->hasTrait<OpTrait::ConstantLike>())
      return op->emitOpError("uses a scalar computed outside of it, which nodes do not share");
    builder.clone(*definition, known);
    return success();
  };
  for (Value operand : op->getOperands())
    if (!isa<RankedTensorType>(operand.getType()) && failed(import(operand)))
      return failure();
  WalkResult result = op->walk([&](Operation *inner) {
    if (inner == op)
      return WalkResult::advance();
    for (Value operand : inner->getOperands()) {
      Operation *definition = operand.getDefiningOp();
      bool isInside = definition ? op->isProperAncestor(definition)
                                 : op->isAncestor(operand.getParentBlock()->getParentOp());
      if (!isInside && failed(import(operand)))
        return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return success(!result.wasInterrupted());
}

ComputeOp FunctionPartitioner::emitCompute(const MappedOp &mapped, ValueRange ins, ValueRange outs,
                                           bool fillInside) {
  linalg::LinalgOp op = mapped.op;
  Location loc = op.getLoc();
  auto compute = ComputeOp::create(builder, loc, outs.getTypes(), ins, outs, DictionaryAttr{});
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&compute.getBody());
  IRMapping known;
  unsigned next = 0;
  for (OpOperand *operand : op.getDpsInputOperands())
    if (isa<RankedTensorType>(operand->get().getType()))
      known.map(operand->get(),
                body->addArgument(localTensor(cast<RankedTensorType>(ins[next++].getType())), loc));
  // Constants come before everything that uses them.
  SmallVector<Value> inits;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    Layout layout = mapped.layoutOf(init);
    SmallVector<int64_t> extents;
    for (const Layout::Dim &dim : layout.dims)
      extents.push_back(dim.extent);
    auto element = cast<RankedTensorType>(init.get().getType()).getElementType();
    Value local = body->addArgument(RankedTensorType::get(extents, element), loc);
    if (auto fill = fillOf(init); fill && fillInside) {
      Value constant = builder.clone(*fill.value().getDefiningOp())->getResult(0);
      local = linalg::FillOp::create(builder, loc, ValueRange{constant}, ValueRange{local})
                  .getResult(0);
    }
    inits.push_back(local);
  }
  if (failed(importConstants(op, builder, known)))
    return {};
  Operation *clone = builder.clone(*op, known);
  clone->removeAttr(mappingAttrName);
  auto local = cast<linalg::LinalgOp>(clone);
  unsigned argument = 0;
  for (OpOperand *operand : local.getDpsInputOperands())
    if (isa<RankedTensorType>(operand->get().getType()))
      operand->set(body->getArgument(argument++));
  for (auto [operand, init, result] :
       llvm::zip(local.getDpsInitsMutable(), inits, clone->getResults())) {
    operand.set(init);
    result.setType(init.getType());
  }
  YieldOp::create(builder, loc, clone->getResults());
  return compute;
}

FailureOr<SmallVector<Value>> FunctionPartitioner::emitSteps(const MappedOp &mapped,
                                                             ValueRange inits) {
  linalg::LinalgOp op = mapped.op;
  for (OpOperand *operand : op.getDpsInputOperands())
    if (isa<RankedTensorType>(operand->get().getType()) && failed(spreader.prepare(operand->get())))
      return failure();
  auto repeat = RepeatOp::create(builder, op.getLoc(), inits.getTypes(), mapped.steps(), inits);
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&repeat.getBody());
  Value step = body->addArgument(builder.getIndexType(), op.getLoc());
  for (Value init : inits)
    body->addArgument(init.getType(), op.getLoc());
  FailureOr<SmallVector<Value>> ins = inputsOf(mapped, step);
  if (failed(ins))
    return failure();
  ComputeOp compute = emitCompute(mapped, *ins, body->getArguments().drop_front(), false);
  if (!compute)
    return failure();
  YieldOp::create(builder, op.getLoc(), compute.getResults());
  return SmallVector<Value>(repeat.getResults());
}

FailureOr<Value> FunctionPartitioner::combine(const MappedOp &mapped, unsigned init,
                                              Value partial) {
  linalg::LinalgOp op = mapped.op;
  Operation *combiner = combinerOf(op, init);
  Value value = partial;
  for (unsigned left = mapped.splitReductions().size(); left > 0; --left) {
    auto type = cast<RankedTensorType>(value.getType());
    Layout layout = layoutOf(type), rest;
    rest.dims.append(layout.dims.begin() + 1, layout.dims.end());
    for (unsigned d : layout.order)
      if (d != 0)
        rest.order.push_back(d - 1);
    rest.axes = layout.axes;
    for (Layout::AxisUse &use : rest.axes) {
      for (Layout::Digit &digit : use.digits)
        if (!digit.repeats())
          digit.dim = digit.dim == 0 ? Layout::Digit::none : digit.dim - 1;
      if (llvm::all_of(use.digits, [](const Layout::Digit &d) { return d.repeats(); }))
        use.digits.clear();
    }
    auto restType = withLayout(
        RankedTensorType::get(type.getShape().drop_front(), type.getElementType()), rest);
    auto reduce = ReduceOp::create(builder, op.getLoc(), restType, value);
    OpBuilder::InsertionGuard guard(builder);
    Type element = type.getElementType();
    Block *block = builder.createBlock(&reduce.getCombiner(), {}, {element, element},
                                       {op.getLoc(), op.getLoc()});
    Operation *combined = builder.clone(*combiner);
    combined->setOperands(block->getArguments());
    YieldOp::create(builder, op.getLoc(), combined->getResults());
    value = reduce.getResult();
  }
  return value;
}

LogicalResult FunctionPartitioner::convertStructured(linalg::LinalgOp op) {
  auto mapping = op->getAttrOfType<MappingAttr>(mappingAttrName);
  if (!mapping)
    return op.emitOpError("has no dojo.mapping; run --dojo-select-mapping before");
  FailureOr<MappedOp> mapped = MappedOp::get(op, mapping, state.grid);
  if (failed(mapped))
    return failure();
  FailureOr<SmallVector<Value>> inits = initsOf(*mapped);
  if (failed(inits))
    return failure();
  SmallVector<Value> results;
  if (mapped->steps() > 1) {
    FailureOr<SmallVector<Value>> stepped = emitSteps(*mapped, *inits);
    if (failed(stepped))
      return failure();
    results = *stepped;
  } else {
    FailureOr<SmallVector<Value>> ins = inputsOf(*mapped, {});
    if (failed(ins))
      return failure();
    ComputeOp compute = emitCompute(*mapped, *ins, *inits, true);
    if (!compute)
      return failure();
    results = compute.getResults();
  }
  for (auto [i, result] : llvm::enumerate(results)) {
    FailureOr<Value> whole = result;
    if (!mapped->splitReductions().empty())
      whole = combine(*mapped, i, result);
    if (failed(whole))
      return failure();
    spreader.define(op->getResult(i), *whole);
  }
  return success();
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

LogicalResult FunctionPartitioner::convertReturn(func::ReturnOp op) {
  for (auto [i, value] : llvm::enumerate(op.getOperands())) {
    auto type = cast<RankedTensorType>(value.getType());
    auto title = source.getResultAttrOfType<StringAttr>(i, titleAttrName);
    DramOp dram = state.addDram(op.getLoc(), "output", "output", title, {}, type);
    if (type.getNumElements() == 0)
      continue;
    FailureOr<Value> held = spreader.anywhere(value);
    if (failed(held))
      return failure();
    moveToDram(value, *held, dram);
  }
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
  auto storage = global->getAttrOfType<StringAttr>(storageAttrName);
  if (storage && storage != "dram")
    return global->emitOpError("storage is dram, or absent for SRAM, found ") << storage;
  auto constant = op.getValue().getDefiningOp<arith::ConstantOp>();
  if (storage && constant && state.constants.contains(constant.getValue())) {
    state.stored[name] = state.constants[constant.getValue()];
    return success();
  }
  auto wanted = state.wanted.find(name);
  FailureOr<Value> held = storage || wanted == state.wanted.end()
                              ? spreader.anywhere(op.getValue())
                              : spreader.get(op.getValue(), wanted->second);
  if (failed(held))
    return failure();
  if (storage) {
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
    spreader.define(op, getDram(dram));
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
  if (op.getDialect()->getNamespace() == "tensor")
    return success(); // views, followed from where they are used
  return op.emitOpError("is not of the structured level: expected linalg, tensor or constants");
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
