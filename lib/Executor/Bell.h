//===- Bell.h - threads that ran out of work --------------------*- C++ -*-===//
//
// Every signal between nodes rings. A thread that found none of its nodes able
// to go on sleeps until the bell has rung since it began to look; when every
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

  uint64_t rings() const { return count.load(); }

  void ring() {
    ++count;
    if (sleepers.load()) {
      std::lock_guard<std::mutex> lock(mutex);
      changed.notify_all();
    }
  }

  /// False when the run has ended: nothing moves, or somebody ended it.
  bool sleep(unsigned thread, uint64_t heard) {
    std::unique_lock<std::mutex> lock(mutex);
    ++sleepers;
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
  std::atomic<unsigned> sleepers{0};
  std::atomic<bool> ended{false};
  std::vector<std::optional<uint64_t>> asleepSince;
  unsigned present = 0;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_BELL_H
