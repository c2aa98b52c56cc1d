//===- Spreader.cpp - brings tensors to where they are needed -------------===//
#include "Spreader.h"
#include "dojo/Transforms/Weights.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

Layout ir::restingLayout(ArrayRef<int64_t> shape, const Coords &grid) {
  Layout layout = Layout::replicated(shape);
  for (unsigned a = 0; a < numAxes; ++a) {
    unsigned best = 0;
    int64_t bestCount = 1, bestBlock = 0;
    for (auto [d, size] : llvm::enumerate(shape)) {
      if (layout.blocks(d) > 1)
        continue;
      int64_t block = llvm::divideCeil(size, std::min(size, grid[a]));
      int64_t count = llvm::divideCeil(size, block);
      if (count > bestCount) {
        best = d;
        bestCount = count;
        bestBlock = block;
      }
    }
    if (bestCount == 1) {
      layout.axes[a].pinned = grid[a] > 1;
      continue;
    }
    layout.axes[a].digits = {{best, bestCount}};
    layout.dims[best] = {shape[best], bestBlock, 0, bestBlock, bestBlock};
  }
  return layout;
}

Value Spreader::destination(Location loc, RankedTensorType type, bool fill, TypedAttr padding) {
  if (!fill)
    return EmptyOp::create(builder, loc, type);
  return createFilled(builder, loc, type,
                      padding ? padding : builder.getZeroAttr(type.getElementType()));
}

//===-- Loops -------------------------------------------------------------===//

void Spreader::enterLoop(scf::ForOp loop, RepeatOp repeat) { loops.push_back({loop, repeat}); }

RepeatOp Spreader::repeatOf(Value inductionVariable) {
  auto *entered = llvm::find_if(
      loops, [&](auto &entry) { return entry.first.getInductionVar() == inductionVariable; });
  return entered->second;
}

/// Builds where `value` is defined: in front of the outermost loop that it lies outside of.
void Spreader::enterScopeOf(Value value) {
  for (auto [loop, repeat] : loops)
    if (!loop.getRegion().isAncestor(value.getParentRegion()))
      return builder.setInsertionPoint(repeat);
}

/// As viewOf, but what is held already is not looked through.
View Spreader::look(Value value) const {
  View view = viewOf(value);
  if (!view.isIdentity() && holders.contains(value))
    view = {value, value, builder.getMultiDimIdentityMap(view.map.getNumDims()), {}, {}, true};
  return view;
}

//===-- Holders -----------------------------------------------------------===//

FailureOr<Value> Spreader::holderOf(Value root) {
  if (Value holder = holders.lookup(root))
    return holder;
  OpBuilder::InsertionGuard guard(builder);
  enterScopeOf(root);
  FailureOr<Value> made = makeHolder(root);
  if (succeeded(made))
    holders[root] = *made;
  return made;
}

FailureOr<Value> Spreader::makeHolder(Value root) {
  Operation *op = root.getDefiningOp();
  if (isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
    return holdReshape(op);
  auto type = cast<RankedTensorType>(root.getType());
  Request request{
      restingLayout(type.getShape(), grid), SmallVector<int64_t>(type.getShape()), false, {}, {}};
  if (!viewOf(root).isIdentity())
    return get(root, request);
  if (auto concat = dyn_cast_or_null<tensor::ConcatOp>(op))
    return concatenate(concat, request);
  if (TypedAttr constant = repeatedValue(root))
    return createFilled(builder, op->getLoc(), withLayout(type, request.layout), constant);
  if (op)
    return op->emitOpError("has no lowering to the mesh");
  return emitError(root.getLoc(), "value has no lowering to the mesh");
}

/// The layout of the longer shape of a reshape in which only the first real dimension
/// of each group is cut, and that of the shorter shape which holds the same bytes.
static std::pair<Layout, Layout> reshapeLayouts(RankedTensorType fine, RankedTensorType coarse,
                                                ArrayRef<ReassociationIndices> groups,
                                                const Coords &grid) {
  SmallVector<int64_t> leading;
  SmallVector<unsigned> leadingDim;
  for (ArrayRef<int64_t> group : groups) {
    unsigned dim = group.front();
    for (int64_t d : llvm::reverse(group))
      if (fine.getDimSize(d) != 1)
        dim = d;
    leadingDim.push_back(dim);
    leading.push_back(fine.getDimSize(dim));
  }
  Layout cut = restingLayout(leading, grid);
  Layout fineLayout = Layout::replicated(fine.getShape());
  Layout coarseLayout = Layout::replicated(coarse.getShape());
  fineLayout.axes = coarseLayout.axes = cut.axes;
  for (Layout::AxisUse &use : fineLayout.axes)
    for (Layout::Digit &digit : use.digits)
      digit.dim = leadingDim[digit.dim];
  for (unsigned c = 0; c < groups.size(); ++c) {
    fineLayout.dims[leadingDim[c]] = cut.dims[c];
    int64_t rest = coarse.getDimSize(c) / cut.dims[c].size, step = cut.dims[c].step * rest;
    coarseLayout.dims[c] = {coarse.getDimSize(c), step, 0, step, step};
  }
  return {fineLayout, coarseLayout};
}

FailureOr<Value> Spreader::holdReshape(Operation *op) {
  Value source = op->getOperand(0);
  auto from = cast<RankedTensorType>(source.getType());
  auto to = cast<RankedTensorType>(op->getResult(0).getType());
  // Dense and row-major, the bytes of a tensor in DRAM have every shape.
  if (Value dram = inDram(source); dram && streams(source)) {
    auto type = RankedTensorType::get(to.getShape(), to.getElementType(),
                                      DramAttr::get(builder.getContext()));
    Value reshaped = ReshapeOp::create(builder, op->getLoc(), type, dram);
    streamed.insert(reshaped);
    return reshaped;
  }
  auto collapse = dyn_cast<tensor::CollapseShapeOp>(op);
  SmallVector<ReassociationIndices> groups =
      collapse ? collapse.getReassociationIndices()
               : cast<tensor::ExpandShapeOp>(op).getReassociationIndices();
  auto [fine, coarse] = reshapeLayouts(collapse ? from : to, collapse ? to : from, groups, grid);
  const Layout &before = collapse ? fine : coarse, &after = collapse ? coarse : fine;
  FailureOr<Value> moved =
      get(source, {before, SmallVector<int64_t>(from.getShape()), false, {}, {}});
  if (failed(moved))
    return failure();
  return Value(ReshapeOp::create(builder, op->getLoc(), withLayout(to, after), *moved));
}

FailureOr<Value> Spreader::onMesh(Value root) {
  FailureOr<Value> holder = holderOf(root);
  if (failed(holder) || !isDram(holder->getType()))
    return holder;
  if (Value home = homes.lookup(*holder))
    return home;
  OpBuilder::InsertionGuard guard(builder);
  if (!streamed.contains(*holder))
    enterScopeOf(root);
  auto type = cast<RankedTensorType>(root.getType());
  RankedTensorType spread = withLayout(type, restingLayout(type.getShape(), grid));
  auto map = AffineMap::getMultiDimIdentityMap(type.getRank(), builder.getContext());
  Value empty = EmptyOp::create(builder, root.getLoc(), spread);
  Value home =
      MoveOp::create(builder, root.getLoc(), spread, *holder, empty, Value{}, map, StringAttr{})
          .getResult();
  if (!streamed.contains(*holder))
    homes[*holder] = home;
  return home;
}

Value Spreader::inDram(Value value) const {
  View view = look(value);
  Value holder = view.isIdentity() ? holders.lookup(view.root) : Value{};
  return holder && isDram(holder.getType()) ? holder : Value{};
}

bool Spreader::streams(Value value) const {
  return streamed.contains(holders.lookup(look(value).root));
}

FailureOr<Value> Spreader::anywhere(Value value) {
  if (holders.contains(value) ||
      (look(value).isIdentity() && !value.getDefiningOp<tensor::ConcatOp>()))
    return onMesh(value);
  auto type = cast<RankedTensorType>(value.getType());
  return get(
      value,
      {restingLayout(type.getShape(), grid), SmallVector<int64_t>(type.getShape()), false, {}, {}});
}

LogicalResult Spreader::prepare(Value value) {
  View view = look(value);
  Value root = view.root;
  // A panel has a symbol of its own.
  if (view.step) {
    FailureOr<Value> held = anywhere(value);
    if (succeeded(held))
      define(value, *held);
    return held;
  }
  return success(root.getDefiningOp<tensor::EmptyOp>() || repeatedValue(root) ||
                 succeeded(holderOf(root)));
}

//===-- Requests ----------------------------------------------------------===//

FailureOr<Value> Spreader::get(Value value, const Request &request) {
  if (request.symbol || streams(value))
    return copy(value, request);
  View view = look(value);
  if (view.isIdentity()) {
    Value holder = holders.lookup(value);
    bool needsZeros =
        request.zeroPadding && Move::relayout(request.layout, request.layout, 1).leavesGaps();
    if (holder && !isDram(holder.getType()) && layoutOf(holder.getType()) == request.layout &&
        (!needsZeros || paddedWithZero.contains(holder)))
      return holder;
  }
  auto key =
      std::make_tuple(value, Attribute(LayoutAttr::get(builder.getContext(), request.layout)),
                      unsigned(request.zeroPadding));
  if (Value done = made.lookup(key))
    return done;
  OpBuilder::InsertionGuard guard(builder);
  enterScopeOf(value);
  FailureOr<Value> result = copy(value, request);
  if (failed(result))
    return failure();
  made[key] = *result;
  // A concatenation is put together once; what else needs it reads it there.
  if (value.getDefiningOp<tensor::ConcatOp>() && request.layout.holdsAll() &&
      holdsOnce(request.layout, grid) && holders.try_emplace(value, *result).second)
    setPaddedWithZero(*result);
  return result;
}

FailureOr<Value> Spreader::copy(Value value, const Request &request) {
  View view = look(value);
  auto concat = view.root.getDefiningOp<tensor::ConcatOp>();
  if (concat && view.isIdentity() && !request.symbol && !holders.contains(value))
    return concatenate(concat, request);
  if (!view.step)
    return moveView(value, view, request);
  RepeatOp repeat = repeatOf(view.step);
  Request inStep = request;
  inStep.symbol = repeat.getBody().getArgument(0);
  inStep.advance.assign(view.map.getNumDims(), 0);
  inStep.steps = repeat.getCount();
  return moveView(value, view, inStep);
}

/// The view's map with the advance of a panel added.
static AffineMap panelMap(const View &view, const Request &request, OpBuilder &builder) {
  if (!request.symbol || view.step)
    return view.map;
  AffineMap map = view.map;
  SmallVector<AffineExpr> shifted;
  AffineExpr symbol = builder.getAffineSymbolExpr(0);
  for (auto [d, advance] : llvm::enumerate(request.advance))
    shifted.push_back(builder.getAffineDimExpr(d) + symbol * advance);
  return map.compose(AffineMap::get(shifted.size(), 1, shifted, builder.getContext()));
}

bool ir::holdsOnce(const Layout &layout, const Coords &grid) {
  if (!layout.isPartition())
    return false;
  for (unsigned a = 0; a < numAxes; ++a) {
    const Layout::AxisUse &use = layout.axes[a];
    if (use.digits.empty() ? !use.pinned && grid[a] > 1
                           : llvm::any_of(use.digits, [](auto &d) { return d.repeats(); }))
      return false;
  }
  return true;
}

FailureOr<Value> Spreader::moveView(Value value, const View &view, const Request &request) {
  // An operand of no values, such as the window of a pooling, is memory alone.
  if (view.root.getDefiningOp<tensor::EmptyOp>())
    return destination(
        value.getLoc(),
        withLayout(RankedTensorType::get(request.shape,
                                         cast<RankedTensorType>(value.getType()).getElementType()),
                   request.layout),
        false, {});
  if (TypedAttr constant = repeatedValue(view.root))
    return repeatValue(constant, view, request);
  FailureOr<Value> source = holderOf(view.root);
  if (failed(source))
    return failure();
  AffineMap map = panelMap(view, request, builder);
  if (isDram(source->getType())) {
    bool isPart = request.symbol || streamed.contains(*source);
    bool isDirect = view.isIdentity() && holdsOnce(request.layout, grid);
    if (homes.contains(*source) || (!isDirect && !isPart))
      source = onMesh(view.root);
    else if (!isDirect)
      source = loadBox(*source, map, view.padding, request);
    if (failed(source))
      return failure();
  }
  auto element = cast<RankedTensorType>(value.getType()).getElementType();
  auto type = withLayout(RankedTensorType::get(request.shape, element), request.layout);
  return move(value.getLoc(), *source, type, map, view.padding, request);
}

FailureOr<Value> Spreader::move(Location loc, Value source, RankedTensorType type, AffineMap map,
                                TypedAttr padding, const Request &request) {
  auto terms = termsOf(map);
  if (failed(terms))
    return emitError(loc, "cannot move along the map ") << AffineMapAttr::get(map);
  RankedTensorType from = ir::tensorOf(source.getType());
  Layout layout = isDram(from) ? Layout::replicated(from.getShape()) : layoutOf(from);
  bool gaps = Move{layout, layoutOf(type), *terms, 1}.leavesGaps(request.steps);
  Value dest = destination(loc, type, gaps, padding);
  Value symbol = map.getNumSymbols() ? request.symbol : Value{};
  return MoveOp::create(builder, loc, type, source, dest, symbol, map, StringAttr{}).getResult();
}

/// A constant is written where it is wanted, and occupies what is asked for, not what it is a
/// part of. Where gaps must hold something else, it is moved from a tensor that keeps the
/// dimensions which the map leaves, and the innermost, for long runs, if that is small; 1 stands
/// for the others.
FailureOr<Value> Spreader::repeatValue(TypedAttr constant, const View &view,
                                       const Request &request) {
  Location loc = view.value.getLoc();
  auto type = withLayout(RankedTensorType::get(request.shape, constant.getType()), request.layout);
  AffineMap map = panelMap(view, request, builder);
  auto terms = termsOf(map);
  if (failed(terms))
    return emitError(loc, "cannot move along the map ") << AffineMapAttr::get(map);
  SmallVector<int64_t> shape(cast<RankedTensorType>(view.root.getType()).getShape());
  Move whole{Layout::replicated(shape), request.layout, *terms, 1};
  TypedAttr gap = view.padding ? view.padding : builder.getZeroAttr(constant.getType());
  bool isSeen = view.padding || request.zeroPadding;
  if (!isSeen || gap == constant || !whole.leavesGaps(request.steps))
    return createFilled(builder, loc, type, constant);
  SmallVector<AffineExpr> exprs(map.getResults());
  auto drop = [&](auto isDropped) {
    for (auto [d, term] : llvm::enumerate(*terms))
      if (!whole.leaves(d, request.steps) && isDropped(term)) {
        shape[d] = 1;
        exprs[d] = builder.getAffineConstantExpr(0);
      }
    return withLayout(RankedTensorType::get(shape, constant.getType()), Layout::replicated(shape));
  };
  const int inner = request.layout.order.empty() ? -1 : request.layout.order.back();
  RankedTensorType source = drop([&](const Move::Term &term) { return term.dstDim != inner; });
  if (localBytes(source) > localBytes(type))
    source = drop([](const Move::Term &) { return true; });
  if (localBytes(source) > localBytes(type))
    source = withLayout(source, restingLayout(shape, grid));
  map = AffineMap::get(map.getNumDims(), map.getNumSymbols(), exprs, builder.getContext());
  if (!map.isFunctionOfSymbol(0)) // the same in every step
    map = AffineMap::get(map.getNumDims(), 0, exprs, builder.getContext());
  return move(loc, createFilled(builder, loc, source, constant), type, map, view.padding, request);
}

/// Loads, by shard, the part of a tensor in DRAM that `map` reaches. With i = a * j +
/// c + advance * s, box index i - c - advance * s: `map` becomes a * j, from the box.
FailureOr<Value> Spreader::loadBox(Value source, AffineMap &map, TypedAttr padding,
                                   const Request &request) {
  auto terms = termsOf(map);
  if (failed(terms))
    return emitError(source.getLoc(), "cannot move along the map ") << AffineMapAttr::get(map);
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> load, rest;
  for (auto [d, term] : llvm::enumerate(*terms)) {
    bool varies = term.dstDim >= 0;
    shape.push_back(varies ? term.coefficient * (request.shape[term.dstDim] - 1) + 1 : 1);
    rest.push_back(varies ? builder.getAffineDimExpr(term.dstDim) * term.coefficient
                          : builder.getAffineConstantExpr(0));
    load.push_back(builder.getAffineDimExpr(d) + term.constant +
                   builder.getAffineSymbolExpr(0) * term.symbolCoefficient);
  }
  MLIRContext *context = builder.getContext();
  auto element = ir::tensorOf(source.getType()).getElementType();
  auto box = withLayout(RankedTensorType::get(shape, element), restingLayout(shape, grid));
  map = AffineMap::get(map.getNumDims(), 0, rest, context);
  return move(source.getLoc(), source, box,
              AffineMap::get(shape.size(), request.symbol ? 1 : 0, load, context), padding,
              request);
}

FailureOr<Value> Spreader::concatenate(tensor::ConcatOp op, const Request &request) {
  auto element = op.getResultType().getElementType();
  auto type = withLayout(RankedTensorType::get(request.shape, element), request.layout);
  bool hasPadding = Move::relayout(request.layout, request.layout, 1).leavesGaps();
  Value result = destination(op.getLoc(), type, hasPadding, {});
  int64_t offset = 0;
  for (Value piece : op.getInputs()) {
    View view = look(piece);
    if (!view.bounded || view.padding)
      view = {piece, piece, AffineMap::getMultiDimIdentityMap(type.getRank(), builder.getContext()),
              {},    {},    true};
    FailureOr<Value> source = view.root == piece ? anywhere(piece) : onMesh(view.root);
    if (failed(source))
      return failure();
    SmallVector<AffineExpr> shift;
    for (int64_t d = 0; d < type.getRank(); ++d)
      shift.push_back(builder.getAffineDimExpr(d) - (d == int64_t(op.getDim()) ? offset : 0));
    AffineMap map =
        view.map.compose(AffineMap::get(type.getRank(), 0, shift, builder.getContext()));
    result = MoveOp::create(builder, op.getLoc(), type, *source, result, Value{}, map, StringAttr{})
                 .getResult();
    offset += cast<RankedTensorType>(piece.getType()).getDimSize(op.getDim());
  }
  return result;
}
