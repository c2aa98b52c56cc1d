//===- FitTrial.cpp - what would become of a module in SRAM ---------------===//
#include "FitTrial.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Dialect/Dojo/Transforms/Liveness.h"
#include "dojo/Pipelines/Pipelines.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

SmallVector<linalg::LinalgOp> dojo::structuredOps(ModuleOp module) {
  SmallVector<linalg::LinalgOp> ops;
  module.walk([&](linalg::LinalgOp op) {
    if (op->hasAttr(mappingAttrName))
      ops.push_back(op);
  });
  return ops;
}

/// Numbers travel through the passes as the metadata of locations.
static void numberOps(ModuleOp module) {
  Builder builder(module.getContext());
  for (auto [i, op] : llvm::enumerate(structuredOps(module)))
    op->setLoc(FusedLoc::get(module.getContext(), {op->getLoc()}, builder.getI64IntegerAttr(i)));
}

static std::optional<unsigned> numberOf(Operation *op) {
  auto location = op->getLoc()->findInstanceOf<FusedLocWith<IntegerAttr>>();
  if (!location)
    return std::nullopt;
  return location.getMetadata().getInt();
}

namespace {

/// Looks at the order of a program for the moments at which more is alive than fits.
class MomentFinder {
public:
  MomentFinder(const Timeline &line, const place::Problem &problem, int64_t peak);

  SmallVector<FullMoment> find();

private:
  /// The operations from the end of the op before to a launch of this one.
  struct Segment {
    unsigned op;
    int64_t begin, end;
  };
  SmallVector<Segment> segments() const;
  FullMoment describe(const Segment &segment, int64_t time) const;
  bool isUsed(Operation *memory, const Segment &segment) const;

  const Timeline &line;
  const place::Problem &problem;
  int64_t limit, missing;
  std::vector<int64_t> alive; ///< bytes, at each time
};

} // namespace

// Where all would fit if nothing had to lie in one piece, the fullest moments count.
MomentFinder::MomentFinder(const Timeline &line, const place::Problem &problem, int64_t peak)
    : line(line), problem(problem), missing(peak - problem.capacity),
      alive(line.operations.size() + 1, 0) {
  for (const place::Buffer &buffer : problem.buffers) {
    alive[buffer.lower] += buffer.size;
    if (buffer.upper < int64_t(alive.size()))
      alive[buffer.upper] -= buffer.size;
  }
  for (size_t t = 1; t < alive.size(); ++t)
    alive[t] += alive[t - 1];
  int64_t most = *llvm::max_element(alive);
  limit = most > problem.capacity ? problem.capacity : most - 1;
}

/// Fills belong to the op after them.
static bool isFill(LaunchOp launch) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(launch, launch.getKernelAttr());
  return llvm::all_of(kernel.getOps<linalg::LinalgOp>(),
                      [](linalg::LinalgOp op) { return isa<linalg::FillOp>(op.getOperation()); });
}

SmallVector<MomentFinder::Segment> MomentFinder::segments() const {
  SmallVector<Segment> segments;
  for (auto [t, op] : llvm::enumerate(line.operations)) {
    auto launch = dyn_cast<LaunchOp>(op);
    std::optional<unsigned> number = numberOf(op);
    if (!launch || !number || isFill(launch))
      continue;
    int64_t begin = segments.empty() ? 0 : segments.back().end, end = t + 1;
    if (!segments.empty() && segments.back().op == *number)
      segments.back().end = end;
    else
      segments.push_back({*number, begin, end});
  }
  return segments;
}

bool MomentFinder::isUsed(Operation *memory, const Segment &segment) const {
  for (int64_t t = segment.begin; t < segment.end; ++t)
    for (Value operand : line.operations[t]->getOperands())
      if (isa<BufferType>(operand.getType()) && memoryOf(operand) == memory)
        return true;
  return false;
}

FullMoment MomentFinder::describe(const Segment &segment, int64_t time) const {
  FullMoment moment{segment.op, std::max(alive[time] - problem.capacity, missing), 0, {}, {}};
  moment.room = problem.capacity - problem.buffers.front().size;
  for (auto &[memory, life] : line.lifetimes) {
    if (life.begin > time || life.end <= time || life.begin >= segment.begin)
      continue;
    int64_t bytes = localBytes(ir::tensorOf(memory));
    moment.room -= bytes;
    std::optional<unsigned> number = numberOf(memory);
    if (number && isa<AllocOp>(memory) && *number != segment.op)
      (isUsed(memory, segment) ? moment.inputs : moment.bystanders).push_back({*number, bytes});
  }
  for (auto *list : {&moment.bystanders, &moment.inputs})
    llvm::stable_sort(*list, [](auto &a, auto &b) { return a.bytes > b.bytes; });
  return moment;
}

SmallVector<FullMoment> MomentFinder::find() {
  llvm::MapVector<unsigned, FullMoment> worst;
  for (const Segment &segment : segments()) {
    int64_t time = segment.begin;
    for (int64_t t = segment.begin; t < segment.end; ++t)
      if (alive[t] > alive[time])
        time = t;
    if (alive[time] <= limit)
      continue;
    FullMoment moment = describe(segment, time);
    auto [entry, isNew] = worst.insert({segment.op, moment});
    if (!isNew && entry->second.excess < moment.excess)
      entry->second = moment;
  }
  SmallVector<FullMoment> moments;
  for (auto &[op, moment] : worst)
    moments.push_back(moment);
  llvm::stable_sort(moments, [](auto &a, auto &b) { return a.excess > b.excess; });
  return moments;
}

TrialReport dojo::tryPlacing(ModuleOp module, int64_t codeBytes) {
  OwningOpRef<ModuleOp> copy = module.clone();
  numberOps(*copy);
  ScopedDiagnosticHandler silence(module.getContext(), [](Diagnostic &) { return success(); });
  auto target = Target::of(*copy);
  PassManager trial(module.getContext());
  buildSpreadingPipeline(trial);
  if (failed(target) || failed(trial.run(*copy)))
    return {TrialReport::broken, "", {}};
  Timeline line = timelineOf(*copy);
  place::Problem problem = placementProblem(line.lifetimes, target->machine, codeBytes);
  llvm::Expected<place::Solution> solution = place::solve(problem);
  if (solution)
    return {TrialReport::fits, "", {}};
  std::string why = llvm::toString(solution.takeError());
  problem.capacity = std::numeric_limits<int64_t>::max();
  int64_t peak = llvm::cantFail(place::solve(problem)).peak(problem);
  problem.capacity = target->machine.sramBytes;
  return {TrialReport::full, why, MomentFinder(line, problem, peak).find()};
}

std::optional<int64_t> dojo::measureCode(ModuleOp module) {
  OwningOpRef<ModuleOp> copy = module.clone();
  ScopedDiagnosticHandler silence(module.getContext(), [](Diagnostic &) { return success(); });
  PassManager trial(module.getContext());
  buildSpreadingPipeline(trial);
  buildRoutinePipeline(trial);
  if (failed(trial.run(*copy)))
    return std::nullopt;
  return (*copy)->getAttrOfType<IntegerAttr>(codeBytesAttrName).getInt();
}
