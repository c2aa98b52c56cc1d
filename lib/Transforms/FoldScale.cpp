//===- FoldScale.cpp - --dojo-fold-scale ----------------------------------===//
#include "dojo/Transforms/Contraction.h"
#include "dojo/Transforms/Passes.h"
#include "dojo/Transforms/Weights.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

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

/// A contraction with constant weights and the elementwise operation that alone
/// reads its result.
class Site {
public:
  static std::optional<Site> match(linalg::GenericOp map) {
    if (!isPointwise(map) || !map.hasPureTensorSemantics())
      return std::nullopt;
    for (OpOperand *input : map.getDpsInputOperands()) {
      auto contraction = input->get().getDefiningOp<linalg::LinalgOp>();
      if (!contraction || !input->get().hasOneUse() || !isContraction(contraction) ||
          !startsAtZero(contraction))
        continue;
      for (OpOperand *weights : contraction.getDpsInputOperands())
        if (Origins().of(weights->get()) == Origin::Weight)
          return Site(map, *input, contraction, *weights);
    }
    return std::nullopt;
  }

  /// (c + b) * s  ->  c * s + b * s, and c * s  ->  c with scaled weights.
  bool fold() {
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
    return changed;
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
    if (Origins().of(operand.get()) == Origin::Dynamic)
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
    weights.set(scaleWeights(scaling, factor, slice));
    scaling->getResult(0).replaceAllUsesWith(data);
    scaling->erase();
    return true;
  }

  Value scaleWeights(Operation *scaling, Value factor, llvm::SetVector<Operation *> &slice) {
    OpBuilder builder(contraction);
    auto type = cast<RankedTensorType>(weights.get().getType());
    SmallVector<Value> inputs{weights.get()};
    SmallVector<AffineMap> maps{builder.getMultiDimIdentityMap(type.getRank())};
    SmallVector<unsigned> numbers;
    for (OpOperand *input : map.getDpsInputOperands())
      if (readBy(factor, slice, data.getOwner()->getArgument(input->getOperandNumber()))) {
        inputs.push_back(input->get());
        numbers.push_back(input->getOperandNumber());
        maps.push_back(onWeights(map.getMatchingIndexingMap(input), type.getRank()));
      }
    maps.push_back(maps.front());
    Value empty =
        tensor::EmptyOp::create(builder, scaling->getLoc(), type.getShape(), type.getElementType());
    SmallVector<utils::IteratorType> parallel(type.getRank(), utils::IteratorType::parallel);
    auto scaled = linalg::GenericOp::create(
        builder, scaling->getLoc(), type, inputs, empty, maps, parallel,
        [&](OpBuilder &body, Location loc, ValueRange arguments) {
          IRMapping mapping;
          mapping.map(data, arguments.front());
          for (auto [position, number] : llvm::enumerate(numbers))
            mapping.map(map.getBody()->getArgument(number), arguments[position + 1]);
          for (Operation *op : slice)
            body.clone(*op, mapping);
          linalg::YieldOp::create(body, loc, body.clone(*scaling, mapping)->getResults());
        });
    return scaled.getResult(0);
  }

  static bool readBy(Value factor, const llvm::SetVector<Operation *> &slice, BlockArgument arg) {
    return factor == arg || llvm::any_of(slice, [&](Operation *op) {
             return llvm::is_contained(op->getOperands(), arg);
           });
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
      if (std::optional<Site> site = Site::match(map))
        site->fold();
    });
  }
};

} // namespace
