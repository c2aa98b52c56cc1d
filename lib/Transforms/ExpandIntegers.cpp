//===- ExpandIntegers.cpp - --dojo-expand-integers ------------------------===//
#include "WideScalars.h"
#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace dojo {
#define GEN_PASS_DEF_EXPANDINTEGERS
#include "dojo/Transforms/Passes.h.inc"
} // namespace dojo

using namespace mlir;
using namespace dojo;
using wide::Halves;

namespace {

bool isWide(Type type) { return getElementTypeOrSelf(type).isSignlessInteger(64); }
bool isWide(Value value) { return isWide(value.getType()); }

bool usesWide(Operation *op) {
  auto wide = [](Type type) { return isWide(type); };
  return llvm::any_of(op->getOperandTypes(), wide) || llvm::any_of(op->getResultTypes(), wide);
}

Type halfOf(Type type) {
  Type half = IntegerType::get(type.getContext(), 32);
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped ? Type(shaped.clone(half)) : half;
}

/// The low or the high words of a constant.
TypedAttr halfOf(TypedAttr value, bool high) {
  auto half = [&](uint64_t bits) { return APInt(32, uint32_t(high ? bits >> 32 : bits)); };
  if (auto scalar = dyn_cast<IntegerAttr>(value))
    return IntegerAttr::get(halfOf(scalar.getType()), half(scalar.getValue().getZExtValue()));
  auto type = cast<ShapedType>(halfOf(value.getType()));
  if (auto dense = dyn_cast<DenseIntElementsAttr>(value))
    return dense.mapValues(type.getElementType(),
                           [&](const APInt &v) { return half(v.getZExtValue()); });
  auto resource = cast<DenseResourceElementsAttr>(value);
  ArrayRef<uint64_t> words = resource.getRawHandle().getBlob()->getDataAs<uint64_t>();
  AsmResourceBlob halves =
      HeapAsmResourceBlob::allocate(words.size() * sizeof(uint32_t), alignof(uint64_t));
  llvm::transform(words, reinterpret_cast<uint32_t *>(halves.getMutableData().data()),
                  [&](uint64_t bits) { return half(bits).getZExtValue(); });
  return DenseResourceElementsAttr::get(
      type, (resource.getRawHandle().getKey() + (high ? "_high" : "_low")).str(),
      std::move(halves));
}

/// Every tensor of 64-bit integers in a function as two of 32-bit ones.
class Splitter {
public:
  explicit Splitter(func::FuncOp function) : function(function), b(function.getContext()) {}

  LogicalResult run();

private:
  void splitArguments();
  void joinResults(func::ReturnOp op);
  LogicalResult splitAll(Block &block);
  LogicalResult split(Operation *op);
  LogicalResult splitLoop(scf::ForOp op);
  SmallVector<Value> halves(ValueRange values);
  LogicalResult splitGeneric(linalg::GenericOp op);
  Value clonedHalf(Operation *op, bool high);
  Value paddedHalf(tensor::PadOp op, bool high);
  Value half(Value value, bool high) {
    return high ? tensors.lookup(value).high : tensors.lookup(value).low;
  }

  func::FuncOp function;
  OpBuilder b;
  DenseMap<Value, Halves> tensors;
  SmallVector<Operation *> replaced; ///< loops before what was inside of them
};

} // namespace

/// A new argument stands behind each old one until nothing uses that.
void Splitter::splitArguments() {
  Block &body = function.getBody().front();
  b.setInsertionPointToStart(&body);
  for (auto [index, old] : llvm::enumerate(SmallVector<BlockArgument>(body.getArguments()))) {
    if (!isWide(old))
      continue;
    SmallVector<int64_t> shape(cast<RankedTensorType>(old.getType()).getShape());
    auto words = RankedTensorType::get(shape, b.getI32Type());
    if (!function.getArgAttr(index, elementAttrName))
      function.setArgAttr(index, elementAttrName, b.getStringAttr("i64"));
    SmallVector<int64_t> starts(shape.size() + 1, 0), ones(shape.size() + 1, 1), sizes(shape);
    sizes.push_back(1);
    shape.push_back(2);
    Value argument = body.insertArgument(
        old.getArgNumber() + 1, RankedTensorType::get(shape, b.getI32Type()), old.getLoc());
    auto piece = [&](int64_t word) -> Value {
      if (!words.getNumElements())
        return tensor::EmptyOp::create(b, old.getLoc(), words.getShape(), words.getElementType());
      starts.back() = word;
      return tensor::ExtractSliceOp::create(b, old.getLoc(), words, argument,
                                            getAsIndexOpFoldResult(b.getContext(), starts),
                                            getAsIndexOpFoldResult(b.getContext(), sizes),
                                            getAsIndexOpFoldResult(b.getContext(), ones));
    };
    tensors[old] = {piece(0), piece(1)};
  }
}

/// The words of each element side by side, as memory outside has them.
void Splitter::joinResults(func::ReturnOp op) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isWide(operand.get()))
      continue;
    unsigned index = operand.getOperandNumber();
    if (!function.getResultAttr(index, elementAttrName))
      function.setResultAttr(index, elementAttrName, b.getStringAttr("i64"));
    Halves halves = tensors.lookup(operand.get());
    SmallVector<int64_t> shape(cast<RankedTensorType>(halves.low.getType()).getShape());
    SmallVector<ReassociationIndices> groups(shape.size());
    for (auto [i, group] : llvm::enumerate(groups))
      group.push_back(i);
    if (!groups.empty())
      groups.back().push_back(shape.size());
    shape.push_back(1);
    auto type = RankedTensorType::get(shape, b.getI32Type());
    auto column = [&](Value value) -> Value {
      return tensor::ExpandShapeOp::create(b, op.getLoc(), type, value, groups);
    };
    SmallVector<Value> columns = {column(halves.low), column(halves.high)};
    operand.set(tensor::ConcatOp::create(b, op.getLoc(), shape.size() - 1, columns));
  }
}

Value Splitter::clonedHalf(Operation *op, bool high) {
  // The regions of these name the element type: they are built anew.
  if (auto fill = dyn_cast<linalg::FillOp>(op))
    return linalg::FillOp::create(b, op->getLoc(), half(fill.value(), high),
                                  half(fill.output(), high))
        .getResult(0);
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
    return linalg::TransposeOp::create(b, op->getLoc(), half(transpose.getInput(), high),
                                       half(transpose.getInit(), high), transpose.getPermutation())
        ->getResult(0);
  IRMapping mapping;
  for (Value operand : op->getOperands())
    if (isWide(operand))
      mapping.map(operand, half(operand, high));
  Operation *copy = b.clone(*op, mapping);
  copy->getResult(0).setType(halfOf(op->getResult(0).getType()));
  if (auto constant = dyn_cast<arith::ConstantOp>(copy))
    constant.setValueAttr(halfOf(constant.getValue(), high));
  return copy->getResult(0);
}

Value Splitter::paddedHalf(tensor::PadOp op, bool high) {
  TypedAttr padding;
  matchPattern(op.getConstantPaddingValue(), m_Constant(&padding));
  Value scalar = arith::ConstantOp::create(b, op.getLoc(), halfOf(padding, high));
  return tensor::PadOp::create(b, op.getLoc(), cast<RankedTensorType>(halfOf(op.getType())),
                               half(op.getSource(), high), op.getMixedLowPad(),
                               op.getMixedHighPad(), scalar);
}

LogicalResult Splitter::splitGeneric(linalg::GenericOp op) {
  SmallVector<Value> inputs, outputs;
  SmallVector<AffineMap> maps, outputMaps;
  for (OpOperand &operand : op->getOpOperands()) {
    bool isInput = op.isDpsInput(&operand);
    for (bool high : {false, true}) {
      if (high && !isWide(operand.get()))
        continue;
      (isInput ? inputs : outputs)
          .push_back(isWide(operand.get()) ? half(operand.get(), high) : operand.get());
      (isInput ? maps : outputMaps).push_back(op.getMatchingIndexingMap(&operand));
    }
  }
  maps.append(outputMaps);
  LogicalResult converted = success();
  auto build = [&](OpBuilder &nested, Location loc, ValueRange arguments) {
    wide::BodySplitter body(nested, loc);
    for (BlockArgument argument : op.getBody()->getArguments()) {
      bool pair = isWide(argument);
      pair ? body.map(argument, {arguments[0], arguments[1]}) : body.map(argument, arguments[0]);
      arguments = arguments.drop_front(pair ? 2 : 1);
    }
    for (Operation &inner : op.getBody()->without_terminator())
      if (succeeded(converted))
        converted = body.split(&inner);
    SmallVector<Value> results;
    if (succeeded(converted))
      for (Value value : op.getBody()->getTerminator()->getOperands())
        body.append(value, results);
    linalg::YieldOp::create(nested, loc, results);
  };
  auto split = linalg::GenericOp::create(b, op.getLoc(), ValueRange(outputs).getTypes(), inputs,
                                         outputs, maps, op.getIteratorTypesArray(), build);
  if (failed(converted))
    return failure();
  unsigned next = 0;
  for (OpResult result : op->getResults()) {
    if (isWide(result)) {
      tensors[result] = {split.getResult(next), split.getResult(next + 1)};
      next += 2;
    } else {
      result.replaceAllUsesWith(split.getResult(next++));
    }
  }
  return success();
}

/// Both words of what is wide, the rest as it is.
SmallVector<Value> Splitter::halves(ValueRange values) {
  SmallVector<Value> all;
  for (Value value : values) {
    all.push_back(isWide(value) ? half(value, false) : value);
    if (isWide(value))
      all.push_back(half(value, true));
  }
  return all;
}

/// Carries both words. The body moves over and is split there.
LogicalResult Splitter::splitLoop(scf::ForOp op) {
  auto loop = scf::ForOp::create(b, op.getLoc(), op.getLowerBound(), op.getUpperBound(),
                                 op.getStep(), halves(op.getInitArgs()));
  auto replace = [&](ValueRange olds, ValueRange news) {
    for (Value old : olds) {
      if (isWide(old))
        tensors[old] = {news[0], news[1]};
      else
        old.replaceAllUsesWith(news[0]);
      news = news.drop_front(isWide(old) ? 2 : 1);
    }
  };
  Block &body = *loop.getBody();
  if (!body.empty())
    body.back().erase();
  body.getOperations().splice(body.end(), op.getBody()->getOperations());
  replace(op.getBody()->getArguments(), body.getArguments());
  if (failed(splitAll(body)))
    return failure();
  replace(op.getResults(), loop.getResults());
  return success();
}

static bool holdsWide(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        return usesWide(inner) ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

LogicalResult Splitter::splitAll(Block &block) {
  SmallVector<Operation *> ops;
  for (Operation &op : block)
    if (usesWide(&op) || (isa<scf::ForOp>(op) && holdsWide(&op)))
      ops.push_back(&op);
  for (Operation *op : ops) {
    if (!op->hasTrait<OpTrait::IsTerminator>())
      replaced.push_back(op);
    if (failed(split(op)))
      return failure();
  }
  return success();
}

LogicalResult Splitter::split(Operation *op) {
  b.setInsertionPoint(op);
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return splitLoop(loop);
  if (isa<scf::YieldOp>(op)) {
    op->setOperands(halves(op->getOperands()));
    return success();
  }
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return splitGeneric(generic);
  if (auto ret = dyn_cast<func::ReturnOp>(op)) {
    joinResults(ret);
    return success();
  }
  if (auto pad = dyn_cast<tensor::PadOp>(op)) {
    tensors[op->getResult(0)] = {paddedHalf(pad, false), paddedHalf(pad, true)};
    return success();
  }
  if (!isa<arith::ConstantOp, linalg::FillOp, linalg::TransposeOp, tensor::EmptyOp,
           tensor::ConcatOp, tensor::ExtractSliceOp, tensor::InsertSliceOp, tensor::CollapseShapeOp,
           tensor::ExpandShapeOp>(op))
    return op->emitOpError("on 64-bit integers has no form on halves of 32 bits");
  tensors[op->getResult(0)] = {clonedHalf(op, false), clonedHalf(op, true)};
  return success();
}

LogicalResult Splitter::run() {
  splitArguments();
  if (failed(splitAll(function.getBody().front())))
    return failure();
  for (Operation *op : llvm::reverse(replaced))
    op->erase();
  function.getBody().front().eraseArguments(
      [](BlockArgument argument) { return isWide(argument); });
  Operation *terminator = function.getBody().front().getTerminator();
  function.setFunctionType(FunctionType::get(function.getContext(),
                                             function.getBody().front().getArgumentTypes(),
                                             terminator->getOperandTypes()));
  return success();
}

namespace {

/// Named operations on 64-bit integers, but fills and transpositions, as generics.
void generalizeWide(func::FuncOp function) {
  IRRewriter rewriter(function.getContext());
  SmallVector<linalg::LinalgOp> named;
  function.walk([&](linalg::LinalgOp op) {
    if (usesWide(op) && !isa<linalg::GenericOp, linalg::FillOp, linalg::TransposeOp>(*op))
      named.push_back(op);
  });
  for (linalg::LinalgOp op : named) {
    rewriter.setInsertionPoint(op);
    (void)linalg::generalizeNamedOp(rewriter, op);
  }
}

struct ExpandIntegers : dojo::impl::ExpandIntegersBase<ExpandIntegers> {
  void runOnOperation() override {
    SmallVector<Operation *> divisions;
    getOperation().walk([&](Operation *op) {
      if (isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp>(op))
        divisions.push_back(op);
    });
    llvm::for_each(divisions, wide::expandDivision);
    bool any = holdsWide(getOperation()) ||
               llvm::any_of(getOperation().getArgumentTypes(), [](Type t) { return isWide(t); });
    if (!any)
      return;
    generalizeWide(getOperation());
    if (failed(Splitter(getOperation()).run()))
      return signalPassFailure();
    // Who needs the low words alone computes no high ones.
    RewritePatternSet patterns(&getContext());
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
