//===- InstructionSchedule.cpp - bounds, straight lines, issue order ------===//
#include "dojo/Scheduling/InstructionSchedule.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <numeric>

namespace dojo::sched {

int64_t resourceBound(const Problem &problem) {
  std::vector<int64_t> uses(problem.resources.size());
  for (const Instruction &instruction : problem.instructions)
    for (unsigned resource : instruction.resources)
      ++uses[resource];
  int64_t bound = 1;
  for (auto [resource, count] : llvm::zip_equal(problem.resources, uses))
    bound = std::max<int64_t>(bound, llvm::divideCeil(count, resource.perCycle));
  return bound;
}

/// Whether cycles exist for every edge at this interval: no circle is positive.
static bool edgesAllow(const Problem &problem, int64_t interval) {
  std::vector<int64_t> earliest(problem.instructions.size());
  for (unsigned round = 0; round <= problem.instructions.size(); ++round) {
    bool changed = false;
    for (const Edge &edge : problem.edges) {
      int64_t least = earliest[edge.from] + edge.latency - interval * int64_t(edge.distance);
      changed |= least > earliest[edge.to];
      earliest[edge.to] = std::max(earliest[edge.to], least);
    }
    if (!changed)
      return true;
  }
  return false;
}

int64_t recurrenceBound(const Problem &problem) {
  int64_t low = 1, high = 1;
  for (const Edge &edge : problem.edges)
    high += edge.latency;
  while (low < high) {
    int64_t middle = (low + high) / 2;
    if (edgesAllow(problem, middle))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

std::vector<unsigned> registersTaken(const Problem &problem, const Solution &solution) {
  std::vector<int64_t> ends(solution.cycles);
  for (const Edge &edge : problem.edges)
    if (edge.value)
      ends[edge.from] =
          std::max(ends[edge.from], solution.cycles[edge.to] + solution.interval * edge.distance);
  int64_t last = *std::max_element(ends.begin(), ends.end());
  for (auto [i, instruction] : llvm::enumerate(problem.instructions))
    if (instruction.kept && !solution.interval)
      ends[i] = last + 1;
  int64_t length = solution.interval ? solution.interval : last + 1;
  std::vector<std::vector<unsigned>> taken(problem.files.size(), std::vector<unsigned>(length));
  for (auto [i, instruction] : llvm::enumerate(problem.instructions))
    for (int64_t cycle = solution.cycles[i]; instruction.file && cycle < ends[i]; ++cycle)
      ++taken[*instruction.file][cycle % length];
  std::vector<unsigned> most;
  for (const std::vector<unsigned> &counts : taken)
    most.push_back(*std::max_element(counts.begin(), counts.end()));
  return most;
}

std::optional<std::vector<unsigned>> issueOrder(const Problem &problem, const Solution &solution) {
  auto place = [&](unsigned i) {
    return solution.interval ? solution.cycles[i] % solution.interval : solution.cycles[i];
  };
  unsigned count = problem.instructions.size();
  std::vector<llvm::SmallVector<unsigned, 2>> after(count);
  std::vector<unsigned> before(count);
  auto precede = [&](unsigned from, unsigned to) {
    if (from == to)
      return;
    after[from].push_back(to);
    ++before[to];
  };
  for (const Edge &edge : problem.edges) {
    if (problem.instructions[edge.from].given)
      continue;
    int64_t from = solution.cycles[edge.from];
    int64_t to = solution.cycles[edge.to] + solution.interval * edge.distance;
    if (from == to && (solution.interval || !edge.distance))
      precede(edge.from, edge.to);
    // The next value takes the register in the cycle of the last reader.
    if (solution.interval && edge.value && to == from + solution.interval)
      precede(edge.to, edge.from);
  }
  std::vector<unsigned> order(count), result;
  std::iota(order.begin(), order.end(), 0);
  llvm::stable_sort(order, [&](unsigned a, unsigned b) { return place(a) < place(b); });
  // What waits stands in the cycle of what it waits for.
  auto take = [&](unsigned i, auto &self) -> void {
    result.push_back(i);
    for (unsigned to : after[i])
      if (!--before[to])
        self(to, self);
  };
  std::vector<unsigned> first;
  llvm::copy_if(order, std::back_inserter(first), [&](unsigned i) { return !before[i]; });
  for (unsigned i : first)
    take(i, take);
  if (result.size() != count)
    return std::nullopt;
  return result;
}

namespace {

class LineScheduler {
public:
  /// No instruction issues before its cycle in `release`.
  LineScheduler(const Problem &problem, std::vector<int64_t> release)
      : problem(problem), count(problem.instructions.size()), height(count), waiting(count),
        users(count), earliest(std::move(release)), out(count), in(count),
        live(problem.files.size()) {}

  Solution run() {
    prepare();
    Solution solution{std::vector<int64_t>(count, -1), 0};
    for (unsigned i = 0; i < count; ++i)
      if (problem.instructions[i].given)
        issue(i, 0, solution);
    for (int64_t cycle = 0; !ready.empty(); ++cycle) {
      used.assign(problem.resources.size(), 0);
      bool issued = false, pending = false;
      while (std::optional<unsigned> next = choose(cycle, false, pending)) {
        issue(*next, cycle, solution);
        issued = true;
      }
      // Files are full and nothing is under way: the program's own order goes on.
      if (!issued && !pending)
        issue(*choose(cycle, true, pending), cycle, solution);
    }
    return solution;
  }

private:
  const Problem &problem;
  unsigned count;
  std::vector<int64_t> height;
  std::vector<unsigned> waiting, users;
  std::vector<int64_t> earliest;
  std::vector<llvm::SmallVector<const Edge *, 4>> out, in;
  std::vector<unsigned> ready, used;
  std::vector<unsigned> live;

  void prepare() {
    for (const Edge &edge : problem.edges) {
      if (edge.distance)
        continue;
      out[edge.from].push_back(&edge);
      in[edge.to].push_back(&edge);
      ++waiting[edge.to];
      users[edge.from] += edge.value;
    }
    for (unsigned i = 0; i < count; ++i)
      users[i] += problem.instructions[i].kept;
    for (unsigned i = count; i-- > 0;)
      for (const Edge *edge : out[i])
        height[i] = std::max(height[i], edge->latency + height[edge->to]);
    for (unsigned i = 0; i < count; ++i)
      if (!waiting[i])
        ready.push_back(i);
  }

  bool hasSlots(unsigned i) const {
    return llvm::all_of(problem.instructions[i].resources,
                        [&](unsigned r) { return used[r] < problem.resources[r].perCycle; });
  }

  /// Registers that `i` gives back less those it takes, in the file of its result.
  bool hasRegister(unsigned i) const {
    std::optional<unsigned> file = problem.instructions[i].file;
    if (!file || !users[i] || live[*file] < problem.files[*file].registers)
      return true;
    return llvm::any_of(in[i], [&](const Edge *edge) {
      return edge->value && users[edge->from] == 1 && problem.instructions[edge->from].file == file;
    });
  }

  /// The ready instruction of the longest path, or the first in the program.
  std::optional<unsigned> choose(int64_t cycle, bool first, bool &pending) {
    std::optional<unsigned> best;
    for (unsigned i : ready) {
      if (earliest[i] > cycle) {
        pending = true;
        continue;
      }
      if (!first && (!hasSlots(i) || !hasRegister(i)))
        continue;
      bool better = !best || (first ? i < *best : height[i] > height[*best]) ||
                    (!first && height[i] == height[*best] && i < *best);
      if (better)
        best = i;
    }
    return best;
  }

  void issue(unsigned i, int64_t cycle, Solution &solution) {
    solution.cycles[i] = cycle;
    ready.erase(llvm::find(ready, i));
    for (unsigned resource : problem.instructions[i].resources)
      ++used[resource];
    if (std::optional<unsigned> file = problem.instructions[i].file; file && users[i])
      ++live[*file];
    for (const Edge *edge : in[i])
      if (edge->value && !--users[edge->from])
        --live[*problem.instructions[edge->from].file];
    for (const Edge *edge : out[i]) {
      earliest[edge->to] = std::max(earliest[edge->to], cycle + edge->latency);
      if (!--waiting[edge->to])
        ready.push_back(edge->to);
    }
  }
};

} // namespace

/// Begins values as late as their readers allow, where that shortens lives: `i` does
/// if it ends fewer values of a file than it begins.
static std::vector<int64_t> delayed(const Problem &problem, std::vector<int64_t> cycles) {
  unsigned count = problem.instructions.size();
  std::vector<llvm::SmallVector<const Edge *, 4>> out(count);
  for (const Edge &edge : problem.edges)
    if (!edge.distance)
      out[edge.from].push_back(&edge);
  std::vector<int64_t> ends(count, -1);
  for (unsigned i = 0; i < count; ++i)
    for (const Edge *edge : out[i])
      if (edge->value)
        ends[i] = std::max(ends[i], cycles[edge->to]);
  std::vector<int> gain(count);
  for (unsigned i = 0; i < count; ++i)
    gain[i] = ends[i] >= 0 && !problem.instructions[i].kept && !problem.instructions[i].given;
  for (const Edge &edge : problem.edges)
    if (edge.value && !edge.distance && ends[edge.from] == cycles[edge.to] &&
        problem.instructions[edge.from].file == problem.instructions[edge.to].file)
      --gain[edge.to];
  std::vector<std::vector<unsigned>> used(*std::max_element(cycles.begin(), cycles.end()) + 1,
                                          std::vector<unsigned>(problem.resources.size()));
  auto isFree = [&](unsigned i, int64_t cycle) {
    return llvm::all_of(problem.instructions[i].resources,
                        [&](unsigned r) { return used[cycle][r] < problem.resources[r].perCycle; });
  };
  auto change = [&](unsigned i, int by) {
    for (unsigned r : problem.instructions[i].resources)
      used[cycles[i]][r] += by;
  };
  std::vector<unsigned> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (unsigned i : order)
    change(i, 1);
  // Ties end with what comes later in the program, so readers move before what they read.
  llvm::stable_sort(order, [&](unsigned a, unsigned b) {
    return cycles[a] != cycles[b] ? cycles[a] > cycles[b] : a > b;
  });
  for (unsigned i : order) {
    if (gain[i] <= 0)
      continue;
    int64_t from = cycles[i], to = used.size() - 1;
    for (const Edge *edge : out[i])
      to = std::min<int64_t>(to, cycles[edge->to] - edge->latency);
    change(i, -1);
    while (to > from && !isFree(i, to))
      --to;
    cycles[i] = std::max(from, to);
    change(i, 1);
  }
  for (unsigned i = 0; i < count; ++i)
    if (gain[i] <= 0)
      cycles[i] = 0;
  return cycles;
}

/// Once as early as can be; and once with the values begun late that an order without
/// regard to registers would begin long before they are read.
Solution scheduleLine(const Problem &problem) {
  std::vector<int64_t> atOnce(problem.instructions.size());
  Solution early = LineScheduler(problem, atOnce).run();
  if (problem.instructions.empty())
    return early;
  Problem unlimited = problem;
  for (File &file : unlimited.files)
    file.registers = problem.instructions.size() + 1;
  Solution late =
      LineScheduler(problem, delayed(problem, LineScheduler(unlimited, atOnce).run().cycles)).run();
  auto length = [](const Solution &s) {
    return *std::max_element(s.cycles.begin(), s.cycles.end());
  };
  return length(late) < length(early) ? late : early;
}

Solution scheduleInOrder(const Problem &problem) {
  std::vector<int64_t> earliest(problem.instructions.size());
  std::vector<llvm::SmallVector<const Edge *, 4>> out(problem.instructions.size());
  for (const Edge &edge : problem.edges)
    if (!edge.distance)
      out[edge.from].push_back(&edge);
  int64_t cycle = 0;
  std::vector<unsigned> used(problem.resources.size());
  for (auto [i, instruction] : llvm::enumerate(problem.instructions)) {
    auto hasSlots = [&] {
      return llvm::all_of(instruction.resources,
                          [&](unsigned r) { return used[r] < problem.resources[r].perCycle; });
    };
    while (cycle < earliest[i] || !hasSlots()) {
      ++cycle;
      used.assign(used.size(), 0);
    }
    for (unsigned resource : instruction.resources)
      ++used[resource];
    earliest[i] = cycle;
    for (const Edge *edge : out[i])
      earliest[edge->to] = std::max(earliest[edge->to], cycle + edge->latency);
  }
  return {earliest, 0};
}

int64_t intervalInOrder(const Problem &problem) {
  std::vector<int64_t> cycles = scheduleInOrder(problem).cycles;
  int64_t interval = *std::max_element(cycles.begin(), cycles.end()) + 1;
  for (const Edge &edge : problem.edges)
    if (edge.distance)
      interval = std::max(interval,
                          llvm::divideCeilSigned(cycles[edge.from] + edge.latency - cycles[edge.to],
                                                 edge.distance));
  return interval;
}

} // namespace dojo::sched
