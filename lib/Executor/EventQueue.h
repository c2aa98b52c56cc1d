//===- EventQueue.h - numbered events by cycle ------------------*- C++ -*-===//
//
// A calendar queue (Brown, CACM 31(10), 1988): a list for each of the next cycles,
// a heap for what lies beyond. An event lies after the cycle that is being served,
// so a list is complete when its turn comes.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_EVENTQUEUE_H
#define DOJO_LIB_EXECUTOR_EVENTQUEUE_H

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <queue>
#include <vector>

namespace dojo::exec {

class EventQueue {
public:
  EventQueue() : lists(span, none) {}

  uint64_t now() const { return cycle; }

  /// Event `number`, which is not in the queue, is to happen then.
  void push(uint64_t at, uint32_t number) {
    assert(at > cycle && "events lie ahead");
    if (next.size() <= number)
      next.resize(number + 1);
    if (at < cycle + span)
      link(at, number);
    else
      far.push({at, number});
  }

  /// Goes on to the next cycle with events and gives their numbers, in no order.
  bool pop(std::vector<uint32_t> &numbers) {
    numbers.clear();
    if (!linked && far.empty())
      return false;
    do {
      cycle = linked ? cycle + 1 : far.top().first;
      for (; !far.empty() && far.top().first < cycle + span; far.pop())
        link(far.top().first, far.top().second);
    } while (lists[cycle % span] == none);
    for (uint32_t number = lists[cycle % span]; number != none; number = next[number])
      numbers.push_back(number);
    lists[cycle % span] = none;
    linked -= numbers.size();
    return true;
  }

private:
  static constexpr uint64_t span = 4096;
  static constexpr uint32_t none = UINT32_MAX;
  using Far = std::pair<uint64_t, uint32_t>;

  void link(uint64_t at, uint32_t number) {
    next[number] = lists[at % span];
    lists[at % span] = number;
    ++linked;
  }

  /// The first event of each cycle, and the one behind each event.
  std::vector<uint32_t> lists, next;
  std::size_t linked = 0;
  std::priority_queue<Far, std::vector<Far>, std::greater<Far>> far;
  uint64_t cycle = 0;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_EVENTQUEUE_H
