//===- Progress.h - a sign of life on a terminal ----------------*- C++ -*-===//
#ifndef DOJO_SUPPORT_PROGRESS_H
#define DOJO_SUPPORT_PROGRESS_H

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace dojo {

/// While it lives, and once two seconds have passed, tells every second on
/// stderr what is being done and for how long; silent where stderr is no
/// terminal.
class Progress {
public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

private:
  void report();

  std::string what;
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;
  std::thread reporter;
};

} // namespace dojo

#endif // DOJO_SUPPORT_PROGRESS_H
