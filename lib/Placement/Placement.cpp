//===- Placement.cpp - the checker and the bound of placements ------------===//
#include "dojo/Placement/Placement.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace dojo::place;

int64_t Solution::peak(const Problem &problem) const {
  int64_t peak = 0;
  for (auto [buffer, offset] : llvm::zip(problem.buffers, offsets))
    peak = std::max(peak, offset + buffer.size);
  return peak;
}

int64_t dojo::place::liveBound(const Problem &problem) {
  std::map<int64_t, int64_t> change;
  for (const Buffer &buffer : problem.buffers)
    if (buffer.lower < buffer.upper) {
      change[buffer.lower] += buffer.size;
      change[buffer.upper] -= buffer.size;
    }
  int64_t live = 0, most = 0;
  for (auto [time, difference] : change)
    most = std::max(most, live += difference);
  return most;
}

llvm::Error dojo::place::check(const Problem &problem, const Solution &solution) {
  const std::vector<Buffer> &buffers = problem.buffers;
  auto wrong = [](const Buffer &buffer, const llvm::Twine &why) {
    return llvm::createStringError("buffer '" + buffer.name + "' " + why);
  };
  if (solution.offsets.size() != buffers.size())
    return llvm::createStringError("the solution has " + llvm::Twine(solution.offsets.size()) +
                                   " offsets for " + llvm::Twine(buffers.size()) + " buffers");
  for (auto [i, buffer] : llvm::enumerate(buffers)) {
    int64_t offset = solution.offsets[i];
    if (offset < 0 || offset > problem.capacity - buffer.size)
      return wrong(buffer, "lies outside the capacity");
    if (offset % buffer.alignment != 0)
      return wrong(buffer, "is not aligned to " + llvm::Twine(buffer.alignment));
    if (buffer.fixed && *buffer.fixed != offset)
      return wrong(buffer, "has left its fixed offset");
    for (size_t j = 0; j < i; ++j)
      if (buffer.meets(buffers[j]) && offset < solution.offsets[j] + buffers[j].size &&
          solution.offsets[j] < offset + buffer.size)
        return wrong(buffer, "overlaps buffer '" + buffers[j].name + "'");
  }
  return llvm::Error::success();
}
