//===- Bell.h - threads that ran out of work --------------------*- C++ -*-===//
//
// A thread that found no node able to go on announces that it will sleep, looks once
// more, and sleeps until the bell has rung since. Every signal between nodes rings if a
// sleeper is announced: then one of the two sees what the other did. When every
// thread sleeps or has left and no ring is unheard, nothing can ever move again.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_BELL_H
#define DOJO_LIB_EXECUTOR_BELL_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace dojo::exec {

class Bell {
public:
  /// Before the threads start.
  void reset(unsigned threads) {
    asleepSince.assign(threads, std::nullopt);
    present = threads;
    ended = false;
  }

  void ring() {
    if (!sleepers.load())
      return;
    std::lock_guard<std::mutex> lock(mutex);
    ++count;
    changed.notify_all();
  }

  /// Before the last look; the rings that the thread has heard.
  uint64_t announce() {
    ++sleepers;
    return count.load();
  }
  /// The last look found something.
  void retract() { --sleepers; }

  /// False when the run has ended: nothing moves, or somebody ended it.
  bool sleep(unsigned thread, uint64_t heard) {
    std::unique_lock<std::mutex> lock(mutex);
    asleepSince[thread] = heard;
    while (!ended && count.load() == heard) {
      if (nothingMoves())
        finish();
      else
        changed.wait(lock);
    }
    asleepSince[thread] = std::nullopt;
    --sleepers;
    return !ended;
  }

  /// The thread has no more work.
  void leave() {
    std::lock_guard<std::mutex> lock(mutex);
    --present;
    changed.notify_all();
  }

  void end() {
    std::lock_guard<std::mutex> lock(mutex);
    finish();
  }
  bool hasEnded() const { return ended.load(std::memory_order_relaxed); }

private:
  bool nothingMoves() const {
    unsigned stuck = 0;
    for (std::optional<uint64_t> heard : asleepSince)
      stuck += heard == count.load();
    return stuck == present;
  }
  void finish() {
    ended = true;
    changed.notify_all();
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<uint64_t> count{0};
  /// On a line of its own: every signal reads it.
  alignas(64) std::atomic<unsigned> sleepers{0};
  alignas(64) std::atomic<bool> ended{false};
  std::vector<std::optional<uint64_t>> asleepSince;
  unsigned present = 0;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_BELL_H
