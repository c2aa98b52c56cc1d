//===- Schedule.cpp - instructions in the order of their cycles -----------===//
#include "Allocation.h"
#include "FunctionProblem.h"
#include "OverlapLoop.h"
#include "dojo/Dialect/D1/Transforms/Passes.h"
#include "dojo/Scheduling/LiveRanges.h"

#include "llvm/ADT/bit.h"

using namespace mlir;

namespace dojo::d1 {
#define GEN_PASS_DEF_D1SCHEDULE
#include "dojo/Dialect/D1/Transforms/Passes.h.inc"

/// Instructions of an overlapped loop, its prologue and its epilogue together.
static constexpr int64_t mostOverlapped = 1024;
static constexpr int64_t mostStages = 16;

namespace {

/// How far a schedule may go; each is tried until registers suffice.
struct Effort {
  StringRef name;
  bool overlaps;
  unsigned loopMargin; ///< registers of each file that a loop leaves alone
  unsigned lineMargin; ///< and a straight line
};
constexpr Effort efforts[] = {{"overlapped", true, 0, 0},
                              {"overlapped", true, 0, 6},
                              {"tight", true, 3, 6},
                              {"tight", true, 6, 6},
                              {"line", false, 6, 6}};

/// Registers that are taken around a piece of code.
class Surroundings {
public:
  explicit Surroundings(func::FuncOp function)
      : code(function), ranges(regalloc::liveRanges(code.problem)) {
    for (auto [step, op] : llvm::enumerate(code.stepOps)) {
      firstStep.try_emplace(op, step);
      lastStep[op] = step;
    }
  }

  /// What is left of each file from `first` to `last` for values defined inside.
  /// Scalar constants count as free, since allocation computes them where they are
  /// used; but those of a loop are computed in front of it and stay.
  std::array<unsigned, 3> left(Operation *first, Operation *last, unsigned margin) const {
    unsigned begin = 2 * firstStep.lookup(first), end = 2 * lastStep.lookup(last) + 1;
    std::array<unsigned, 3> result;
    for (unsigned file = 0; file < 3; ++file)
      result[file] = llvm::popcount(code.problem.files[file].allocatable);
    for (auto [value, range, info] : llvm::zip_equal(code.values, ranges, code.problem.values)) {
      bool free = info.file == unsigned(isa::Kind::x) && isRecomputable(value.getDefiningOp()) &&
                  !isReadInLoop(value, first);
      if (free || range.empty() || range.begin() >= begin || isCarriedBy(value, first))
        continue;
      auto span = range.getSpans().upper_bound(begin);
      bool live = span != range.getSpans().begin() && std::prev(span)->second > begin;
      live |= span != range.getSpans().end() && span->first < end;
      result[info.file] -= live && result[info.file];
    }
    if (llvm::isa<RepeatOp>(first)) // Its counter.
      result[0] -= result[0] > 0;
    for (isa::Kind kind : {isa::Kind::x, isa::Kind::v}) {
      unsigned &count = result[unsigned(kind)];
      count = std::max(1, int(count) - int(margin));
    }
    return result;
  }

private:
  FunctionProblem code;
  std::vector<regalloc::LiveRange> ranges;
  DenseMap<Operation *, unsigned> firstStep, lastStep;

  static bool isReadInLoop(Value value, Operation *op) {
    return llvm::isa<RepeatOp>(op) && llvm::any_of(value.getUsers(), [&](Operation *user) {
             return user->getParentOp() == op;
           });
  }

  static bool isCarriedBy(Value value, Operation *op) {
    auto repeat = dyn_cast<RepeatOp>(op);
    return repeat && llvm::is_contained(repeat.getInits(), value);
  }
};

/// Whether `op` may change its place at all.
bool isMovable(Operation &op) {
  auto inst = dyn_cast<InstructionOpInterface>(op);
  return inst && inst.getInstruction().effect != isa::Effect::node;
}

SmallVector<RepeatOp> innermostLoops(func::FuncOp function) {
  SmallVector<RepeatOp> loops;
  function.walk([&](RepeatOp loop) {
    auto body = loop.getBody().front().without_terminator();
    if (!body.empty() && llvm::all_of(body, isMovable))
      loops.push_back(loop);
  });
  return loops;
}

SmallVector<InstructionOpInterface> bodyOf(RepeatOp loop) {
  return llvm::map_to_vector(loop.getBody().front().without_terminator(),
                             [](Operation &op) { return cast<InstructionOpInterface>(op); });
}

/// What an innermost loop reaches, beside the bounds of `problem`.
void describe(RepeatOp loop, const sched::Problem &problem, int64_t interval, int64_t stages) {
  Builder builder(loop.getContext());
  auto set = [&](StringRef name, int64_t value) {
    loop->setAttr(name, builder.getI64IntegerAttr(value));
  };
  set("d1.interval", interval);
  set("d1.resource_bound", sched::resourceBound(problem));
  set("d1.recurrence_bound", sched::recurrenceBound(problem));
  set("d1.stages", stages);
}

class Scheduler {
public:
  Scheduler(const Machine &machine, func::FuncOp function, const Effort &effort)
      : machine(machine), function(function), effort(effort) {}

  void run() {
    for (RepeatOp loop : innermostLoops(function))
      if (effort.overlaps)
        overlap(loop);
    Surroundings surroundings(function);
    MemoryAccesses memory(function);
    SmallVector<Block *> blocks;
    function.walk([&](Block *block) { blocks.push_back(block); });
    for (Block *block : blocks)
      if (!block->getParentOp()->hasAttr("d1.interval"))
        scheduleBlock(*block, surroundings, memory);
  }

  /// Schedules that the checker has seen, and what it found wrong with one of them.
  int64_t numChecked() const { return checked; }
  const std::optional<std::string> &getDefect() const { return defect; }

private:
  const Machine &machine;
  func::FuncOp function;
  const Effort &effort;
  int64_t checked = 0;
  std::optional<std::string> defect;

  void prove(const sched::Problem &problem, const sched::Solution &schedule) {
    ++checked;
    if (std::optional<std::string> wrong = sched::check(problem, schedule); wrong && !defect)
      defect = std::move(wrong);
  }

  void overlap(RepeatOp loop) {
    std::optional<int64_t> trips = constantIn(loop.getCount());
    if (!trips)
      return;
    SmallVector<InstructionOpInterface> ops = bodyOf(loop);
    auto registers = Surroundings(function).left(loop, loop, effort.loopMargin);
    BlockProblem block(machine, ops, registers);
    MemoryAccesses memory(function);
    if (!block.addLoopEdges(memory, loop))
      return;
    int64_t bound = sched::intervalBound(block.problem);
    std::optional<sched::Solution> schedule =
        sched::scheduleLoop(block.problem, bound + bound / 4 + machine.simdLatency);
    if (!schedule)
      return;
    prove(block.problem, *schedule);
    int64_t stages = numStages(*schedule);
    if (stages > std::min(*trips, mostStages) || stages * int64_t(ops.size()) > mostOverlapped)
      return;
    RepeatOp kernel = overlapLoop(loop, ops, block, *schedule, *trips);
    describe(kernel, block.problem, schedule->interval, stages);
  }

  void scheduleBlock(Block &block, const Surroundings &surroundings, MemoryAccesses &memory) {
    SmallVector<InstructionOpInterface> line;
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (isMovable(op)) {
        line.push_back(cast<InstructionOpInterface>(op));
        continue;
      }
      scheduleLine(line, surroundings, memory);
      line.clear();
    }
  }

  void scheduleLine(ArrayRef<InstructionOpInterface> line, const Surroundings &surroundings,
                    MemoryAccesses &memory) {
    if (line.size() < 2)
      return;
    Operation *end = line.back()->getNextNode();
    BlockProblem block(machine, line,
                       surroundings.left(line.front(), line.back(), effort.lineMargin));
    block.addLineEdges(memory);
    sched::Solution schedule = sched::scheduleLine(block.problem);
    sched::Solution before = sched::scheduleInOrder(block.problem);
    if (*llvm::max_element(schedule.cycles) >= *llvm::max_element(before.cycles))
      return;
    prove(block.problem, schedule);
    std::optional<std::vector<unsigned>> order = sched::issueOrder(block.problem, schedule);
    for (unsigned i : *order)
      if (i < line.size())
        line[i]->moveBefore(end);
  }
};

struct Schedule : impl::D1ScheduleBase<Schedule> {
  using D1ScheduleBase::D1ScheduleBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(routineAttr))
      return;
    llvm::Expected<Machine> loaded =
        StringRef(machine).starts_with("{") ? parseMachine(machine) : loadMachine(machine);
    if (!loaded) {
      function.emitError(llvm::toString(loaded.takeError()));
      return signalPassFailure();
    }
    StringRef chosen = "program order";
    int64_t checked = 0;
    for (const Effort &effort : efforts) {
      func::FuncOp copy = function.clone();
      Scheduler scheduler(*loaded, copy, effort);
      scheduler.run();
      if (scheduler.getDefect()) {
        function.emitError("is scheduled wrongly: ") << *scheduler.getDefect();
        copy.erase();
        return signalPassFailure();
      }
      bool fits = fitsRegisters(copy);
      if (fits) {
        function.getBody().takeBody(copy.getBody());
        chosen = effort.name;
        checked = scheduler.numChecked();
      }
      copy.erase();
      if (fits)
        break;
    }
    Builder builder(&getContext());
    function->setAttr("d1.schedule", builder.getStringAttr(chosen));
    function->setAttr("d1.checked", builder.getI64IntegerAttr(checked));
    for (RepeatOp loop : innermostLoops(function))
      if (!loop->hasAttr("d1.interval"))
        describeInOrder(*loaded, loop);
  }

  /// A loop whose iterations do not overlap. One that carries what its body does not
  /// compute is bounded by its resources alone.
  static void describeInOrder(const Machine &machine, RepeatOp loop) {
    SmallVector<InstructionOpInterface> ops = bodyOf(loop);
    BlockProblem block(machine, ops, {});
    MemoryAccesses memory(loop->getParentOfType<func::FuncOp>());
    if (!block.addLoopEdges(memory, loop))
      block.addLineEdges(memory);
    describe(loop, block.problem, sched::intervalInOrder(block.problem), 1);
  }
};

} // namespace
} // namespace dojo::d1
