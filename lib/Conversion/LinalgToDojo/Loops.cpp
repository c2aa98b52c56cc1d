//===- Loops.cpp - loops of the structured level --------------------------===//
#include "Loops.h"
#include "Spreader.h"
#include "dojo/Conversion/LinalgToDojo/OperandLayouts.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

std::optional<int64_t> ir::tripCountOf(scf::ForOp loop) {
  std::optional<int64_t> count = getConstantIntValue(loop.getUpperBound());
  bool plain = getConstantIntValue(loop.getLowerBound()) == 0 &&
               getConstantIntValue(loop.getStep()) == 1 && count && *count > 0;
  return plain ? count : std::nullopt;
}

static bool isStep(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto loop = argument ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()) : scf::ForOp{};
  return loop && loop.getInductionVar() == value;
}

std::optional<StepOffset> ir::stepOffsetOf(OpFoldResult offset, MLIRContext *context) {
  if (std::optional<int64_t> constant = getConstantIntValue(offset))
    return StepOffset{getAffineConstantExpr(*constant, context), {}};
  AffineExpr symbol = getAffineSymbolExpr(0, context);
  Value value = cast<Value>(offset);
  if (isStep(value))
    return StepOffset{symbol, value};
  auto apply = value.getDefiningOp<affine::AffineApplyOp>();
  if (!apply || apply.getNumOperands() != 1 || !isStep(apply.getOperand(0)))
    return std::nullopt;
  AffineMap map = apply.getAffineMap();
  AffineExpr expr = map.getResult(0).replaceDimsAndSymbols(symbol, symbol);
  if (failed(linearForm(expr, 0, 1)))
    return std::nullopt;
  return StepOffset{expr, apply.getOperand(0)};
}

Layout ir::withUnits(const Layout &layout, const llvm::SmallBitVector &units) {
  Layout wide;
  SmallVector<unsigned> place;
  for (unsigned d = 0; d < units.size(); ++d) {
    if (units.test(d)) {
      wide.dims.push_back({1, 1, 0, 1, 1});
      wide.order.push_back(d);
    } else {
      wide.dims.push_back(layout.dims[place.size()]);
      place.push_back(d);
    }
  }
  for (unsigned d : layout.order)
    wide.order.push_back(place[d]);
  wide.axes = layout.axes;
  for (Layout::AxisUse &use : wide.axes)
    for (Layout::Digit &digit : use.digits)
      if (!digit.repeats())
        digit.dim = place[digit.dim];
  return wide;
}

/// The layout in which a mapped op leaves its result, if it does so at once.
static std::optional<Layout> resultLayout(Value value, const Coords &grid) {
  auto op = value.getDefiningOp<linalg::LinalgOp>();
  auto mapping = op ? op->getAttrOfType<MappingAttr>(mappingAttrName) : MappingAttr{};
  if (!mapping)
    return std::nullopt;
  FailureOr<MappedOp> mapped = MappedOp::get(op, mapping, grid);
  if (failed(mapped) || !mapped->splitReductions().empty())
    return std::nullopt;
  unsigned result = cast<OpResult>(value).getResultNumber();
  Layout layout = mapped->unstepped().layoutOf(op.getDpsInitsMutable()[result]);
  return layout.holdsAll() ? std::optional(layout) : std::nullopt;
}

static std::optional<Layout> insertedLayout(tensor::InsertSliceOp insert, const Coords &grid) {
  std::optional<Layout> slice = resultLayout(insert.getSource(), grid);
  if (!slice)
    return std::nullopt;
  Layout layout = withUnits(*slice, insert.getDroppedDims());
  for (auto [d, size] : llvm::enumerate(insert.getDestType().getShape())) {
    if (layout.dims[d].size == size)
      continue;
    if (layout.blocks(d) > 1)
      return std::nullopt;
    layout.dims[d] = {size, size, 0, size, size};
  }
  return layout;
}

Layout ir::carriedLayout(scf::ForOp loop, unsigned index, const Coords &grid) {
  Value yielded = loop.getYieldedValues()[index];
  auto insert = yielded.getDefiningOp<tensor::InsertSliceOp>();
  std::optional<Layout> layout =
      insert ? insertedLayout(insert, grid) : resultLayout(yielded, grid);
  return layout ? *layout
                : restingLayout(cast<RankedTensorType>(yielded.getType()).getShape(), grid);
}
