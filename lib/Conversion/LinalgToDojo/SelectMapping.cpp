//===- SelectMapping.cpp - give every structured op a mapping -------------===//
#include "Loops.h"
#include "MappingFile.h"
#include "Views.h"
#include "dojo/Conversion/LinalgToDojo/OperandLayouts.h"
#include "dojo/Conversion/LinalgToDojo/Passes.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Scheduling/MappingSearch.h"
#include "dojo/Transforms/Contraction.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"

namespace dojo::ir {
#define GEN_PASS_DEF_SELECTMAPPING
#include "dojo/Conversion/LinalgToDojo/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

namespace {

/// For each global, the dimension that its reader has innermost in memory.
using InnerDims = llvm::StringMap<unsigned>;

/// The rule: contractions, windows and reductions are searched; elementwise ops
/// follow the layout of their largest operand. What makes a global has the reader's
/// innermost dimension innermost, so that moves between the two find long runs.
class Rule {
public:
  Rule(const Target &target, InnerDims &innerDims) : target(target), innerDims(innerDims) {}

  LogicalResult apply(func::FuncOp function);

private:
  MappingAttr follow(linalg::LinalgOp op) const;
  MappingAttr search(linalg::LinalgOp op) const;
  std::optional<unsigned> innerIterator(linalg::LinalgOp op) const;
  std::optional<unsigned> innerForReader(linalg::LinalgOp op) const;
  void noteReads(const MappedOp &mapped);
  sched::MappingProblem problemFor(linalg::LinalgOp op, std::optional<unsigned> inner) const;

  const Target &target;
  InnerDims &innerDims;
  llvm::DenseMap<Value, Layout> layouts; ///< of results of mapped ops
};

} // namespace

static bool isElementwise(linalg::LinalgOp op) { return op.getNumReductionLoops() == 0; }

/// The iterators whose position a body reads stay whole: a node knows only its own part.
static bool readsIndex(linalg::LinalgOp op, unsigned iterator) {
  return llvm::any_of(op.getBlock()->getOps<linalg::IndexOp>(),
                      [&](linalg::IndexOp index) { return index.getDim() == iterator; });
}

//===-- Following an operand ----------------------------------------------===//

/// The mapping under which the op's operand with these forms has this layout.
static MappingAttr mappingFrom(MLIRContext *context, const Layout &layout,
                               ArrayRef<SmallVector<int64_t>> forms) {
  SmallVector<int64_t> digits, tile;
  for (unsigned a = 0; a < numAxes; ++a)
    for (const Layout::Digit &digit : layout.axes[a].digits)
      digits.append({a, int64_t(*plainIterator(forms[digit.dim])), digit.count});
  for (auto [d, dim] : llvm::enumerate(layout.dims))
    if (dim.extent != dim.window)
      tile.append({int64_t(*plainIterator(forms[d])), dim.extent});
  int64_t inner = layout.rank() ? int64_t(*plainIterator(forms[layout.order.back()])) : -1;
  return MappingAttr::get(context, digits, {}, inner, tile);
}

/// An operand can lead when each of its dimensions is an iterator of its own and
/// none of the op's real iterators is missing in it.
static bool canLead(linalg::LinalgOp op, const Layout &layout,
                    ArrayRef<SmallVector<int64_t>> forms) {
  llvm::SmallBitVector seen(op.getNumLoops());
  for (auto [d, form] : llvm::enumerate(forms)) {
    auto iterator = plainIterator(form);
    if (!iterator || seen.test(*iterator) || layout.dims[d].window != layout.dims[d].step ||
        (layout.blocks(d) > 1 && readsIndex(op, *iterator)))
      return false;
    seen.set(*iterator);
  }
  for (auto [i, range] : llvm::enumerate(op.getStaticLoopRanges()))
    if (range > 1 && !seen.test(i))
      return false;
  return llvm::all_of(layout.axes, [](const Layout::AxisUse &use) {
    return !use.pinned && llvm::none_of(use.digits, [](auto &digit) { return digit.repeats(); });
  });
}

MappingAttr Rule::follow(linalg::LinalgOp op) const {
  MappingAttr best;
  int64_t bestElements = 0;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    View view = isa<RankedTensorType>(operand->get().getType()) ? viewOf(operand->get()) : View{};
    if (!view.root || !view.isIdentity())
      continue;
    auto layout = layouts.find(operand->get());
    SmallVector<SmallVector<int64_t>> forms = operandForms(op, *operand);
    if (layout == layouts.end() || !canLead(op, layout->second, forms))
      continue;
    int64_t elements = cast<RankedTensorType>(operand->get().getType()).getNumElements();
    if (elements > bestElements) {
      best = mappingFrom(op.getContext(), layout->second, forms);
      bestElements = elements;
    }
  }
  return best;
}

//===-- Searching ---------------------------------------------------------===//

/// Whether every operand that the iterator indexes has a dimension for it alone.
static bool isPlain(linalg::LinalgOp op, unsigned iterator) {
  return llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
    return !isa<RankedTensorType>(operand.get().getType()) ||
           llvm::all_of(operandForms(op, operand), [&](ArrayRef<int64_t> form) {
             return form[iterator] == 0 || plainIterator(form) == iterator;
           });
  });
}

/// The iterator that fills vectors: parallel, alone in every dimension it indexes;
/// in a contraction one of the second input and not of the first, in a lookup one of the
/// table's rows; the largest.
std::optional<unsigned> Rule::innerIterator(linalg::LinalgOp op) const {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<utils::IteratorType> types = op.getIteratorTypesArray();
  std::optional<unsigned> best;
  bool bestIsColumn = false;
  for (unsigned i = 0; i < ranges.size(); ++i) {
    if (types[i] != utils::IteratorType::parallel || ranges[i] == 1 || !isPlain(op, i))
      continue;
    SmallVector<bool, 4> indexes;
    for (OpOperand &operand : op->getOpOperands()) {
      bool found = false;
      if (isa<RankedTensorType>(operand.get().getType()))
        for (ArrayRef<int64_t> form : operandForms(op, operand))
          found |= form[i] != 0;
      indexes.push_back(found);
    }
    bool isColumn = (isContraction(op) && !indexes[0] && indexes[1]) ||
                    (isLookup(op) && !indexes[0] && indexes[2]);
    if (!best || (isColumn && !bestIsColumn) ||
        (isColumn == bestIsColumn && ranges[i] >= ranges[*best])) {
      best = i;
      bestIsColumn = isColumn;
    }
  }
  return best;
}

/// Keeps the innermost dimension of every global that the op reads.
void Rule::noteReads(const MappedOp &mapped) {
  linalg::LinalgOp op = mapped.op;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    if (!isa<RankedTensorType>(operand->get().getType()))
      continue;
    View view = viewOf(operand->get());
    auto load = view.root.getDefiningOp<ml_program::GlobalLoadOp>();
    Layout layout = mapped.layoutOf(*operand);
    if (!load || layout.order.empty())
      continue;
    for (auto [d, index] : llvm::enumerate(view.map.getResults()))
      if (index == getAffineDimExpr(layout.order.back(), op.getContext()))
        innerDims.try_emplace(load.getGlobal().getLeafReference(), d);
  }
}

/// The iterator of the dimension that whoever reads the op's result wants innermost,
/// if the result becomes a global, at once or through further elementwise ops.
std::optional<unsigned> Rule::innerForReader(linalg::LinalgOp op) const {
  if (!isElementwise(op) || op.getNumDpsInits() != 1)
    return std::nullopt;
  SmallVector<SmallVector<int64_t>> forms = operandForms(op, *op.getDpsInitOperand(0));
  for (OpOperand &use : op->getResult(0).getUses()) {
    if (auto store = dyn_cast<ml_program::GlobalStoreOp>(use.getOwner())) {
      auto dim = innerDims.find(store.getGlobal().getLeafReference());
      if (dim != innerDims.end())
        return plainIterator(forms[dim->second]);
    } else if (auto next = dyn_cast<linalg::LinalgOp>(use.getOwner())) {
      auto wanted = innerForReader(next);
      for (auto [d, form] : llvm::enumerate(operandForms(next, use)))
        if (wanted && plainIterator(form) == wanted)
          return plainIterator(forms[d]);
    }
  }
  return std::nullopt;
}

/// A weight of one reader, which rests where that wants it if each element is wanted once.
static bool rests(OpOperand &operand) {
  return operand.get().getDefiningOp<ml_program::GlobalLoadOp>() && operand.get().hasOneUse();
}

/// Whether a reduction may leave partial results: the innermost of a contraction, others
/// outside of windows.
static bool canSplit(linalg::LinalgOp op, unsigned reduction) {
  bool isCombined = llvm::all_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
    return init.get().getDefiningOp<linalg::FillOp>() &&
           combinerOf(op, init.getOperandNumber() - op.getNumDpsInputs());
  });
  return isCombined &&
         (isContraction(op) ? innerReduction(op) == reduction : isPlain(op, reduction));
}

sched::MappingProblem Rule::problemFor(linalg::LinalgOp op, std::optional<unsigned> inner) const {
  const Machine &machine = target.machine;
  bool matrix = usesMatrixUnit(op);
  sched::MappingProblem problem;
  problem.grid = target.grid;
  problem.sramBudget = machine.sramBytes / 2;
  problem.workPerCycle = matrix ? machine.matrixMacs() : machine.fp32Lanes();
  problem.bytesPerCycle = machine.linkBytesPerCycle;
  problem.tileRows = matrix ? machine.matrixRows : 1;
  std::optional<unsigned> reduction = matrix ? innerReduction(op) : std::nullopt;
  SmallVector<utils::IteratorType> types = op.getIteratorTypesArray();
  for (auto [i, range] : llvm::enumerate(op.getStaticLoopRanges())) {
    bool parallel = types[i] == utils::IteratorType::parallel;
    int64_t multiple = 1;
    if (inner == i)
      multiple = machine.fp32Lanes();
    else if (reduction == i)
      multiple = machine.matrixDepth;
    bool isEven = !parallel && !addsNothingForZeros(op);
    bool isFound = !parallel && isLookup(op);
    problem.iterators.push_back({range, (parallel || canSplit(op, i)) && !readsIndex(op, i),
                                 multiple, false, !parallel, isEven, isFound});
  }
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type)
      continue;
    bool isInput = op.isDpsInput(&operand);
    problem.operands.push_back(
        {elementBytes(type.getElementType()), isInput, operandForms(op, operand), rests(operand)});
    if (operand.getOperandNumber() == 0)
      for (auto [i, it] : llvm::enumerate(problem.iterators))
        it.isRow = it.canSpread && inner != i && !it.isReduction &&
                   llvm::any_of(problem.operands[0].forms,
                                [&](ArrayRef<int64_t> form) { return form[i] != 0; });
  }
  // Rows come from the first input alone; an iterator of both inputs is a batch.
  if (isContraction(op))
    for (auto [i, it] : llvm::enumerate(problem.iterators))
      it.isRow &= llvm::none_of(problem.operands[1].forms,
                                [&](ArrayRef<int64_t> form) { return form[i] != 0; });
  return problem;
}

MappingAttr Rule::search(linalg::LinalgOp op) const {
  std::optional<unsigned> inner = innerForReader(op);
  if (!inner)
    inner = innerIterator(op);
  sched::MappingProblem problem = problemFor(op, inner);
  sched::MappingSolution solution = sched::solve(problem);
  SmallVector<int64_t> digits, tile;
  for (const sched::MappingSolution::Cut &cut : solution.cuts)
    digits.append({int64_t(cut.axis), int64_t(cut.iterator), cut.blocks});
  for (auto [i, multiple] : llvm::enumerate(solution.multiples))
    if (multiple > 1)
      tile.append({int64_t(i), multiple});
  return MappingAttr::get(op.getContext(), digits, {}, inner ? int64_t(*inner) : -1, tile);
}

LogicalResult Rule::apply(func::FuncOp function) {
  WalkResult result = function.walk([&](Operation *inner) {
    if (auto loop = dyn_cast<scf::ForOp>(inner))
      for (OpResult carried : loop->getResults())
        layouts[carried] = carriedLayout(loop, carried.getResultNumber(), target.grid);
    auto op = dyn_cast<linalg::LinalgOp>(inner);
    if (!op || isa<linalg::FillOp, linalg::TransposeOp>(op.getOperation()))
      return WalkResult::advance();
    auto mapping = op->getAttrOfType<MappingAttr>(mappingAttrName);
    if (!mapping && isElementwise(op))
      mapping = follow(op);
    if (!mapping)
      mapping = search(op);
    op->setAttr(mappingAttrName, mapping);
    FailureOr<MappedOp> mapped = MappedOp::get(op, mapping, target.grid);
    if (failed(mapped))
      return WalkResult::interrupt();
    noteReads(*mapped);
    if (mapped->splitReductions().empty())
      for (OpOperand &init : op.getDpsInitsMutable())
        layouts[op.getTiedOpResult(&init)] = mapped->unstepped().layoutOf(init);
    return WalkResult::advance();
  });
  return success(!result.wasInterrupted());
}

namespace {

struct SelectMappingPass : ir::impl::SelectMappingBase<SelectMappingPass> {
  using SelectMappingBase::SelectMappingBase;

  void runOnOperation() override {
    auto target = Target::of(getOperation());
    if (failed(target))
      return signalPassFailure();
    if (!mappingFile.empty() && failed(readMappings(getOperation(), target->grid, mappingFile)))
      return signalPassFailure();
    // Readers of globals stand behind what makes them.
    InnerDims innerDims;
    auto functions = llvm::to_vector(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : llvm::reverse(functions))
      if (failed(Rule(*target, innerDims).apply(function)))
        return signalPassFailure();
  }
};

} // namespace
