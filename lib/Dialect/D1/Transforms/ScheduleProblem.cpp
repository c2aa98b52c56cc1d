//===- ScheduleProblem.cpp - d1 code as a scheduling problem --------------===//
#include "ScheduleProblem.h"
#include "Allocation.h"
#include "dojo/ISA/Issue.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace dojo::d1 {

/// Iterations that a schedule overlaps at most.
static constexpr unsigned farthestIteration = 16;

/// Numbered as isa::Slot is.
static std::vector<sched::Resource> resourcesOf(const Machine &machine) {
  std::vector<sched::Resource> resources;
  for (unsigned i = 0; i < isa::numSlots; ++i)
    resources.push_back(
        {isa::name(isa::Slot(i)).str(), unsigned(isa::width(machine, isa::Slot(i)))});
  return resources;
}

static sched::Instruction describe(InstructionOpInterface op) {
  const isa::Instruction &inst = op.getInstruction();
  sched::Instruction result{inst.mnemonic.str(), {}, std::nullopt};
  for (isa::Slot slot : isa::slotsOf(inst))
    result.resources.push_back(unsigned(slot));
  if (op->getNumResults())
    result.file = unsigned(*registerKind(op->getResult(0).getType()));
  return result;
}

BlockProblem::BlockProblem(const Machine &machine, ArrayRef<InstructionOpInterface> ops,
                           std::array<unsigned, 3> registers)
    : machine(machine), ops(ops) {
  problem.resources = resourcesOf(machine);
  problem.files = {
      {"scalar", registers[0]}, {"vector", registers[1]}, {"accumulator", registers[2]}};
  for (auto [i, op] : llvm::enumerate(ops)) {
    numbers[op] = i;
    problem.instructions.push_back(describe(op));
  }
}

unsigned BlockProblem::latency(unsigned i) const {
  InstructionOpInterface op = ops[i];
  return isa::latency(machine, op.getInstruction());
}

void BlockProblem::addUse(unsigned def, unsigned user, unsigned distance) {
  problem.edges.push_back({def, user, latency(def), distance, true});
}

/// An accumulator's other readers come before the instruction that updates it.
void BlockProblem::addUpdates() {
  for (auto [i, op] : llvm::enumerate(ops)) {
    std::optional<unsigned> updated = updatedOperand(op);
    if (!updated)
      continue;
    Value old = op->getOperand(*updated);
    for (Operation *user : old.getUsers())
      if (auto reader = numbers.find(user); reader != numbers.end() && reader->second < i)
        problem.edges.push_back({reader->second, unsigned(i), 0, 0, false});
  }
}

/// All values of an accumulator share its register: the next iteration starts it
/// after the last reader of any.
void BlockProblem::addAccumulatorLives() {
  std::vector<unsigned> first(ops.size());
  for (auto [i, op] : llvm::enumerate(ops)) {
    first[i] = i;
    std::optional<unsigned> updated = updatedOperand(op);
    for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
      auto def = numbers.find(operand.getDefiningOp());
      if (def == numbers.end() || registerKind(operand.getType()) != isa::Kind::a)
        continue;
      if (updated == index)
        first[i] = first[def->second];
      problem.edges.push_back({unsigned(i), first[def->second], 0, 1, false});
    }
  }
}

/// The accumulator that `value` has gone on from, without a new start.
static Value startOf(Value value) {
  for (;;) {
    Operation *op = value.getDefiningOp();
    std::optional<unsigned> updated;
    if (auto loop = dyn_cast_or_null<RepeatOp>(op))
      value = loop.getInits()[cast<OpResult>(value).getResultNumber()];
    else if (auto inst = dyn_cast_or_null<InstructionOpInterface>(op);
             inst && (updated = updatedOperand(inst)))
      value = op->getOperand(*updated);
    else
      return value;
  }
}

/// What the loop around the line carries stays in one register: its next value starts
/// after the last reader of the one before.
void BlockProblem::addCarriedAccumulators() {
  auto loop = dyn_cast<RepeatOp>(ops.front()->getParentOp());
  if (!loop)
    return;
  DenseMap<Value, unsigned> nextStart;
  for (auto [carried, next] : llvm::zip_equal(loop.getCarried(), loop.getYield().getValues()))
    if (registerKind(carried.getType()) == isa::Kind::a)
      if (auto start = numbers.find(startOf(next).getDefiningOp()); start != numbers.end())
        nextStart[carried] = start->second;
  for (auto [i, op] : llvm::enumerate(ops))
    for (Value operand : op->getOperands())
      if (registerKind(operand.getType()) == isa::Kind::a)
        if (auto next = nextStart.find(startOf(operand)); next != nextStart.end())
          if (i < next->second)
            problem.edges.push_back({unsigned(i), next->second, 0, 0, false});
}

void BlockProblem::addMemory(MemoryAccesses &memory, RepeatOp loop) {
  SmallVector<std::pair<unsigned, MemoryAccess>> accesses;
  for (auto [i, op] : llvm::enumerate(ops))
    if (std::optional<MemoryAccess> access = memory.of(op))
      accesses.push_back({unsigned(i), std::move(*access)});
  // Bytes the base moves an iteration, where that is a constant.
  auto stepOf = [&](Value base) -> std::optional<int64_t> {
    if (base.getParentRegion()->isProperAncestor(&loop.getBody()))
      return 0;
    auto argument = dyn_cast<BlockArgument>(base);
    if (!argument || argument.getArgNumber() == 0)
      return std::nullopt;
    auto [next, step] = splitAddress(loop.getYield().getValues()[argument.getArgNumber() - 1]);
    return next == base ? std::optional(step) : std::nullopt;
  };
  auto order = [&](unsigned from, unsigned to, unsigned distance) {
    unsigned latency = accesses[from].second.writes ? 1 : 0;
    problem.edges.push_back({accesses[from].first, accesses[to].first, latency, distance, false});
  };
  auto acrossIterations = [&](unsigned first, unsigned later) {
    const MemoryAccess &a = accesses[first].second, &b = accesses[later].second;
    if (!memory.mayMeetAnywhere(a, b))
      return;
    std::optional<int64_t> step = stepOf(a.base);
    bool known = a.base == b.base && step;
    for (unsigned distance = 1; distance <= farthestIteration; ++distance)
      if (!known || memory.mayMeet(a, b, *step * distance))
        return order(first, later, distance);
  };
  for (unsigned j = 0; j < accesses.size(); ++j)
    for (unsigned i = 0; i < j; ++i) {
      const MemoryAccess &a = accesses[i].second, &b = accesses[j].second;
      if (!a.writes && !b.writes)
        continue;
      if (memory.mayMeet(a, b))
        order(i, j, 0);
      if (loop) {
        acrossIterations(i, j);
        acrossIterations(j, i);
      }
    }
}

/// Whether nothing uses `value` behind the line, nor in a further iteration around it.
bool BlockProblem::endsInLine(Value value) const {
  Operation *def = value.getDefiningOp();
  bool free = registerKind(value.getType()) == isa::Kind::x && isRecomputable(def);
  return !free && value.getParentBlock() == ops.front()->getBlock() && !numbers.contains(def) &&
         llvm::all_of(value.getUsers(), [&](Operation *user) { return numbers.contains(user); });
}

void BlockProblem::addGiven() {
  llvm::SetVector<Value> values;
  for (InstructionOpInterface op : ops)
    for (Value operand : op->getOperands())
      if (endsInLine(operand))
        values.insert(operand);
  for (Value value : values) {
    unsigned file = unsigned(*registerKind(value.getType()));
    unsigned number = problem.instructions.size();
    problem.instructions.push_back(
        {"given" + std::to_string(number), {}, file, /*kept=*/false, /*given=*/true});
    ++problem.files[file].registers;
    for (OpOperand &use : value.getUses())
      problem.edges.push_back({number, numbers.lookup(use.getOwner()), 0, 0, true});
  }
}

void BlockProblem::addLineEdges(MemoryAccesses &memory) {
  for (auto [i, op] : llvm::enumerate(ops)) {
    for (Value operand : op->getOperands())
      if (auto def = numbers.find(operand.getDefiningOp()); def != numbers.end())
        addUse(def->second, i, 0);
    problem.instructions[i].kept =
        llvm::any_of(op->getUsers(), [&](Operation *user) { return !numbers.contains(user); });
  }
  addUpdates();
  addCarriedAccumulators();
  addGiven();
  addMemory(memory, {});
}

std::optional<LoopSource> BlockProblem::sourceOf(Value value, RepeatOp loop) const {
  std::optional<unsigned> carried;
  if (auto argument = dyn_cast<BlockArgument>(value);
      argument && argument.getOwner() == &loop.getBody().front()) {
    if (argument.getArgNumber() == 0)
      return std::nullopt;
    carried = argument.getArgNumber() - 1;
    value = loop.getYield().getValues()[*carried];
  }
  auto def = numbers.find(value.getDefiningOp());
  if (def == numbers.end())
    return std::nullopt;
  return LoopSource{def->second, carried ? 1u : 0u, carried};
}

bool BlockProblem::addLoopEdges(MemoryAccesses &memory, RepeatOp loop) {
  SmallVector<unsigned> yielded;
  for (Value next : loop.getYield().getValues()) {
    auto def = numbers.find(next.getDefiningOp());
    if (def == numbers.end() || llvm::is_contained(yielded, def->second))
      return false;
    yielded.push_back(def->second);
  }
  if (!loop.getCounter().use_empty())
    return false;
  for (auto [i, op] : llvm::enumerate(ops))
    for (Value operand : op->getOperands())
      if (std::optional<LoopSource> source = sourceOf(operand, loop))
        addUse(source->def, i, source->distance);
  addUpdates();
  addAccumulatorLives();
  addMemory(memory, loop);
  return true;
}

} // namespace dojo::d1
