//===- Fit.cpp - keep in DRAM what does not fit into SRAM -----------------===//
#include "FitSteps.h"
#include "FitTrial.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Pipelines/Passes.h"
#include "dojo/Transforms/Weights.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"

namespace dojo {
#define GEN_PASS_DEF_FIT
#include "dojo/Pipelines/Passes.h.inc"
} // namespace dojo

using namespace mlir;
using namespace dojo;

/// Globals by falling size, equal ones in the order of the module.
static SmallVector<ml_program::GlobalOp> globalsBySize(ModuleOp module) {
  auto globals = llvm::to_vector(module.getOps<ml_program::GlobalOp>());
  auto bytes = [](ml_program::GlobalOp global) {
    auto type = cast<RankedTensorType>(global.getType());
    return type.getNumElements() * ir::elementBytes(type.getElementType());
  };
  llvm::stable_sort(globals, [&](auto a, auto b) { return bytes(a) > bytes(b); });
  return globals;
}

static bool isInDram(Operation *op) { return op->hasAttr(ir::storageAttrName); }

static void keepInDram(Operation *op) {
  op->setAttr(ir::storageAttrName, StringAttr::get(op->getContext(), "dram"));
}

/// A result that an op or its global keeps in DRAM.
static bool resultsInDram(linalg::LinalgOp op) {
  return isInDram(op) || llvm::any_of(op->getUsers(), [](Operation *user) {
           auto store = dyn_cast<ml_program::GlobalStoreOp>(user);
           return store && isInDram(SymbolTable::lookupNearestSymbolFrom(store, store.getGlobal()));
         });
}

namespace {

struct FitPass : dojo::impl::FitBase<FitPass> {
  void runOnOperation() override {
    auto target = ir::Target::of(getOperation());
    if (failed(target))
      return signalPassFailure();
    grid = target->grid;
    if (tryPlacing(getOperation(), target->machine.codeBudgetBytes()).outcome != TrialReport::full)
      return;
    // What is written by hand stays; the driver adds to it.
    SmallVector<ml_program::GlobalOp> globals = globalsBySize(getOperation());
    llvm::erase_if(globals, isInDram);
    for (ml_program::GlobalOp global : globals)
      keepInDram(global);
    while (growCode())
      if (!editUntilItFits())
        return;
    bringBack(globals);
    remark();
  }

private:
  bool growCode();
  bool editUntilItFits();
  bool edit(const FullMoment &moment);
  bool store(ArrayRef<FullMoment::Result> results, int64_t bytes);
  void bringBack(ArrayRef<ml_program::GlobalOp> globals);
  std::string edits();
  void remark();
  void fail(const TrialReport &report);

  Coords grid;
  int64_t codeBytes = 0;
  SmallVector<linalg::LinalgOp> ops; ///< by number
};

} // namespace

/// Whether the module needs more code than was kept for it. With every weight in DRAM
/// it needs the most.
bool FitPass::growCode() {
  int64_t before = codeBytes;
  codeBytes = std::max(codeBytes, measureCode(getOperation()).value_or(0));
  return codeBytes > before;
}

/// Edits, round by round, what runs or lies at every moment that is too full.
bool FitPass::editUntilItFits() {
  ops = structuredOps(getOperation());
  while (true) {
    TrialReport report = tryPlacing(getOperation(), codeBytes);
    if (report.outcome != TrialReport::full)
      return report.outcome == TrialReport::fits;
    bool changed = false;
    for (const FullMoment &moment : report.moments)
      changed |= edit(moment);
    if (!changed) {
      fail(report);
      return false;
    }
  }
}

/// Stores the results of ops until `bytes` are free. Each op is stored once, so that
/// the rounds end.
bool FitPass::store(ArrayRef<FullMoment::Result> results, int64_t bytes) {
  bool changed = false;
  for (const FullMoment::Result &result : results) {
    if (bytes <= 0)
      break;
    if (resultsInDram(ops[result.op]))
      continue;
    keepInDram(ops[result.op]);
    bytes -= result.bytes;
    changed = true;
  }
  return changed;
}

/// Whether a step of the mapping takes another panel of a tensor that lies in DRAM, or of a
/// repeated constant, which lies nowhere.
static bool streams(linalg::LinalgOp op, ir::MappingAttr mapping, const Coords &grid) {
  FailureOr<ir::MappedOp> mapped = ir::MappedOp::get(op, mapping, grid);
  return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
    if (!isa<RankedTensorType>(operand->get().getType()) || !mapped->advances(*operand))
      return false;
    if (repeatedValue(operand->get()))
      return true;
    auto load = operand->get().getDefiningOp<ml_program::GlobalLoadOp>();
    return load ? isInDram(SymbolTable::lookupNearestSymbolFrom(load, load.getGlobal()))
                : isa<BlockArgument>(operand->get());
  });
}

/// An op that can stream what lies in DRAM anyway is cut first: that moves no byte more.
/// Else what the op does not use leaves. Then the op is cut; if that is not enough its
/// results are stored panel by panel, and what it uses comes so as well.
bool FitPass::edit(const FullMoment &moment) {
  linalg::LinalgOp op = ops[moment.op];
  bool inDram = resultsInDram(op);
  int64_t room = moment.room;
  auto choice = chooseSteps(op, room, inDram, grid);
  bool isCheap = choice && choice->bytes <= room && streams(op, choice->mapping, grid);
  if (!isCheap && store(moment.bystanders, moment.excess))
    return true;
  if (!choice)
    return store(moment.inputs, moment.excess);
  if (choice->bytes > room && !inDram) {
    keepInDram(op);
    choice = chooseSteps(op, room, true, grid);
  }
  if (choice->bytes > room) {
    store(moment.inputs, choice->bytes - room);
    for (const FullMoment::Result &input : moment.inputs)
      room += input.bytes;
    choice = chooseSteps(op, room, true, grid);
  }
  op->setAttr(ir::mappingAttrName, choice->mapping);
  return true;
}

/// Of the globals, which all are in DRAM, the fewest stay there; it fits more easily
/// the more do.
void FitPass::bringBack(ArrayRef<ml_program::GlobalOp> globals) {
  size_t low = 0, high = globals.size();
  while (low < high) {
    size_t middle = (low + high) / 2;
    for (auto [i, global] : llvm::enumerate(globals)) {
      global->removeAttr(ir::storageAttrName);
      if (i < middle)
        keepInDram(global);
    }
    if (tryPlacing(getOperation(), codeBytes).outcome == TrialReport::fits)
      high = middle;
    else
      low = middle + 1;
  }
  for (auto [i, global] : llvm::enumerate(globals)) {
    global->removeAttr(ir::storageAttrName);
    if (i < low)
      keepInDram(global);
  }
}

/// What has been edited, by the driver or by hand.
std::string FitPass::edits() {
  auto globals = getOperation().getOps<ml_program::GlobalOp>();
  size_t weights = llvm::count_if(globals, isInDram),
         all = std::distance(globals.begin(), globals.end());
  size_t results = llvm::count_if(ops, isInDram);
  size_t stepped = llvm::count_if(ops, [](linalg::LinalgOp op) {
    return !op->getAttrOfType<ir::MappingAttr>(ir::mappingAttrName).getSteps().empty();
  });
  return (llvm::Twine(weights) + " of " + llvm::Twine(all) + " weights and " +
          llvm::Twine(results) + " results in DRAM, " + llvm::Twine(stepped) + " ops in steps")
      .str();
}

void FitPass::remark() {
  getOperation().emitRemark() << "SRAM does not hold everything at once: " << edits();
}

void FitPass::fail(const TrialReport &report) {
  Location loc =
      report.moments.empty() ? getOperation().getLoc() : ops[report.moments.front().op]->getLoc();
  emitError(loc) << "no room in SRAM: " << report.why << "; tried already: " << edits();
  signalPassFailure();
}
