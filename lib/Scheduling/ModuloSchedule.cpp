//===- ModuloSchedule.cpp - overlapping the iterations of a loop ----------===//
#include "dojo/Scheduling/InstructionSchedule.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <limits>
#include <numeric>

namespace dojo::sched {
namespace {

/// Placements that one interval is worth, for each instruction.
constexpr unsigned placementsEach = 6;

/// An edge, or what keeps a value's register until its last reader: the reader
/// stands before the value of the next iteration.
struct Constraint {
  unsigned from, to;
  int64_t latency, distance;

  int64_t lead(int64_t interval) const { return latency - interval * distance; }
};

std::vector<Constraint> constraintsOf(const Problem &problem) {
  std::vector<Constraint> constraints;
  for (const Edge &edge : problem.edges) {
    constraints.push_back({edge.from, edge.to, edge.latency, edge.distance});
    if (edge.value)
      constraints.push_back({edge.to, edge.from, 0, 1 - int64_t(edge.distance)});
  }
  return constraints;
}

/// Where instructions are placed first: at the begin of the longest path, or at its end,
/// which spaces what they read as the last ones take it.
enum class Direction { forward, backward };

class LoopScheduler {
public:
  LoopScheduler(const Problem &problem, int64_t interval, Direction direction)
      : problem(problem), interval(interval), direction(direction),
        count(problem.instructions.size()), constraints(constraintsOf(problem)), users(count) {
    if (direction == Direction::backward)
      turn();
    sortConstraints();
    for (const Edge &edge : problem.edges)
      users[edge.from] += edge.value;
  }

  /// The longest leads to the end; false if some circle never ends.
  bool findHeights() {
    height.assign(count, 0);
    for (unsigned round = 0; round <= count; ++round) {
      bool changed = false;
      for (const Constraint &c : llvm::reverse(constraints)) {
        int64_t least = height[c.to] + c.lead(interval);
        changed |= least > height[c.from];
        height[c.from] = std::max(height[c.from], least);
      }
      if (!changed)
        return true;
    }
    return false;
  }

  std::optional<Solution> run() {
    if (!findHeights() || !place())
      return std::nullopt;
    if (direction == Direction::backward) {
      turn();
      sortConstraints();
      table.assign(problem.resources.size(), std::vector<llvm::SmallVector<unsigned, 2>>(interval));
      for (unsigned i = 0; i < count; ++i)
        put(i, -cycles[i]);
    }
    delay();
    int64_t first = *std::min_element(cycles.begin(), cycles.end());
    for (int64_t &cycle : cycles)
      cycle -= first;
    Solution solution{cycles, interval};
    if (!issueOrder(problem, solution))
      return std::nullopt;
    for (auto [taken, file] : llvm::zip_equal(registersTaken(problem, solution), problem.files))
      if (taken > file.registers)
        return std::nullopt;
    return solution;
  }

private:
  static constexpr int64_t unplaced = std::numeric_limits<int64_t>::min();

  const Problem &problem;
  int64_t interval;
  Direction direction;
  unsigned count;
  std::vector<Constraint> constraints;
  std::vector<llvm::SmallVector<const Constraint *, 8>> out, in;
  std::vector<unsigned> users;
  std::vector<int64_t> height, cycles, last;
  /// By resource and cycle of the interval, who takes it.
  std::vector<std::vector<llvm::SmallVector<unsigned, 2>>> table;

  /// Time runs the other way.
  void turn() {
    for (Constraint &constraint : constraints)
      std::swap(constraint.from, constraint.to);
  }

  void sortConstraints() {
    out.assign(count, {});
    in.assign(count, {});
    for (const Constraint &constraint : constraints) {
      out[constraint.from].push_back(&constraint);
      in[constraint.to].push_back(&constraint);
    }
  }

  llvm::SmallVector<unsigned, 2> &slot(unsigned resource, int64_t cycle) {
    int64_t place = cycle % interval;
    return table[resource][place < 0 ? place + interval : place];
  }

  bool isFree(unsigned i, int64_t cycle) {
    return llvm::all_of(problem.instructions[i].resources, [&](unsigned r) {
      return slot(r, cycle).size() < problem.resources[r].perCycle;
    });
  }

  void put(unsigned i, int64_t cycle) {
    cycles[i] = cycle;
    for (unsigned r : problem.instructions[i].resources)
      slot(r, cycle).push_back(i);
  }

  void take(unsigned i) {
    for (unsigned r : problem.instructions[i].resources)
      llvm::erase(slot(r, cycles[i]), i);
    cycles[i] = unplaced;
  }

  int64_t earliest(unsigned i) const {
    int64_t cycle = unplaced;
    for (const Constraint *c : in[i])
      if (c->from != i && cycles[c->from] != unplaced)
        cycle = std::max(cycle, cycles[c->from] + c->lead(interval));
    return cycle == unplaced ? std::max<int64_t>(last[i], 0) : cycle;
  }

  int64_t latest(unsigned i) const {
    int64_t cycle = cycles[i] + interval - 1;
    for (const Constraint *c : out[i])
      if (c->to != i)
        cycle = std::min(cycle, cycles[c->to] - c->lead(interval));
    return cycle;
  }

  /// Puts `i` where it is free, or where it was not yet, at the cost of others.
  void force(unsigned i) {
    int64_t first = earliest(i), cycle = first;
    while (cycle < first + interval && !isFree(i, cycle))
      ++cycle;
    if (cycle == first + interval)
      cycle = last[i] == unplaced ? first : std::max(first, last[i] + 1);
    for (unsigned r : problem.instructions[i].resources)
      while (slot(r, cycle).size() >= problem.resources[r].perCycle)
        take(slot(r, cycle).front());
    put(i, cycle);
    last[i] = cycle;
    for (const Constraint *c : out[i])
      if (c->to != i && cycles[c->to] != unplaced && cycles[c->to] < cycle + c->lead(interval))
        take(c->to);
  }

  bool place() {
    cycles.assign(count, unplaced);
    last.assign(count, unplaced);
    table.assign(problem.resources.size(), std::vector<llvm::SmallVector<unsigned, 2>>(interval));
    std::vector<unsigned> order(count);
    std::iota(order.begin(), order.end(), 0);
    llvm::stable_sort(order, [&](unsigned a, unsigned b) { return height[a] > height[b]; });
    for (unsigned budget = placementsEach * count; budget > 0; --budget) {
      auto next = llvm::find_if(order, [&](unsigned i) { return cycles[i] == unplaced; });
      if (next == order.end())
        return true;
      force(*next);
    }
    return llvm::none_of(cycles, [](int64_t cycle) { return cycle == unplaced; });
  }

  /// Registers that a later issue of `i` frees, less those that it keeps.
  int gain(unsigned i) const {
    int gain = users[i] > 0;
    for (const Edge &edge : problem.edges)
      if (edge.value && edge.to == i && edge.from != i && isLastUser(edge))
        --gain;
    return gain;
  }

  bool isLastUser(const Edge &use) const {
    int64_t end = cycles[use.to] + interval * use.distance;
    return llvm::none_of(problem.edges, [&](const Edge &edge) {
      return edge.value && edge.from == use.from && edge.to != use.to &&
             cycles[edge.to] + interval * edge.distance > end;
    });
  }

  /// Values begin as late as their readers allow: that shortens their lives.
  void delay() {
    std::vector<unsigned> order(count);
    std::iota(order.begin(), order.end(), 0);
    llvm::stable_sort(order, [&](unsigned a, unsigned b) { return cycles[a] > cycles[b]; });
    for (unsigned i : order) {
      int64_t from = cycles[i], to = latest(i);
      if (to <= from || !users[i] || gain(i) < 0)
        continue;
      take(i);
      while (to > from && !isFree(i, to))
        --to;
      put(i, to);
    }
  }
};

} // namespace

std::optional<Solution> scheduleLoop(const Problem &problem, int64_t longest) {
  if (!LoopScheduler(problem, longest, Direction::forward).findHeights())
    return std::nullopt;
  for (int64_t interval = intervalBound(problem); interval <= longest; ++interval)
    for (Direction direction : {Direction::forward, Direction::backward})
      if (auto solution = LoopScheduler(problem, interval, direction).run())
        return solution;
  return std::nullopt;
}

} // namespace dojo::sched
