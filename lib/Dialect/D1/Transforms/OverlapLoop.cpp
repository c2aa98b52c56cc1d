//===- OverlapLoop.cpp - iterations of a loop that overlap ----------------===//
#include "OverlapLoop.h"

#include "dojo/ISA/Codec.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace dojo::d1 {

int64_t numStages(const sched::Solution &schedule) {
  int64_t last = *std::max_element(schedule.cycles.begin(), schedule.cycles.end());
  return last / schedule.interval + 1;
}

namespace {

class Overlap {
public:
  Overlap(RepeatOp loop, ArrayRef<InstructionOpInterface> ops, const BlockProblem &block,
          const sched::Solution &schedule, int64_t trips)
      : loop(loop), ops(ops), block(block), schedule(schedule), trips(trips),
        stages(numStages(schedule)), order(*sched::issueOrder(block.problem, schedule)),
        builder(loop) {}

  RepeatOp run() {
    for (int64_t column = 0; column < stages - 1; ++column)
      emitColumn(column);
    findCarried();
    RepeatOp kernel = emitKernel();
    for (int64_t column = trips; column < trips + stages - 1; ++column)
      emitColumn(column);
    for (auto [result, next] : llvm::zip_equal(loop.getResults(), loop.getYield().getValues()))
      result.replaceAllUsesWith(at(numberOf(next), trips - 1));
    loop.erase();
    return kernel;
  }

private:
  RepeatOp loop;
  ArrayRef<InstructionOpInterface> ops;
  const BlockProblem &block;
  const sched::Solution &schedule;
  int64_t trips, stages;
  std::vector<unsigned> order;
  OpBuilder builder;
  /// What an instruction has computed, by iteration.
  llvm::DenseMap<std::pair<unsigned, int64_t>, Value> values;
  /// Instructions whose latest value the loop carries, with the carried value of
  /// the old loop that it continues, if any.
  llvm::MapVector<unsigned, std::optional<unsigned>> carried;

  int64_t stage(unsigned i) const { return schedule.cycles[i] / schedule.interval; }

  unsigned numberOf(Value value) const { return block.sourceOf(value, loop)->def; }

  Value at(unsigned def, int64_t iteration) const {
    Value value = values.lookup({def, iteration});
    assert(value && "a schedule uses what is there");
    return value;
  }

  Operation *clone(unsigned i, function_ref<Value(const LoopSource &)> find) {
    Operation *copy = builder.clone(*ops[i]);
    for (OpOperand &operand : copy->getOpOperands())
      if (std::optional<LoopSource> source =
              block.sourceOf(ops[i]->getOperand(operand.getOperandNumber()), loop))
        operand.set(find(*source));
    return copy;
  }

  Value valueBefore(const LoopSource &source, int64_t iteration) {
    int64_t from = iteration - source.distance;
    return from < 0 ? loop.getInits()[*source.carried] : at(source.def, from);
  }

  /// One interval outside of the loop.
  void emitColumn(int64_t column) {
    for (unsigned i : order) {
      int64_t iteration = column - stage(i);
      if (iteration < 0 || iteration >= trips)
        continue;
      Operation *copy =
          clone(i, [&](const LoopSource &source) { return valueBefore(source, iteration); });
      if (copy->getNumResults())
        values[{i, iteration}] = copy->getResult(0);
    }
  }

  void carry(unsigned def, std::optional<unsigned> continues) {
    std::optional<unsigned> &known = carried[def];
    known = known ? known : continues;
  }

  /// A value that is used one interval later, or behind the loop.
  void findCarried() {
    for (auto [i, op] : llvm::enumerate(ops))
      for (Value operand : op->getOperands())
        if (std::optional<LoopSource> source = block.sourceOf(operand, loop)) {
          int64_t lag = stage(i) - stage(source->def) + source->distance;
          assert(lag >= 0 && lag <= 1 && "a value lives for one interval at most");
          if (lag == 1)
            carry(source->def, source->carried);
        }
    for (auto [index, next] : llvm::enumerate(loop.getYield().getValues()))
      if (stage(numberOf(next)) == 0)
        carry(numberOf(next), index);
  }

  Value init(unsigned def, std::optional<unsigned> continues) {
    int64_t iteration = stages - 2 - stage(def);
    return iteration < 0 ? loop.getInits()[*continues] : at(def, iteration);
  }

  Value constant(int64_t number) {
    static const isa::Operand &wide = isa::get(isa::Opcode::LI).operands[1];
    static const isa::Operand &low = isa::get(isa::Opcode::LIS).operands[2];
    Location loc = loop.getLoc();
    Value result =
        isa::fits(wide, number)
            ? LI::create(builder, loc, number)->getResult(0)
            : LIS::create(builder, loc, constant(number >> low.width), number & isa::maxValue(low))
                  ->getResult(0);
    result.setType(ScalarRegType::get(builder.getContext()));
    return result;
  }

  RepeatOp emitKernel() {
    Location loc = loop.getLoc();
    Value count = constant(trips - stages + 1);
    SmallVector<Value> inits, next;
    for (auto [def, continues] : carried)
      inits.push_back(init(def, continues));
    auto kernel = RepeatOp::create(builder, loc, count, inits);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&kernel.getBody().front());
    DenseMap<unsigned, Value> before, now;
    for (auto [entry, argument] : llvm::zip_equal(carried, kernel.getCarried()))
      before[entry.first] = argument;
    for (unsigned i : order) {
      Operation *copy = clone(i, [&](const LoopSource &source) {
        bool same = stage(i) - stage(source.def) + source.distance == 0;
        return same ? now.lookup(source.def) : before.lookup(source.def);
      });
      if (copy->getNumResults())
        now[i] = copy->getResult(0);
    }
    for (auto &entry : carried)
      next.push_back(now.lookup(entry.first));
    YieldOp::create(builder, loc, next);
    for (auto [entry, result] : llvm::zip_equal(carried, kernel.getResults()))
      values[{entry.first, trips - 1 - stage(entry.first)}] = result;
    return kernel;
  }
};

} // namespace

RepeatOp overlapLoop(RepeatOp loop, ArrayRef<InstructionOpInterface> ops, const BlockProblem &block,
                     const sched::Solution &schedule, int64_t trips) {
  return Overlap(loop, ops, block, schedule, trips).run();
}

} // namespace dojo::d1
