//===- PartitionOps.cpp - structured ops as moves and computation ---------===//
#include "Partitioner.h"
#include "dojo/Transforms/Contraction.h"
#include "mlir/Analysis/SliceAnalysis.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

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
  if (symbol && mapped.advances(operand)) {
    request.symbol = symbol;
    request.advance = mapped.advanceOf(operand);
    request.steps = mapped.steps();
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

static SmallVector<OpOperand *> tensorInputs(linalg::LinalgOp op) {
  return llvm::filter_to_vector(op.getDpsInputOperands(), [](OpOperand *operand) {
    return isa<RankedTensorType>(operand->get().getType());
  });
}

/// Brings the inputs that are the same in every step; those that advance stay null.
LogicalResult FunctionPartitioner::prepareInputs(const MappedOp &mapped,
                                                 SmallVectorImpl<Value> &fixed) {
  for (OpOperand *operand : tensorInputs(mapped.op)) {
    FailureOr<Value> value = Value{};
    if (!mapped.advances(*operand))
      value = spreader.get(operand->get(), requestFor(mapped, *operand, {}));
    else if (failed(spreader.prepare(operand->get())))
      return failure();
    if (failed(value))
      return failure();
    fixed.push_back(*value);
  }
  for (OpOperand &init : linalg::LinalgOp(mapped.op).getDpsInitsMutable())
    if (mapped.advances(init) && !fillOf(init) && !isUndefined(init) &&
        failed(spreader.prepare(init.get())))
      return failure();
  return success();
}

FailureOr<SmallVector<Value>> FunctionPartitioner::inputsOf(const MappedOp &mapped, Value symbol,
                                                            ArrayRef<Value> fixed) {
  SmallVector<OpOperand *> operands = tensorInputs(mapped.op);
  SmallVector<Value> values(fixed);
  values.resize(operands.size());
  for (auto [value, operand] : llvm::zip(values, operands)) {
    if (value)
      continue;
    FailureOr<Value> brought = spreader.get(operand->get(), requestFor(mapped, *operand, symbol));
    if (failed(brought))
      return failure();
    value = *brought;
  }
  return values;
}
/// Where results go: undefined memory, the fill of a stepped reduction, or a copy of
/// the tensor, or of the panel of it, that is updated.
FailureOr<SmallVector<Value>> FunctionPartitioner::initsOf(const MappedOp &mapped, Value symbol) {
  SmallVector<Value> values;
  linalg::LinalgOp op = mapped.op;
  bool isSplit = !mapped.splitReductions().empty();
  for (OpOperand &init : op.getDpsInitsMutable()) {
    auto type = cast<RankedTensorType>(init.get().getType());
    SmallVector<int64_t> shape = mapped.shapeOf(init);
    Layout layout = isSplit ? mapped.partialLayoutOf(init) : mapped.layoutOf(init);
    if (isSplit)
      for (unsigned r : llvm::reverse(mapped.splitReductions()))
        shape.insert(shape.begin(), mapped.iterators[r].blocks);
    auto spread = withLayout(RankedTensorType::get(shape, type.getElementType()), layout);
    TypedAttr constant;
    if (auto fill = fillOf(init); fill && !matchPattern(fill.value(), m_Constant(&constant)))
      return fill.emitOpError("fills with a value that is not a constant");
    if (fillOf(init) && mapped.steps() > 1 && !mapped.stepsResults()) {
      values.push_back(createFilled(builder, op.getLoc(), spread, constant));
    } else if (fillOf(init) || isUndefined(init)) {
      values.push_back(EmptyOp::create(builder, op.getLoc(), spread));
    } else {
      FailureOr<Value> copy = spreader.copy(init.get(), requestFor(mapped, init, symbol));
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

/// What the report says of an op: its mapping, and how much a contraction multiplies.
static DictionaryAttr factsOf(const MappedOp &mapped) {
  linalg::LinalgOp op = mapped.op;
  Builder builder(op.getContext());
  SmallVector<NamedAttribute> facts{builder.getNamedAttr("mapping", mapped.mapping)};
  auto set = [&](StringRef name, int64_t value) {
    facts.push_back(builder.getNamedAttr(name, builder.getI64IntegerAttr(value)));
  };
  if (size_t split = mapped.splitReductions().size())
    set("partials", split);
  if (isContraction(op)) {
    int64_t macs = 1;
    for (int64_t range : op.getStaticLoopRanges())
      macs *= range;
    set("macs", macs);
    set("node_macs", mapped.nodePoints());
    set("runs", mapped.steps());
    if (usesMatrixUnit(op))
      facts.push_back(builder.getNamedAttr("matrix", builder.getUnitAttr()));
  }
  return builder.getDictionaryAttr(facts);
}

ComputeOp FunctionPartitioner::emitCompute(const MappedOp &mapped, ValueRange ins, ValueRange outs,
                                           bool fillInside) {
  linalg::LinalgOp op = mapped.op;
  Location loc = op.getLoc();
  auto compute = ComputeOp::create(builder, loc, outs.getTypes(), ins, outs, factsOf(mapped));
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
  for (StringRef decision : {mappingAttrName, storageAttrName, slotsAttrName})
    clone->removeAttr(decision);
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

FailureOr<SmallVector<Value>> FunctionPartitioner::combineAll(const MappedOp &mapped,
                                                              ValueRange partial) {
  SmallVector<Value> results;
  for (auto [i, value] : llvm::enumerate(partial)) {
    FailureOr<Value> whole =
        mapped.splitReductions().empty() ? FailureOr<Value>(value) : combine(mapped, i, value);
    if (failed(whole))
      return failure();
    results.push_back(*whole);
  }
  return results;
}

FailureOr<SmallVector<Value>> FunctionPartitioner::emitAtOnce(const MappedOp &mapped) {
  FailureOr<SmallVector<Value>> inits = initsOf(mapped, {});
  if (failed(inits))
    return failure();
  FailureOr<SmallVector<Value>> ins = inputsOf(mapped, {}, {});
  if (failed(ins))
    return failure();
  ComputeOp compute = emitCompute(mapped, *ins, *inits, true);
  if (!compute)
    return failure();
  return combineAll(mapped, compute.getResults());
}

/// Where panels of results are put together: in DRAM, or in the layout the results
/// would have without steps.
FailureOr<SmallVector<Value>> FunctionPartitioner::placesFor(const MappedOp &mapped) {
  SmallVector<Value> places;
  linalg::LinalgOp op = mapped.op;
  MappedOp whole = mapped.unstepped();
  for (OpOperand &init : op.getDpsInitsMutable()) {
    OpResult result = op.getTiedOpResult(&init);
    FailureOr<bool> inDram = staysInDram(result);
    if (failed(inDram))
      return failure();
    if (*inDram) {
      places.push_back(getDram(addScratch(result)));
      continue;
    }
    Layout layout = whole.layoutOf(init);
    auto type = withLayout(cast<RankedTensorType>(result.getType()), layout);
    bool hasPadding = Move::relayout(layout, layout, 1).leavesGaps();
    places.push_back(hasPadding ? createFilled(builder, op.getLoc(), type,
                                               builder.getZeroAttr(type.getElementType()))
                                : Value(EmptyOp::create(builder, op.getLoc(), type)));
  }
  return places;
}

/// Index j of the whole is index j - advance * step of the panel.
Value FunctionPartitioner::addPanel(const MappedOp &mapped, OpOperand &init, Value panel,
                                    Value whole, Value step) {
  SmallVector<AffineExpr> exprs;
  for (auto [d, advance] : llvm::enumerate(mapped.advanceOf(init)))
    exprs.push_back(builder.getAffineDimExpr(d) - builder.getAffineSymbolExpr(0) * advance);
  auto map = AffineMap::get(exprs.size(), 1, exprs, builder.getContext());
  return MoveOp::create(builder, panel.getLoc(), whole.getType(), panel, whole, step, map,
                        StringAttr{})
      .getResult();
}

/// The body of the repeat: `carried` are accumulated or, panel by panel, put together.
FailureOr<SmallVector<Value>> FunctionPartitioner::emitStep(const MappedOp &mapped, Value step,
                                                            ArrayRef<Value> fixed,
                                                            ValueRange carried) {
  linalg::LinalgOp op = mapped.op;
  SmallVector<Value> outs(carried);
  if (mapped.stepsResults()) {
    FailureOr<SmallVector<Value>> inits = initsOf(mapped, step);
    if (failed(inits))
      return failure();
    outs = *inits;
  }
  FailureOr<SmallVector<Value>> ins = inputsOf(mapped, step, fixed);
  if (failed(ins))
    return failure();
  ComputeOp compute = emitCompute(mapped, *ins, outs, mapped.stepsResults());
  if (!compute)
    return failure();
  if (!mapped.stepsResults())
    return SmallVector<Value>(compute.getResults());
  FailureOr<SmallVector<Value>> panels = combineAll(mapped, compute.getResults());
  if (failed(panels))
    return failure();
  SmallVector<Value> results;
  for (auto [init, panel, whole] : llvm::zip(op.getDpsInitsMutable(), *panels, carried))
    results.push_back(addPanel(mapped, init, panel, whole, step));
  return results;
}

FailureOr<SmallVector<Value>> FunctionPartitioner::emitSteps(const MappedOp &mapped) {
  linalg::LinalgOp op = mapped.op;
  SmallVector<Value> fixed;
  if (failed(prepareInputs(mapped, fixed)))
    return failure();
  FailureOr<SmallVector<Value>> inits =
      mapped.stepsResults() ? placesFor(mapped) : initsOf(mapped, {});
  if (failed(inits))
    return failure();
  auto slots = op->getAttrOfType<IntegerAttr>(slotsAttrName);
  auto repeat = RepeatOp::create(builder, op.getLoc(), ValueRange(*inits).getTypes(),
                                 mapped.steps(), *inits, slots ? slots.getInt() : 2);
  SmallVector<Value> results;
  {
    OpBuilder::InsertionGuard guard(builder);
    Block *body = builder.createBlock(&repeat.getBody());
    Value step = body->addArgument(builder.getIndexType(), op.getLoc());
    for (Value init : *inits)
      body->addArgument(init.getType(), op.getLoc());
    FailureOr<SmallVector<Value>> carried =
        emitStep(mapped, step, fixed, body->getArguments().drop_front());
    if (failed(carried))
      return failure();
    YieldOp::create(builder, op.getLoc(), *carried);
  }
  if (!mapped.stepsResults())
    return combineAll(mapped, repeat.getResults());
  // A tensor in DRAM is a place, not a value.
  for (auto [init, result] : llvm::zip(*inits, repeat.getResults()))
    results.push_back(isDram(init.getType()) ? init : Value(result));
  return results;
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
  FailureOr<SmallVector<Value>> results =
      mapped->steps() > 1 ? emitSteps(*mapped) : emitAtOnce(*mapped);
  if (failed(results))
    return failure();
  for (auto [result, value] : llvm::zip(op->getResults(), *results)) {
    FailureOr<bool> inDram = staysInDram(result);
    if (failed(inDram))
      return failure();
    if (*inDram && !isDram(value.getType())) {
      DramOp dram = addScratch(result);
      moveToDram(result, value, dram);
      value = getDram(dram);
    }
    if (*inDram)
      spreader.defineStreamed(result, value);
    else
      spreader.define(result, value);
  }
  return success();
}
