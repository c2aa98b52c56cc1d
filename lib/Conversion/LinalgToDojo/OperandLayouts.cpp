//===- OperandLayouts.cpp - what a mapping asks of each operand -----------===//
#include "dojo/Conversion/LinalgToDojo/OperandLayouts.h"
#include "dojo/Transforms/Contraction.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

SmallVector<SmallVector<int64_t>> ir::operandForms(linalg::LinalgOp op, OpOperand &operand) {
  SmallVector<SmallVector<int64_t>> forms;
  AffineMap map = op.getMatchingIndexingMap(&operand);
  for (AffineExpr expr : map.getResults())
    forms.push_back(*linearForm(expr, map.getNumDims(), 0));
  return forms;
}

std::optional<unsigned> ir::plainIterator(ArrayRef<int64_t> form) {
  std::optional<unsigned> found;
  for (auto [i, c] : llvm::enumerate(form.drop_back())) {
    if (c == 0)
      continue;
    if (c != 1 || found)
      return std::nullopt;
    found = i;
  }
  return form.back() == 0 ? found : std::nullopt;
}

std::optional<unsigned> ir::innerReduction(linalg::LinalgOp op) {
  if (!isContraction(op))
    return std::nullopt;
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<utils::IteratorType> types = op.getIteratorTypesArray();
  std::optional<unsigned> best;
  for (const SmallVector<int64_t> &form : operandForms(op, *op.getDpsInputOperand(0))) {
    auto iterator = plainIterator(form);
    if (iterator && types[*iterator] == utils::IteratorType::reduction &&
        (!best || ranges[*iterator] > ranges[*best]))
      best = iterator;
  }
  return best;
}

Operation *ir::combinerOf(linalg::LinalgOp op, unsigned init) {
  SmallVector<Operation *> combiner;
  bool isOne = matchReduction(op.getRegionOutputArgs(), init, combiner) && combiner.size() == 1 &&
               arith::getNeutralElement(combiner.front());
  return isOne ? combiner.front() : nullptr;
}

//===-- Checking ----------------------------------------------------------===//

static LogicalResult checkIterators(linalg::LinalgOp op, MappingAttr mapping) {
  int64_t loops = op.getNumLoops();
  auto check = [&](ArrayRef<int64_t> numbers, unsigned at, unsigned every) -> LogicalResult {
    for (unsigned i = 0; i < numbers.size(); i += every) {
      if (numbers[i + at] < 0 || numbers[i + at] >= loops)
        return op.emitOpError("mapping names iterator d")
               << numbers[i + at] << ", the op has " << loops;
      if (numbers[i + at + 1] < 1)
        return op.emitOpError("mapping cuts iterator d")
               << numbers[i + at] << " into " << numbers[i + at + 1];
    }
    return success();
  };
  if (mapping.getInner() >= loops)
    return op.emitOpError("mapping names iterator d")
           << mapping.getInner() << ", the op has " << loops;
  return success(succeeded(check(mapping.getDigits(), 1, 3)) &&
                 succeeded(check(mapping.getSteps(), 0, 2)) &&
                 succeeded(check(mapping.getTile(), 0, 2)));
}

static LogicalResult checkGrid(linalg::LinalgOp op, MappingAttr mapping, const Coords &grid) {
  Coords used{1, 1, 1, 1};
  ArrayRef<int64_t> digits = mapping.getDigits();
  for (unsigned i = 0; i < digits.size(); i += 3)
    used[digits[i]] *= digits[i + 2];
  for (unsigned a = 0; a < numAxes; ++a)
    if (used[a] > grid[a])
      return op.emitOpError("mapping cuts axis ") << axisName(static_cast<Axis>(a)) << " into "
                                                  << used[a] << ", the grid has " << grid[a];
  return success();
}

static bool readsIndex(linalg::LinalgOp op, unsigned iterator) {
  return llvm::any_of(op.getBlock()->getOps<linalg::IndexOp>(),
                      [&](linalg::IndexOp index) { return index.getDim() == iterator; });
}

static void setBlocks(MappedIterator &it, int64_t multiple) {
  it.block = llvm::divideCeil(it.range, it.blocks);
  it.extent = llvm::alignTo(it.block, multiple);
}

static FailureOr<MappedIterator> mapIterator(linalg::LinalgOp op, MappingAttr mapping, unsigned i,
                                             int64_t range, bool isReduction) {
  int64_t width = mapping.step(i);
  if (width && readsIndex(op, i))
    return op.emitOpError("mapping steps through iterator d")
           << i << ", whose position the body reads";
  bool padsWithZero = addsNothingForZeros(op);
  if (width && isReduction && range % width && !padsWithZero)
    return op.emitOpError("mapping steps of ")
           << width << " do not divide iterator d" << i << " of " << range
           << ", and only a contraction or a lookup can pad its reduction";
  MappedIterator it;
  it.isReduction = isReduction;
  it.steps = width ? llvm::divideCeil(range, width) : 1;
  it.range = width ? std::min(width, range) : range;
  it.blocks = mapping.blocks(i);
  setBlocks(it, mapping.multiple(i));
  if (isReduction && it.blocks > it.range)
    return op.emitOpError("mapping cuts iterator d")
           << i << " of " << it.range << " into " << it.blocks << " blocks";
  if (isReduction && !padsWithZero && it.extent * it.blocks != it.range)
    return op.emitOpError("mapping must cut reduction iterator d")
           << i << " of " << it.range
           << " into equal blocks without padding: only a contraction or a lookup can pad its "
              "reduction";
  return it;
}

/// A split reduction is one associative operation and starts from a fill.
static LogicalResult checkSplit(const MappedOp &mapped) {
  linalg::LinalgOp op = mapped.op;
  if (mapped.splitReductions().empty())
    return success();
  for (auto [i, init] : llvm::enumerate(op.getDpsInitsMutable())) {
    if (!init.get().getDefiningOp<linalg::FillOp>())
      return op.emitOpError("mapping splits a reduction whose init is not a linalg.fill");
    if (!combinerOf(op, i))
      return op.emitOpError("mapping splits a reduction that is not one associative operation");
  }
  return success();
}

FailureOr<MappedOp> MappedOp::get(linalg::LinalgOp op, MappingAttr mapping, const Coords &grid) {
  if (failed(checkIterators(op, mapping)) || failed(checkGrid(op, mapping, grid)))
    return failure();
  MappedOp mapped{op, mapping, {}};
  SmallVector<utils::IteratorType> types = op.getIteratorTypesArray();
  for (auto [i, range] : llvm::enumerate(op.getStaticLoopRanges())) {
    auto it = mapIterator(op, mapping, i, range, types[i] == utils::IteratorType::reduction);
    if (failed(it))
      return failure();
    if (it->steps > 1 && mapped.steps() > 1)
      return op.emitOpError("mapping steps through iterators d")
             << *mapped.steppedIterator() << " and d" << i << ", and one at most is cut in time";
    mapped.iterators.push_back(*it);
  }
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    for (auto [d, form] : llvm::enumerate(operandForms(op, operand)))
      if (llvm::count_if(llvm::enumerate(ArrayRef(form).drop_back()), [&](auto e) {
            return e.value() != 0 && mapped.iterators[e.index()].blocks > 1;
          }) > 1)
        return op.emitOpError("mapping spreads two iterators that both index dimension ")
               << d << " of operand " << operand.getOperandNumber();
  }
  if (failed(checkSplit(mapped)))
    return failure();
  return mapped;
}

//===-- Layouts -----------------------------------------------------------===//

std::optional<unsigned> MappedOp::spreadIterator(ArrayRef<int64_t> form) const {
  for (auto [i, c] : llvm::enumerate(form.drop_back()))
    if (c != 0 && iterators[i].blocks > 1)
      return i;
  return std::nullopt;
}

Layout::Dim MappedOp::dimFor(ArrayRef<int64_t> form, int64_t size) const {
  Layout::Dim dim{size, size, form.back(), 1, 1};
  for (auto [i, c] : llvm::enumerate(form.drop_back())) {
    dim.window += c * (iterators[i].block - 1);
    dim.extent += c * (iterators[i].extent - 1);
  }
  if (auto spread = spreadIterator(form))
    dim.step = form[*spread] * iterators[*spread].block;
  return dim;
}

SmallVector<int64_t> MappedOp::shapeOf(OpOperand &operand) const {
  SmallVector<int64_t> shape(cast<RankedTensorType>(operand.get().getType()).getShape());
  for (auto [d, form] : llvm::enumerate(operandForms(op, operand))) {
    bool stepped = false;
    int64_t covered = form.back() + 1;
    for (auto [i, c] : llvm::enumerate(ArrayRef(form).drop_back())) {
      stepped |= c != 0 && iterators[i].steps > 1;
      covered += c * (iterators[i].range - 1);
    }
    if (stepped)
      shape[d] = covered;
  }
  return shape;
}

SmallVector<int64_t> MappedOp::advanceOf(OpOperand &operand) const {
  SmallVector<int64_t> advance;
  for (const SmallVector<int64_t> &form : operandForms(op, operand)) {
    int64_t sum = 0;
    for (auto [i, c] : llvm::enumerate(ArrayRef(form).drop_back()))
      if (iterators[i].steps > 1)
        sum += c * iterators[i].range;
    advance.push_back(sum);
  }
  return advance;
}

bool MappedOp::advances(OpOperand &operand) const {
  return llvm::any_of(advanceOf(operand), [](int64_t advance) { return advance != 0; });
}

bool MappedOp::isReduced(OpOperand &operand) const {
  return llvm::any_of(operandForms(op, operand), [&](ArrayRef<int64_t> form) {
    return llvm::any_of(llvm::enumerate(form.drop_back()),
                        [&](auto e) { return e.value() != 0 && iterators[e.index()].isReduction; });
  });
}

/// An operand that lacks the iterator of a digit repeats along it.
void MappedOp::addDigits(Layout &layout,
                         llvm::function_ref<unsigned(unsigned iterator)> dimOfIterator) const {
  ArrayRef<int64_t> digits = mapping.getDigits();
  for (unsigned i = 0; i < digits.size(); i += 3)
    layout.axes[digits[i]].digits.push_back({dimOfIterator(digits[i + 1]), digits[i + 2]});
  for (Layout::AxisUse &use : layout.axes)
    if (llvm::all_of(use.digits, [](const Layout::Digit &d) { return d.repeats(); }))
      use.digits.clear();
}

/// The dimension that a spread iterator cuts, or Digit::none.
unsigned MappedOp::dimOf(ArrayRef<SmallVector<int64_t>> forms, unsigned iterator) const {
  for (auto [d, form] : llvm::enumerate(forms))
    if (spreadIterator(form) == iterator)
      return d;
  return Layout::Digit::none;
}

Layout MappedOp::layoutOf(OpOperand &operand) const {
  SmallVector<SmallVector<int64_t>> forms = operandForms(op, operand);
  SmallVector<int64_t> shape = shapeOf(operand);
  Layout layout;
  for (auto [d, form] : llvm::enumerate(forms)) {
    layout.dims.push_back(dimFor(form, shape[d]));
    layout.order.push_back(d);
  }
  addDigits(layout, [&](unsigned iterator) { return dimOf(forms, iterator); });

  std::optional<unsigned> inner;
  auto plainDim = [&](std::optional<unsigned> iterator) -> std::optional<unsigned> {
    for (auto [d, form] : llvm::enumerate(forms))
      if (iterator && plainIterator(form) == iterator)
        return d;
    return std::nullopt;
  };
  if (mapping.getInner() >= 0)
    inner = plainDim(mapping.getInner());
  if (!inner)
    inner = plainDim(innerReduction(op));
  if (inner) {
    llvm::erase(layout.order, *inner);
    layout.order.push_back(*inner);
  }
  return layout;
}

Layout MappedOp::partialLayoutOf(OpOperand &init) const {
  SmallVector<unsigned> split = splitReductions();
  Layout whole = layoutOf(init), partial;
  for (unsigned r : split)
    partial.dims.push_back({iterators[r].blocks, 1, 0, 1, 1});
  partial.dims.append(whole.dims);
  for (unsigned d = 0; d < split.size(); ++d)
    partial.order.push_back(d);
  for (unsigned d : whole.order)
    partial.order.push_back(d + split.size());
  SmallVector<SmallVector<int64_t>> forms = operandForms(op, init);
  addDigits(partial, [&](unsigned iterator) -> unsigned {
    if (auto *found = llvm::find(split, iterator); found != split.end())
      return found - split.begin();
    unsigned dim = dimOf(forms, iterator);
    return dim == Layout::Digit::none ? dim : dim + split.size();
  });
  return partial;
}

std::optional<unsigned> MappedOp::steppedIterator() const {
  for (auto [i, it] : llvm::enumerate(iterators))
    if (it.steps > 1)
      return i;
  return std::nullopt;
}

int64_t MappedOp::steps() const {
  std::optional<unsigned> stepped = steppedIterator();
  return stepped ? iterators[*stepped].steps : 1;
}

bool MappedOp::stepsResults() const {
  std::optional<unsigned> stepped = steppedIterator();
  return stepped && !iterators[*stepped].isReduction;
}

MappedOp MappedOp::unstepped() const {
  MappedOp whole = *this;
  if (std::optional<unsigned> stepped = steppedIterator()) {
    MappedIterator &it = whole.iterators[*stepped];
    it.range = linalg::LinalgOp(op).getStaticLoopRanges()[*stepped];
    it.steps = 1;
    setBlocks(it, mapping.multiple(*stepped));
  }
  return whole;
}

int64_t MappedOp::nodePoints() const {
  int64_t points = 1;
  for (const MappedIterator &it : iterators)
    points *= it.steps * it.extent;
  return points;
}

SmallVector<unsigned> MappedOp::splitReductions() const {
  SmallVector<unsigned> split;
  for (auto [i, it] : llvm::enumerate(iterators))
    if (it.isReduction && it.blocks > 1)
      split.push_back(i);
  return split;
}
