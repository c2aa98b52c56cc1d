//===- LiveRanges.cpp - when values of structured code live ---------------===//
#include "dojo/Scheduling/LiveRanges.h"

namespace dojo::regalloc {

void LiveRange::add(unsigned begin, unsigned end) {
  auto it = spans.upper_bound(begin);
  if (it != spans.begin() && std::prev(it)->second >= begin) {
    --it;
    begin = it->first;
    end = std::max(end, it->second);
    it = spans.erase(it);
  }
  while (it != spans.end() && it->first <= end) {
    end = std::max(end, it->second);
    it = spans.erase(it);
  }
  spans.emplace_hint(it, begin, end);
}

void LiveRange::add(const LiveRange &other) {
  for (auto [begin, end] : other.spans)
    add(begin, end);
}

bool LiveRange::overlaps(const LiveRange &other) const {
  if (spans.size() > other.spans.size())
    return other.overlaps(*this);
  for (auto [begin, end] : spans) {
    auto after = other.spans.lower_bound(end);
    if (after != other.spans.begin() && std::prev(after)->second > begin)
      return true;
  }
  return false;
}

bool LiveRange::contains(unsigned time) const {
  auto after = spans.upper_bound(time);
  return after != spans.begin() && std::prev(after)->second > time;
}

unsigned LiveRange::length() const {
  unsigned sum = 0;
  for (auto [begin, end] : spans)
    sum += end - begin;
  return sum;
}

namespace {

/// The steps between two brackets. A branch opens two blocks.
struct Block {
  unsigned parent;
  unsigned open; ///< the step that opens the bracket
  unsigned head; ///< the step whose write time the block starts with
  unsigned end = 0;
  bool loop;
};

class Liveness {
public:
  explicit Liveness(const Problem &problem)
      : problem(problem), ranges(problem.values.size()), home(problem.values.size(), 0),
        defTime(problem.values.size(), 0) {
    blocks.push_back({0, 0, 0, 0, false});
  }

  std::vector<LiveRange> run() {
    findBlocks();
    for (unsigned value = 0; value < ranges.size(); ++value)
      ranges[value].add(defTime[value], defTime[value] + 1);
    for (unsigned step = 0; step < problem.steps.size(); ++step)
      for (ValueId value : problem.steps[step].uses)
        reach(value, useBlock[step], 2 * step);
    return std::move(ranges);
  }

private:
  const Problem &problem;
  std::vector<LiveRange> ranges;
  std::vector<Block> blocks;
  std::vector<unsigned> useBlock, home, defTime;

  void findBlocks() {
    unsigned current = 0;
    for (unsigned step = 0; step < problem.steps.size(); ++step) {
      StepKind kind = problem.steps[step].kind;
      useBlock.push_back(current);
      if (kind == StepKind::repeatEnd || kind == StepKind::ifElse || kind == StepKind::ifEnd) {
        blocks[current].end = step;
        current = blocks[current].parent;
      }
      if (kind == StepKind::repeatBegin || kind == StepKind::ifBegin)
        current = open(current, step, step, kind == StepKind::repeatBegin);
      if (kind == StepKind::ifElse)
        current = open(current, blocks[useBlock[step]].open, step, false);
      for (ValueId value : problem.steps[step].defs) {
        home[value] = current;
        defTime[value] = 2 * step + 1;
      }
    }
  }

  unsigned open(unsigned parent, unsigned begin, unsigned head, bool loop) {
    blocks.push_back({parent, begin, head, 0, loop});
    return blocks.size() - 1;
  }

  /// Makes `value` live until it is read at `time`, a time of `block`.
  void reach(ValueId value, unsigned block, unsigned time) {
    while (block != home[value]) {
      const Block &b = blocks[block];
      if (b.loop)
        time = std::max(time, 2 * b.end);
      ranges[value].add(2 * b.head + 1, time + 1);
      time = 2 * b.open;
      block = b.parent;
    }
    ranges[value].add(defTime[value], time + 1);
  }
};

} // namespace

std::vector<LiveRange> liveRanges(const Problem &problem) { return Liveness(problem).run(); }

std::vector<unsigned> loopDepths(const Problem &problem) {
  std::vector<unsigned> depths;
  unsigned depth = 0;
  for (const Step &step : problem.steps) {
    if (step.kind == StepKind::repeatEnd)
      --depth;
    depths.push_back(depth);
    if (step.kind == StepKind::repeatBegin)
      ++depth;
  }
  return depths;
}

} // namespace dojo::regalloc
