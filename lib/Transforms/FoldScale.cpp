//===- FoldScale.cpp - --dojo-fold-scale ----------------------------------===//
#include "dojo/Transforms/Contraction.h"
#include "dojo/Transforms/Passes.h"
#include "dojo/Transforms/Weights.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace dojo {
#define GEN_PASS_DEF_FOLDSCALE
#include "dojo/Transforms/Passes.h.inc"
} // namespace dojo

using namespace mlir;
using namespace dojo;

namespace {

/// out = 0 before the contraction: only then does a scale of the weights scale
/// the whole result.
bool startsAtZero(linalg::LinalgOp op) {
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  return fill && matchPattern(fill.value(), m_AnyZeroFloat());
}

/// A contraction with constant weights and the input of a map, or of a reduction
/// that a map was fused into, that alone reads its result.
class Site {
public:
  static std::optional<Site> match(linalg::GenericOp map, OpOperand &input) {
    auto contraction = input.get().getDefiningOp<linalg::LinalgOp>();
    if (!contraction || !input.get().hasOneUse() || !isContraction(contraction) ||
        !startsAtZero(contraction))
      return std::nullopt;
    for (OpOperand *weights : contraction.getDpsInputOperands())
      if (Origins().of(weights->get()) == Origin::Weight)
        return Site(map, input, contraction, *weights);
    return std::nullopt;
  }

  /// (c + b) * s  ->  c * s + b * s, and c * s  ->  c with scaled weights.
  void fold() {
    bool changed = false;
    while (Operation *scaling = soleUser()) {
      if (distribute(scaling)) {
        changed = true;
        continue;
      }
      if (!absorb(scaling))
        break;
      changed = true;
    }
    if (changed) {
      gatherShifts();
      evaluateShift();
    }
  }

private:
  Site(linalg::GenericOp map, OpOperand &input, linalg::LinalgOp contraction, OpOperand &weights)
      : map(map), contraction(contraction), weights(weights),
        data(map.getBody()->getArgument(input.getOperandNumber())),
        dataMap(map.getMatchingIndexingMap(&input)) {}

  Operation *soleUser() { return data.hasOneUse() ? *data.user_begin() : nullptr; }

  /// The dimension of the weights that iterator `dim` of the map runs along.
  std::optional<unsigned> weightDim(unsigned dim) {
    AffineMap result = contraction.getMatchingIndexingMap(contraction.getDpsInitOperand(0));
    auto position = dataMap.getResultPosition(getAffineDimExpr(dim, map.getContext()));
    return position ? contraction.getMatchingIndexingMap(&weights).getResultPosition(
                          result.getResult(*position))
                    : std::nullopt;
  }

  /// `value` follows from constants that vary only along dimensions of the
  /// weights; collects its operations, operands first.
  bool isScale(Value value, llvm::SetVector<Operation *> &slice) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return argument.getOwner() == map.getBody() && isScaleOperand(argument.getArgNumber());
    Operation *op = value.getDefiningOp();
    if (op->getBlock() != map.getBody())
      return matchPattern(op, m_Constant());
    if (!isPure(op) || isa<linalg::IndexOp>(op))
      return false;
    for (Value operand : op->getOperands())
      if (!isScale(operand, slice))
        return false;
    slice.insert(op);
    return true;
  }

  bool isScaleOperand(unsigned number) {
    OpOperand &operand = map->getOpOperand(number);
    if (!map.isDpsInput(&operand) || Origins().of(operand.get()) == Origin::Dynamic)
      return false;
    return llvm::all_of(map.getMatchingIndexingMap(&operand).getResults(), [&](AffineExpr expr) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      return !dim || weightDim(dim.getPosition());
    });
  }

  /// The factor of a multiplication of `value`, or null.
  Value factorOf(Operation *op, Value value) {
    if (isa<arith::MulFOp>(op))
      return op->getOperand(0) == value ? op->getOperand(1) : op->getOperand(0);
    if (isa<arith::DivFOp>(op) && op->getOperand(0) == value)
      return op->getOperand(1);
    return {};
  }

  bool distribute(Operation *sum) {
    if (!isa<arith::AddFOp, arith::SubFOp>(sum) || !sum->hasOneUse())
      return false;
    Operation *scaling = *sum->user_begin();
    Value factor = factorOf(scaling, sum->getResult(0));
    bool dataFirst = sum->getOperand(0) == data;
    Value shift = sum->getOperand(dataFirst ? 1 : 0);
    llvm::SetVector<Operation *> slice;
    if (!factor || !isScale(factor, slice) || !isScale(shift, slice))
      return false;
    OpBuilder builder(scaling);
    auto scaled = [&](Value value) {
      IRMapping mapping;
      mapping.map(sum->getResult(0), value);
      return builder.clone(*scaling, mapping)->getResult(0);
    };
    Value scaledData = scaled(data), scaledShift = scaled(shift);
    Operation *result = builder.clone(*sum);
    result->setOperand(dataFirst ? 0 : 1, scaledData);
    result->setOperand(dataFirst ? 1 : 0, scaledShift);
    scaling->getResult(0).replaceAllUsesWith(result->getResult(0));
    scaling->erase();
    sum->erase();
    return true;
  }

  bool absorb(Operation *scaling) {
    Value factor = factorOf(scaling, data);
    llvm::SetVector<Operation *> slice;
    if (!factor || !isScale(factor, slice))
      return false;
    // The scale may come after the contraction; the map, its only reader, after both.
    contraction->moveBefore(map);
    weights.set(scaleWeights(scaling, evaluate(factor, slice)));
    scaling->getResult(0).replaceAllUsesWith(data);
    scaling->erase();
    return true;
  }

  /// (c + b) + t  ->  c + (b + t).
  void gatherShifts() {
    while (Operation *inner = soleUser()) {
      Operation *outer = inner->hasOneUse() ? *inner->user_begin() : nullptr;
      llvm::SetVector<Operation *> slice;
      if (!isa<arith::AddFOp>(inner) || !isa_and_nonnull<arith::AddFOp>(outer))
        return;
      Value first = otherOperand(inner, data), second = otherOperand(outer, inner->getResult(0));
      if (!isScale(first, slice) || !isScale(second, slice))
        return;
      OpBuilder builder(outer);
      Value shift = arith::AddFOp::create(builder, outer->getLoc(), first, second);
      outer->setOperands({data, shift});
      inner->erase();
    }
  }

  /// The shift is computed once for each channel, not once for each element.
  void evaluateShift() {
    Operation *sum = soleUser();
    llvm::SetVector<Operation *> slice;
    if (!isa_and_nonnull<arith::AddFOp>(sum))
      return;
    Value shift = otherOperand(sum, data);
    if (!shift.getDefiningOp() || !isScale(shift, slice))
      return;
    if (Constant constant = evaluate(shift, slice); constant.tensor)
      sum->replaceUsesOfWith(shift, addInput(constant));
  }

  static Value otherOperand(Operation *sum, Value operand) {
    return sum->getOperand(0) == operand ? sum->getOperand(1) : sum->getOperand(0);
  }

  /// A constant expression of the body: a tensor and how the map's iterators
  /// index it, or, without a tensor, operations on scalars.
  struct Constant {
    Value tensor;
    AffineMap indexing;
    Value scalar;
  };

  Constant evaluate(Value value, const llvm::SetVector<Operation *> &slice) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      OpOperand &operand = map->getOpOperand(argument.getArgNumber());
      return {operand.get(), map.getMatchingIndexingMap(&operand), {}};
    }
    SmallVector<OpOperand *> read;
    for (OpOperand *input : map.getDpsInputOperands())
      if (llvm::any_of(slice, [&](Operation *op) {
            return llvm::is_contained(op->getOperands(), map.getMatchingBlockArgument(input));
          }))
        read.push_back(input);
    return read.empty() ? Constant{{}, {}, value} : evaluate(value, slice, read);
  }

  /// A generic over the iterators that index `read`.
  Constant evaluate(Value value, const llvm::SetVector<Operation *> &slice,
                    ArrayRef<OpOperand *> read) {
    OpBuilder builder(contraction);
    MLIRContext *context = map.getContext();
    SmallVector<AffineExpr> renumbered(map.getNumLoops(), builder.getAffineConstantExpr(0));
    SmallVector<AffineExpr> dims;
    SmallVector<int64_t> shape;
    for (auto [dim, range] : llvm::enumerate(map.getStaticLoopRanges()))
      if (llvm::any_of(read, [&, d = dim](OpOperand *input) {
            return map.getMatchingIndexingMap(input).isFunctionOfDim(d);
          })) {
        renumbered[dim] = getAffineDimExpr(dims.size(), context);
        dims.push_back(getAffineDimExpr(dim, context));
        shape.push_back(range);
      }
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (OpOperand *input : read) {
      inputs.push_back(input->get());
      maps.push_back(
          map.getMatchingIndexingMap(input).replaceDimsAndSymbols(renumbered, {}, dims.size(), 0));
    }
    maps.push_back(builder.getMultiDimIdentityMap(dims.size()));
    Value result = pointwise(builder, value.getLoc(), RankedTensorType::get(shape, value.getType()),
                             inputs, maps, [&](OpBuilder &body, ValueRange arguments) {
                               IRMapping mapping;
                               for (auto [input, argument] : llvm::zip(read, arguments))
                                 mapping.map(map.getMatchingBlockArgument(input), argument);
                               for (Operation *op : slice)
                                 body.clone(*op, mapping);
                               return mapping.lookup(value);
                             });
    return {result, AffineMap::get(map.getNumLoops(), 0, dims, context), {}};
  }

  Value scaleWeights(Operation *scaling, const Constant &factor) {
    OpBuilder builder(contraction);
    auto type = cast<RankedTensorType>(weights.get().getType());
    SmallVector<Value> inputs{weights.get()};
    SmallVector<AffineMap> maps(2, builder.getMultiDimIdentityMap(type.getRank()));
    if (factor.tensor) {
      inputs.push_back(factor.tensor);
      maps.insert(maps.begin() + 1, onWeights(factor.indexing, type.getRank()));
    }
    return pointwise(builder, weights.get().getLoc(), type, inputs, maps,
                     [&](OpBuilder &body, ValueRange arguments) {
                       Value scale =
                           factor.tensor ? arguments[1] : cloneScalar(body, factor.scalar);
                       IRMapping mapping;
                       mapping.map(data, arguments[0]);
                       mapping.map(factorOf(scaling, data), scale);
                       return body.clone(*scaling, mapping)->getResult(0);
                     });
  }

  Value cloneScalar(OpBuilder &body, Value scalar) {
    Operation *op = scalar.getDefiningOp();
    if (op->getBlock() != map.getBody())
      return scalar;
    IRMapping mapping;
    for (Value operand : op->getOperands())
      mapping.map(operand, cloneScalar(body, operand));
    return body.clone(*op, mapping)->getResult(0);
  }

  static Value pointwise(OpBuilder &builder, Location loc, RankedTensorType type, ValueRange inputs,
                         ArrayRef<AffineMap> maps,
                         function_ref<Value(OpBuilder &, ValueRange)> compute) {
    Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(), type.getElementType());
    SmallVector<utils::IteratorType> parallel(type.getRank(), utils::IteratorType::parallel);
    return linalg::GenericOp::create(builder, loc, type, inputs, empty, maps, parallel,
                                     [&](OpBuilder &body, Location at, ValueRange arguments) {
                                       linalg::YieldOp::create(body, at, compute(body, arguments));
                                     })
        .getResult(0);
  }

  /// Gives the map one more input; returns its argument in the body.
  Value addInput(const Constant &constant) {
    unsigned position = map.getNumDpsInputs();
    SmallVector<AffineMap> maps = map.getIndexingMapsArray();
    maps.insert(maps.begin() + position, constant.indexing);
    map.getInputsMutable().append(constant.tensor);
    map.setIndexingMapsAttr(OpBuilder(map).getAffineMapArrayAttr(maps));
    return map.getBody()->insertArgument(
        position, cast<ShapedType>(constant.tensor.getType()).getElementType(), map.getLoc());
  }

  AffineMap onWeights(AffineMap from, unsigned rank) {
    SmallVector<AffineExpr> results;
    for (AffineExpr expr : from.getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      results.push_back(dim ? getAffineDimExpr(*weightDim(dim.getPosition()), map.getContext())
                            : expr);
    }
    return AffineMap::get(rank, 0, results, map.getContext());
  }

  linalg::GenericOp map;
  linalg::LinalgOp contraction;
  OpOperand &weights;
  BlockArgument data;
  AffineMap dataMap;
};

struct FoldScale : dojo::impl::FoldScaleBase<FoldScale> {
  void runOnOperation() override {
    getOperation().walk([](linalg::GenericOp map) {
      if (isWindowless(map) && map.hasPureTensorSemantics())
        for (unsigned number : llvm::seq(map.getNumDpsInputs()))
          if (std::optional<Site> site = Site::match(map, map->getOpOperand(number)))
            site->fold();
    });
    RewritePatternSet patterns(&getContext());
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
