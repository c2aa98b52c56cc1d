//===- WeightStationary.cpp - a mapping strategy built outside the tree ---===//
//
// Weights stay where they are, activations and partial sums travel. Axis y cuts the
// reduction of every product with weights, axis x its columns, so that each weight lies
// on one node; the work in `init` that makes the weights leaves them there.
//
//===----------------------------------------------------------------------===//
#include "dojo/Conversion/LinalgToDojo/OperandLayouts.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Transforms/Contraction.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

namespace {

/// The two iterators that index the weights, with the dimensions they index.
struct Weights {
  ml_program::GlobalLoadOp load;
  unsigned reduction, column;
  unsigned reductionDim, columnDim;
};

struct WeightStationary : PassWrapper<WeightStationary, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WeightStationary)

  StringRef getArgument() const override { return "weight-stationary"; }
  StringRef getDescription() const override {
    return "map products with weights so that no weight moves";
  }
  void runOnOperation() override;

private:
  LogicalResult map(linalg::LinalgOp op, const Weights &weights, const Target &target);
};

} // namespace

/// The weights of a product that starts from zero; none where the second operand is
/// something else, or is not indexed by one reduction and one column.
static std::optional<Weights> weightsOf(linalg::LinalgOp op) {
  if (!isContraction(op) || !op.getDpsInits()[0].getDefiningOp<linalg::FillOp>())
    return std::nullopt;
  OpOperand &operand = *op.getDpsInputOperand(1);
  auto load = operand.get().getDefiningOp<ml_program::GlobalLoadOp>();
  std::optional<unsigned> reduction = innerReduction(op);
  if (!load || !reduction)
    return std::nullopt;
  std::optional<unsigned> reductionDim, columnDim, column;
  for (auto [dim, form] : llvm::enumerate(operandForms(op, operand))) {
    std::optional<unsigned> iterator = plainIterator(form);
    if (iterator == reduction)
      reductionDim = dim;
    else if (iterator && op.getIteratorTypesArray()[*iterator] == utils::IteratorType::parallel)
      std::tie(columnDim, column) = std::pair(dim, iterator);
  }
  if (!reductionDim || !columnDim)
    return std::nullopt;
  return Weights{load, *reduction, *column, *reductionDim, *columnDim};
}

/// The elementwise op of `init` that makes what `load` reads, if one does.
static linalg::LinalgOp makerOf(ml_program::GlobalLoadOp load) {
  linalg::LinalgOp maker;
  load->getParentOfType<ModuleOp>().walk([&](ml_program::GlobalStoreOp store) {
    if (store.getGlobal() == load.getGlobal())
      maker = store.getValue().getDefiningOp<linalg::LinalgOp>();
  });
  if (!maker || !isPointwise(maker) || !maker.getIndexingMapsArray().back().isIdentity())
    return {};
  return maker;
}

/// Writes the mapping and holds it to the rules, as --dojo-select-mapping does.
static LogicalResult write(linalg::LinalgOp op, const Coords &grid, int64_t rows, int64_t columns,
                           ArrayRef<int64_t> tile) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  auto cut = [&](Axis axis, int64_t iterator) {
    return SmallVector<int64_t, 3>{int64_t(axis), iterator,
                                   std::min(grid[unsigned(axis)], ranges[iterator])};
  };
  SmallVector<int64_t> digits(cut(Axis::y, rows));
  digits.append(cut(Axis::x, columns));
  auto mapping = MappingAttr::get(op.getContext(), digits, /*steps=*/{}, /*inner=*/columns, tile);
  op->setAttr(mappingAttrName, mapping);
  return success(succeeded(MappedOp::get(op, mapping, grid)));
}

LogicalResult WeightStationary::map(linalg::LinalgOp op, const Weights &weights,
                                    const Target &target) {
  // Local extents are multiples of what the units take, alike on both sides.
  const Machine &machine = target.machine;
  int64_t lanes = machine.vectorBytes / 4, depth = machine.matrixDepth;
  if (failed(write(op, target.grid, weights.reduction, weights.column,
                   {weights.column, lanes, weights.reduction, depth})))
    return failure();
  linalg::LinalgOp maker = makerOf(weights.load);
  return success(!maker ||
                 succeeded(write(maker, target.grid, weights.reductionDim, weights.columnDim,
                                 {weights.columnDim, lanes, weights.reductionDim, depth})));
}

void WeightStationary::runOnOperation() {
  auto target = Target::of(getOperation());
  if (failed(target))
    return signalPassFailure();
  WalkResult result = getOperation().walk([&](linalg::LinalgOp op) {
    auto weights = op->hasAttr(mappingAttrName) ? std::nullopt : weightsOf(op);
    if (weights && failed(map(op, *weights, *target)))
      return WalkResult::interrupt();
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    signalPassFailure();
}

extern "C" PassPluginLibraryInfo LLVM_ATTRIBUTE_WEAK mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "WeightStationary", "1",
          [] { PassRegistration<WeightStationary>(); }};
}
