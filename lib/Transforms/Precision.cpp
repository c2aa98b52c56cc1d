//===- Precision.cpp - --dojo-precision -----------------------------------===//
#include "Doubles.h"
#include "NarrowedContractions.h"
#include "dojo/Transforms/Contraction.h"
#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

namespace dojo {
#define GEN_PASS_DEF_PRECISION
#include "dojo/Transforms/Passes.h.inc"
} // namespace dojo

using namespace mlir;
using namespace dojo;

namespace {

bool isF32Tensor(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32();
}

Type inBF16(Type type) {
  return cast<RankedTensorType>(type).clone(BFloat16Type::get(type.getContext()));
}

/// Fills with a constant can start in bf16.
linalg::FillOp constantFill(Value value) {
  auto fill = value.getDefiningOp<linalg::FillOp>();
  return fill && fill.value().getDefiningOp<arith::ConstantOp>() ? fill : nullptr;
}

/// The operands whose rounding to bf16 gives the rounded result: of operations
/// that move data, and of maxima, which commute with rounding.
SmallVector<OpOperand *> passedThrough(Operation *op) {
  SmallVector<OpOperand *> operands;
  if (isa<tensor::PadOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::ExtractSliceOp>(
          op)) {
    operands.push_back(&op->getOpOperand(0));
  } else if (isa<tensor::ConcatOp>(op)) {
    for (OpOperand &operand : op->getOpOperands())
      operands.push_back(&operand);
  } else if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    bool moves = isa<linalg::TransposeOp, linalg::BroadcastOp>(op);
    bool maximum = isMaxReduction(linalgOp) && constantFill(linalgOp.getDpsInits()[0]);
    if (moves || maximum)
      operands.push_back(linalgOp.getDpsInputOperand(0));
  }
  return operands;
}

class Narrowing {
public:
  explicit Narrowing(func::FuncOp function) : function(function) {}

  void run() {
    SmallVector<OpOperand *> operands;
    function.walk([&](linalg::LinalgOp op) {
      if (contractions.contains(op))
        llvm::copy_if(op.getDpsInputOperands(), std::back_inserter(operands),
                      [](OpOperand *operand) { return isF32Tensor(operand->get()); });
    });
    for (OpOperand *operand : operands)
      onlyReadInBF16(operand->get());
    for (OpOperand *operand : operands)
      readNarrow(*operand);
    function.walk([&](linalg::LinalgOp op) {
      if (isLookup(op) && narrow.contains(op.getDpsInputOperand(2)->get()) &&
          constantFill(op.getDpsInits()[0]))
        lookUpNarrow(cast<linalg::GenericOp>(op));
    });
    for (Operation *op : llvm::reverse(replaced))
      op->erase();
  }

private:
  bool readsBF16(OpOperand &use) {
    auto op = dyn_cast<linalg::LinalgOp>(use.getOwner());
    return op && contractions.contains(op) && op.isDpsInput(&use);
  }

  /// All that reads `value` reads it as an operand of contractions, if through
  /// operations that pass bf16 on.
  bool onlyReadInBF16(Value value) {
    if (auto it = onlyBF16.find(value); it != onlyBF16.end())
      return it->second;
    bool only = !value.use_empty() && llvm::all_of(value.getUses(), [&](OpOperand &use) {
      return readsBF16(use) || (llvm::is_contained(passedThrough(use.getOwner()), &use) &&
                                onlyReadInBF16(use.getOwner()->getResult(0)));
    });
    return onlyBF16[value] = only;
  }

  void readNarrow(OpOperand &operand) {
    operand.set(narrowed(operand.get()));
    widenArgument(cast<linalg::LinalgOp>(operand.getOwner()).getMatchingBlockArgument(&operand));
  }

  /// The body goes on with the f32 value of an argument that is now bf16.
  static void widenArgument(BlockArgument argument) {
    OpBuilder builder = OpBuilder::atBlockBegin(argument.getOwner());
    argument.setType(builder.getBF16Type());
    auto wide = arith::ExtFOp::create(builder, argument.getLoc(), builder.getF32Type(), argument);
    argument.replaceAllUsesExcept(wide, wide);
  }

  /// `value` in bf16: the operation that makes it does so in bf16 when nothing
  /// else reads it, or a copy is made, once.
  Value narrowed(Value value) {
    if (Value known = narrow.lookup(value))
      return known;
    Value result;
    if (onlyReadInBF16(value))
      result = madeInBF16(value);
    if (!result)
      result = rounded(value);
    return narrow[value] = result;
  }

  Value madeInBF16(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op)
      return {};
    if (linalg::FillOp fill = constantFill(value))
      return filled(fill);
    if (DenseFPElementsAttr splat; matchPattern(value, m_Constant(&splat)) && splat.isSplat())
      return splatted(op, splat);
    if (!passedThrough(op).empty())
      return passed(op);
    auto map = dyn_cast<linalg::GenericOp>(op);
    return map && map.hasPureTensorSemantics() && isPointwise(map)
               ? mapped(map, cast<OpResult>(value))
               : Value();
  }

  Value filled(linalg::FillOp fill) {
    OpBuilder builder(fill);
    Value scalar = roundedScalar(builder, fill.value());
    Value empty = emptyLike(builder, fill.getResult(0));
    return linalg::FillOp::create(builder, fill.getLoc(), scalar, empty).getResult(0);
  }

  static Value splatted(Operation *constant, DenseFPElementsAttr splat) {
    OpBuilder builder(constant);
    auto type = cast<ShapedType>(inBF16(constant->getResult(0).getType()));
    auto element =
        FloatAttr::get(type.getElementType(), splat.getSplatValue<APFloat>().convertToDouble());
    return arith::ConstantOp::create(builder, constant->getLoc(),
                                     SplatElementsAttr::get(type, element));
  }

  Value passed(Operation *op) {
    IRMapping mapping;
    for (OpOperand *operand : passedThrough(op))
      mapping.map(operand->get(), narrowed(operand->get()));
    replaced.push_back(op);
    OpBuilder builder(op);
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      return passedLinalg(linalgOp, mapping);
    Operation *copy = builder.clone(*op, mapping);
    copy->getResult(0).setType(inBF16(op->getResult(0).getType()));
    if (auto pad = dyn_cast<tensor::PadOp>(copy))
      roundPadding(pad);
    return copy->getResult(0);
  }

  Value passedLinalg(linalg::LinalgOp op, IRMapping &mapping) {
    OpBuilder builder(op);
    Value init = op.getDpsInits()[0];
    linalg::FillOp fill = constantFill(init);
    mapping.map(init, fill ? filled(fill) : emptyLike(builder, init));
    auto copy = cast<linalg::LinalgOp>(builder.clone(*op, mapping));
    Block *body = copy.getBlock();
    Type narrowType = builder.getBF16Type();
    body->getArgument(0).setType(narrowType);
    body->getArguments().back().setType(narrowType);
    for (Operation &inner : body->without_terminator())
      inner.getResult(0).setType(narrowType);
    copy->getResult(0).setType(inBF16(op->getResult(0).getType()));
    return copy->getResult(0);
  }

  static void roundPadding(tensor::PadOp pad) {
    Operation *yield = pad.getRegion().front().getTerminator();
    OpBuilder builder(yield);
    yield->setOperand(0, roundedScalar(builder, yield->getOperand(0)));
  }

  /// A table that contractions read in bf16 is kept in that alone: the rows are widened.
  void lookUpNarrow(linalg::GenericOp op) {
    OpBuilder builder(op);
    IRMapping mapping;
    Value table = op.getDpsInputOperand(2)->get(), init = op.getDpsInits()[0];
    mapping.map(table, narrow.lookup(table));
    mapping.map(init, filled(constantFill(init)));
    auto copy = cast<linalg::GenericOp>(builder.clone(*op, mapping));
    Operation *add = copy.getBody()->getTerminator()->getOperand(0).getDefiningOp();
    Operation *select = add->getOperand(0).getDefiningOp();
    builder.setInsertionPoint(select);
    select->setOperand(2, roundedScalar(builder, select->getOperand(2)));
    for (Value value :
         {Value(copy.getBody()->getArgument(2)), Value(copy.getBody()->getArgument(3)),
          Value(select->getResult(0)), Value(add->getResult(0))})
      value.setType(builder.getBF16Type());
    copy->getResult(0).setType(inBF16(op->getResult(0).getType()));
    op->getResult(0).replaceAllUsesWith(widened(copy->getResult(0)));
    replaced.push_back(op);
  }

  /// The map rounds what it yields.
  Value mapped(linalg::GenericOp op, OpResult result) {
    OpBuilder builder(op);
    OpOperand *init = op.getDpsInitOperand(result.getResultNumber());
    init->set(emptyLike(builder, result));
    op.getMatchingBlockArgument(init).setType(builder.getBF16Type());
    Operation *yield = op.getBody()->getTerminator();
    builder.setInsertionPoint(yield);
    Value wide = yield->getOperand(result.getResultNumber());
    yield->setOperand(result.getResultNumber(), roundedScalar(builder, wide));
    result.setType(inBF16(result.getType()));
    return result;
  }

  /// A copy of `value`, each element converted.
  static Value converted(Value value, Type element,
                         function_ref<Value(OpBuilder &builder, Value scalar)> convert) {
    OpBuilder builder(value.getContext());
    builder.setInsertionPointAfterValue(value);
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<AffineMap> maps(2, builder.getMultiDimIdentityMap(type.getRank()));
    SmallVector<utils::IteratorType> parallel(type.getRank(), utils::IteratorType::parallel);
    Value empty = tensor::EmptyOp::create(builder, value.getLoc(), type.getShape(), element);
    return linalg::GenericOp::create(
               builder, value.getLoc(), type.clone(element), value, empty, maps, parallel,
               [&](OpBuilder &body, Location loc, ValueRange arguments) {
                 linalg::YieldOp::create(body, loc, convert(body, arguments.front()));
               })
        .getResult(0);
  }

  static Value rounded(Value value) {
    return converted(value, BFloat16Type::get(value.getContext()), roundedScalar);
  }

  static Value widened(Value value) {
    return converted(
        value, Float32Type::get(value.getContext()), [](OpBuilder &builder, Value scalar) -> Value {
          return arith::ExtFOp::create(builder, scalar.getLoc(), builder.getF32Type(), scalar);
        });
  }

  static Value roundedScalar(OpBuilder &builder, Value scalar) {
    FloatAttr constant;
    if (!matchPattern(scalar, m_Constant(&constant)))
      return arith::TruncFOp::create(builder, scalar.getLoc(), builder.getBF16Type(), scalar);
    auto value = FloatAttr::get(builder.getBF16Type(), constant.getValueAsDouble());
    return arith::ConstantOp::create(builder, scalar.getLoc(), value);
  }

  static Value emptyLike(OpBuilder &builder, Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    return tensor::EmptyOp::create(builder, value.getLoc(), type.getShape(), builder.getBF16Type());
  }

  func::FuncOp function;
  NarrowedContractions contractions;
  DenseMap<Value, bool> onlyBF16;
  DenseMap<Value, Value> narrow;
  /// Operations with a copy in bf16, producers first.
  SmallVector<Operation *> replaced;
};

struct PrecisionPass : dojo::impl::PrecisionBase<PrecisionPass> {
  using PrecisionBase::PrecisionBase;

  void runOnOperation() override {
    computeDoublesAsFloats(getOperation());
    if (mode == dojo::Precision::BF16)
      Narrowing(getOperation()).run();
  }
};

} // namespace
