//===- Progress.cpp -------------------------------------------------------===//
#include "dojo/Support/Progress.h"
#include "llvm/Support/raw_ostream.h"

namespace dojo {

Progress::Progress(std::string what) : what(std::move(what)) {
  if (llvm::errs().is_displayed())
    reporter = std::thread([this] { report(); });
}

Progress::~Progress() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    done = true;
  }
  finished.notify_all();
  if (reporter.joinable())
    reporter.join();
}

void Progress::report() {
  std::unique_lock<std::mutex> lock(mutex);
  auto isDone = [this] { return done; };
  unsigned seconds = 2;
  if (finished.wait_for(lock, std::chrono::seconds(seconds), isDone))
    return;
  do
    llvm::errs() << '\r' << what << ": " << seconds++ << " s";
  while (!finished.wait_for(lock, std::chrono::seconds(1), isDone));
  llvm::errs() << '\n';
}

} // namespace dojo
