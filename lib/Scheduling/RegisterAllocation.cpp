//===- RegisterAllocation.cpp - first fit over joined live ranges ---------===//
#include "dojo/Scheduling/RegisterAllocation.h"
#include "dojo/Scheduling/LiveRanges.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <numeric>

namespace dojo::regalloc {
namespace {

unsigned countRegisters(RegisterSet set) { return llvm::popcount(set); }

/// How many values of each file live at each time, and how many may.
class Pressure {
public:
  Pressure(const Problem &problem, llvm::ArrayRef<LiveRange> ranges)
      : problem(problem), counts(problem.files.size(), std::vector<int>(times(), 0)) {
    for (auto [value, range] : llvm::enumerate(ranges))
      change(value, range, 1);
  }

  unsigned times() const { return 2 * problem.steps.size() + 2; }
  unsigned at(unsigned file, unsigned time) const { return counts[file][time]; }

  unsigned limit(unsigned file, unsigned time) const {
    const File &f = problem.files[file];
    bool clobbered = time % 2 == 1 && time / 2 < problem.steps.size() &&
                     problem.steps[time / 2].kind == StepKind::call;
    return countRegisters(clobbered ? f.allocatable & f.preserved : f.allocatable);
  }

  void change(ValueId value, const LiveRange &range, int by) {
    std::vector<int> &count = counts[problem.values[value].file];
    for (auto [begin, end] : range.getSpans())
      for (unsigned time = begin; time < end; ++time)
        count[time] += by;
  }

  /// The time at which the most registers are missing, if any are.
  std::optional<Failure> worst() const {
    std::optional<Failure> found;
    for (unsigned file = 0; file < counts.size(); ++file)
      for (unsigned time = 0; time < times(); ++time) {
        unsigned needed = at(file, time), available = limit(file, time);
        if (needed > available && (!found || needed - available > found->needed - found->available))
          found = Failure{Failure::Reason::pressure, time / 2, file, needed, available};
      }
    return found;
  }

private:
  const Problem &problem;
  std::vector<std::vector<int>> counts;
};

/// Values that share a register, by union-find; each root holds the joint range.
/// A register that a value is fixed to, or a call changes, is a class of its own.
class Classes {
public:
  Classes(const Problem &problem, std::vector<LiveRange> valueRanges)
      : problem(problem), ranges(std::move(valueRanges)), parent(ranges.size()),
        fixed(ranges.size()) {
    std::iota(parent.begin(), parent.end(), 0);
    physical.resize(problem.files.size());
    for (unsigned step = 0; step < problem.steps.size(); ++step)
      if (problem.steps[step].kind == StepKind::call)
        clobber(2 * step + 1);
  }

  unsigned find(unsigned id) const {
    while (parent[id] != id)
      id = parent[id];
    return id;
  }

  /// Joins the classes of `a` and `b` unless they live together.
  bool join(unsigned a, unsigned b) {
    a = find(a), b = find(b);
    if (a == b)
      return true;
    if ((fixed[a] && fixed[b]) || ranges[a].overlaps(ranges[b]) || !allowed(a, b) || !allowed(b, a))
      return false;
    if (ranges[a].getSpans().size() < ranges[b].getSpans().size())
      std::swap(a, b);
    ranges[a].add(ranges[b]);
    ranges[b] = {};
    parent[b] = a;
    fixed[a] = fixed[a] ? fixed[a] : fixed[b];
    return true;
  }

  unsigned physicalClass(unsigned file, unsigned reg) {
    auto [it, isNew] = physical[file].try_emplace(reg, ranges.size());
    if (isNew) {
      parent.push_back(ranges.size());
      ranges.emplace_back();
      fixed.push_back(reg);
    }
    return it->second;
  }

  const LiveRange &range(unsigned root) const { return ranges[root]; }
  std::optional<unsigned> fixedTo(unsigned root) const { return fixed[root]; }
  const std::map<unsigned, unsigned> &physicalOf(unsigned file) const { return physical[file]; }

private:
  const Problem &problem;
  std::vector<LiveRange> ranges;
  std::vector<unsigned> parent;
  std::vector<std::optional<unsigned>> fixed;
  std::vector<std::map<unsigned, unsigned>> physical;

  /// A value without a place of its own may join a fixed one only where the
  /// file lets it stand.
  bool allowed(unsigned root, unsigned other) const {
    if (!fixed[root] || other >= problem.values.size() || problem.values[other].fixed)
      return true;
    return problem.files[problem.values[other].file].allocatable >> *fixed[root] & 1;
  }

  void clobber(unsigned time) {
    for (unsigned file = 0; file < problem.files.size(); ++file) {
      RegisterSet lost = problem.files[file].allocatable & ~problem.files[file].preserved;
      for (unsigned reg = 0; reg < 64; ++reg)
        if (lost >> reg & 1)
          ranges[find(physicalClass(file, reg))].add(time, time + 1);
    }
  }
};

class Solver {
public:
  explicit Solver(const Problem &problem) : problem(problem), ranges(liveRanges(problem)) {}

  std::variant<Solution, Failure> run() {
    if (std::optional<Failure> failure = Pressure(problem, ranges).worst())
      return *failure;
    Classes tied(problem, ranges);
    if (std::optional<Failure> failure = tie(tied))
      return *failure;
    Classes joined = tied;
    joinCopies(joined);
    for (auto [classes, byLength] : {std::pair(&joined, false), std::pair(&joined, true),
                                     std::pair(&tied, false), std::pair(&tied, true)})
      if (std::optional<Solution> solution = color(*classes, byLength))
        return *solution;
    return shapeFailure();
  }

private:
  const Problem &problem;
  std::vector<LiveRange> ranges;
  ValueId stuck = 0;

  std::optional<Failure> tieAll(Classes &classes, unsigned step, llvm::ArrayRef<ValueId> left,
                                llvm::ArrayRef<ValueId> right) {
    for (auto [a, b] : llvm::zip_equal(left, right))
      if (!classes.join(a, b))
        return Failure{Failure::Reason::tie, step, problem.values[a].file, 0, 0, {a, b}};
    return std::nullopt;
  }

  std::optional<Failure> tieStep(Classes &classes, unsigned at, unsigned open) {
    const Step &step = problem.steps[at], &begin = problem.steps[open];
    llvm::ArrayRef<ValueId> uses = step.uses;
    switch (step.kind) {
    case StepKind::update:
      return tieAll(classes, at, uses.take_back(), step.defs);
    case StepKind::repeatBegin:
      return tieAll(classes, at, uses, step.defs);
    case StepKind::repeatEnd:
      if (auto failure = tieAll(classes, at, uses, begin.defs))
        return failure;
      return tieAll(classes, at, uses.take_back(step.defs.size()), step.defs);
    case StepKind::ifEnd:
      if (auto failure = tieAll(classes, at, begin.uses, step.defs))
        return failure;
      return tieAll(classes, at, uses, step.defs);
    default:
      return std::nullopt;
    }
  }

  std::optional<Failure> tie(Classes &classes) {
    llvm::SmallVector<unsigned> open;
    for (unsigned at = 0; at < problem.steps.size(); ++at) {
      StepKind kind = problem.steps[at].kind;
      if (kind == StepKind::repeatBegin || kind == StepKind::ifElse)
        open.push_back(at);
      if (auto failure = tieStep(classes, at, open.empty() ? 0 : open.back()))
        return failure;
      if (kind == StepKind::repeatEnd || kind == StepKind::ifEnd)
        open.pop_back();
    }
    for (ValueId value = 0; value < problem.values.size(); ++value) {
      const ValueInfo &info = problem.values[value];
      if (info.fixed && !classes.join(value, classes.physicalClass(info.file, *info.fixed)))
        return Failure{Failure::Reason::tie, ranges[value].begin() / 2, info.file, 0, 0, {value}};
    }
    return std::nullopt;
  }

  /// Innermost copies first: they cost the most where they remain.
  void joinCopies(Classes &classes) {
    std::vector<unsigned> depths = loopDepths(problem), copies;
    for (unsigned at = 0; at < problem.steps.size(); ++at)
      if (problem.steps[at].kind == StepKind::copy)
        copies.push_back(at);
    llvm::sort(copies, [&](unsigned a, unsigned b) {
      return std::pair(depths[b], a) < std::pair(depths[a], b);
    });
    for (unsigned at : copies)
      classes.join(problem.steps[at].defs[0], problem.steps[at].uses[0]);
  }

  std::optional<Solution> color(const Classes &classes, bool byLength) {
    std::vector<unsigned> order, place(problem.values.size());
    std::vector<std::vector<LiveRange>> taken(problem.files.size(), std::vector<LiveRange>(64));
    for (unsigned file = 0; file < problem.files.size(); ++file)
      for (auto [reg, id] : classes.physicalOf(file))
        taken[file][reg] = classes.range(classes.find(id));

    std::vector<unsigned> firstOf(ranges.size() * 2 + 64 * problem.files.size(), ~0u);
    for (ValueId value = 0; value < problem.values.size(); ++value) {
      unsigned root = classes.find(value);
      if (!classes.fixedTo(root) && firstOf[root] == ~0u) {
        firstOf[root] = value;
        order.push_back(root);
      }
    }
    std::vector<unsigned> key(firstOf.size());
    for (unsigned root : order)
      key[root] = byLength ? ~classes.range(root).length() : classes.range(root).begin();
    llvm::stable_sort(order, [&](unsigned a, unsigned b) { return key[a] < key[b]; });

    std::vector<unsigned> registerOf(firstOf.size());
    for (unsigned root : order) {
      unsigned file = problem.values[firstOf[root]].file;
      std::optional<unsigned> reg = firstFit(problem.files[file], taken[file], classes.range(root));
      if (!reg) {
        stuck = firstOf[root];
        return std::nullopt;
      }
      taken[file][*reg].add(classes.range(root));
      registerOf[root] = *reg;
    }
    for (ValueId value = 0; value < problem.values.size(); ++value) {
      unsigned root = classes.find(value);
      place[value] = classes.fixedTo(root) ? *classes.fixedTo(root) : registerOf[root];
    }
    return place;
  }

  static std::optional<unsigned> firstFit(const File &file, llvm::ArrayRef<LiveRange> taken,
                                          const LiveRange &range) {
    for (unsigned reg = 0; reg < taken.size(); ++reg)
      if ((file.allocatable >> reg & 1) && !taken[reg].overlaps(range))
        return reg;
    return std::nullopt;
  }

  Failure shapeFailure() {
    Pressure pressure(problem, ranges);
    unsigned file = problem.values[stuck].file, time = ranges[stuck].begin();
    for (auto [begin, end] : ranges[stuck].getSpans())
      for (unsigned t = begin; t < end; ++t)
        if (pressure.at(file, t) > pressure.at(file, time))
          time = t;
    return {Failure::Reason::shape,     time / 2, file, pressure.at(file, time),
            pressure.limit(file, time), {stuck}};
  }
};

} // namespace

std::variant<Solution, Failure> solve(const Problem &problem) { return Solver(problem).run(); }

/// One instruction for each stretch between brackets and calls that reads a value; for each use
/// where all are in one stretch.
static std::vector<double> recomputationCosts(const Problem &problem) {
  struct Cost {
    double uses = 0, stretches = 0;
    unsigned latest = 0, count = 0;
  };
  std::vector<Cost> costs(problem.values.size());
  double frequency = 1;
  unsigned stretch = 1;
  for (const Step &step : problem.steps) {
    if (step.kind == StepKind::repeatEnd)
      frequency /= 8;
    for (ValueId use : step.uses) {
      Cost &cost = costs[use];
      cost.uses += frequency;
      if (cost.latest == stretch)
        continue;
      cost.latest = stretch;
      cost.stretches += frequency;
      ++cost.count;
    }
    if (step.kind == StepKind::repeatBegin)
      frequency *= 8;
    stretch += step.kind >= StepKind::call;
  }
  std::vector<double> result;
  for (const Cost &cost : costs)
    result.push_back(cost.count > 1 ? cost.stretches : cost.uses);
  return result;
}

std::vector<ValueId> chooseRecomputed(const Problem &problem, const Failure &failure,
                                      llvm::ArrayRef<bool> candidates) {
  std::vector<LiveRange> ranges = liveRanges(problem);
  Pressure pressure(problem, ranges);
  std::vector<ValueId> order, chosen;
  for (ValueId value = 0; value < candidates.size(); ++value)
    if (candidates[value])
      order.push_back(value);
  // An instruction in a loop costs many times: the cheapest go first, of equals the
  // longest life.
  std::vector<double> costs = recomputationCosts(problem);
  llvm::stable_sort(order, [&](ValueId a, ValueId b) {
    return std::make_pair(costs[a], -double(ranges[a].length())) <
           std::make_pair(costs[b], -double(ranges[b].length()));
  });

  auto relieves = [&](ValueId value) {
    unsigned file = problem.values[value].file;
    for (auto [begin, end] : ranges[value].getSpans())
      for (unsigned time = begin; time < end; ++time)
        if (pressure.at(file, time) > pressure.limit(file, time))
          return true;
    return failure.reason == Failure::Reason::shape && chosen.empty() && file == failure.file &&
           ranges[value].contains(2 * failure.step);
  };
  for (ValueId value : order)
    if (relieves(value)) {
      pressure.change(value, ranges[value], -1);
      chosen.push_back(value);
    }
  return chosen;
}

} // namespace dojo::regalloc
