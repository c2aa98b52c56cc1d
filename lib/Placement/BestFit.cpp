//===- BestFit.cpp - best fit under several orders ------------------------===//
#include "dojo/Placement/Placement.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <functional>
#include <numeric>

using namespace dojo::place;

namespace {

/// A key of a buffer; larger is placed earlier. Ties go by number.
using Key = std::function<double(const Buffer &)>;

/// For each buffer the others that are alive with it.
using Neighbours = std::vector<std::vector<unsigned>>;

} // namespace

static std::vector<unsigned> everyBuffer(const Problem &problem) {
  std::vector<unsigned> all(problem.buffers.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// Largest key first, ties by number.
static std::vector<unsigned> sorted(std::vector<unsigned> buffers,
                                    llvm::function_ref<double(unsigned)> key) {
  llvm::sort(buffers, [&](unsigned a, unsigned b) {
    return std::make_pair(-key(a), a) < std::make_pair(-key(b), b);
  });
  return buffers;
}

static Neighbours neighboursOf(const Problem &problem) {
  std::vector<unsigned> byLower =
      sorted(everyBuffer(problem), [&](unsigned i) { return -double(problem.buffers[i].lower); });
  Neighbours neighbours(byLower.size());
  std::vector<unsigned> alive;
  for (unsigned i : byLower) {
    llvm::erase_if(
        alive, [&](unsigned j) { return problem.buffers[j].upper <= problem.buffers[i].lower; });
    for (unsigned j : alive)
      if (problem.buffers[i].meets(problem.buffers[j])) {
        neighbours[i].push_back(j);
        neighbours[j].push_back(i);
      }
    alive.push_back(i);
  }
  return neighbours;
}

/// The start of the smallest gap between placed neighbours that holds the
/// buffer; above all of them where there is none.
static int64_t bestGap(const Problem &problem, const Buffer &buffer,
                       llvm::ArrayRef<unsigned> neighbours, llvm::ArrayRef<int64_t> offsets) {
  std::vector<std::pair<int64_t, int64_t>> taken;
  for (unsigned j : neighbours)
    if (offsets[j] >= 0)
      taken.push_back({offsets[j], offsets[j] + problem.buffers[j].size});
  llvm::sort(taken);
  int64_t end = 0, best = -1, bestWaste = 0;
  for (auto [from, to] : taken) {
    int64_t start = llvm::alignTo(end, buffer.alignment);
    int64_t waste = from - end - buffer.size;
    if (start + buffer.size <= from && (best < 0 || waste < bestWaste)) {
      best = start;
      bestWaste = waste;
    }
    end = std::max(end, to);
  }
  return best >= 0 ? best : llvm::alignTo(end, buffer.alignment);
}

static Solution placeBy(const Problem &problem, const Neighbours &neighbours, const Key &key) {
  std::vector<unsigned> order =
      sorted(everyBuffer(problem), [&](unsigned i) { return key(problem.buffers[i]); });
  Solution solution{std::vector<int64_t>(order.size(), -1)};
  for (auto [i, buffer] : llvm::enumerate(problem.buffers))
    solution.offsets[i] = buffer.fixed.value_or(-1);
  for (unsigned i : order)
    if (!problem.buffers[i].fixed)
      solution.offsets[i] = bestGap(problem, problem.buffers[i], neighbours[i], solution.offsets);
  return solution;
}

/// Why the buffers do not fit, told by the buffer that ends highest.
static llvm::Error shortfall(const Problem &problem, const Neighbours &neighbours,
                             const Solution &solution) {
  const std::vector<Buffer> &buffers = problem.buffers;
  int64_t peak = solution.peak(problem);
  unsigned top = 0;
  while (solution.offsets[top] + buffers[top].size != peak)
    ++top;
  std::vector<unsigned> others =
      sorted(neighbours[top], [&](unsigned i) { return double(buffers[i].size); });
  std::string largest;
  for (unsigned j : llvm::ArrayRef(others).take_front(3))
    largest += ", '" + buffers[j].name + "' of " + std::to_string(buffers[j].size);
  return llvm::createStringError(
      "buffer '" + buffers[top].name + "' of " + llvm::Twine(buffers[top].size) +
      " bytes finds no room: the best placement takes " + llvm::Twine(peak) + " bytes, " +
      llvm::Twine(peak - problem.capacity) + " more than the capacity of " +
      llvm::Twine(problem.capacity) + "; live sizes alone take " + llvm::Twine(liveBound(problem)) +
      "; the largest alive with it are " +
      (largest.empty() ? "none" : llvm::StringRef(largest).drop_front(2)));
}

llvm::Expected<Solution> dojo::place::solve(const Problem &problem) {
  auto size = [](const Buffer &b) { return double(b.size); };
  auto life = [](const Buffer &b) { return double(b.upper - b.lower); };
  const Key keys[] = {
      size,
      [&](const Buffer &b) { return size(b) * life(b); },
      life,
      [](const Buffer &b) { return -double(b.lower); },
      [](const Buffer &b) { return double(b.upper); },
      [&](const Buffer &b) { return size(b) * std::sqrt(life(b)); },
  };
  Neighbours neighbours = neighboursOf(problem);
  std::optional<Solution> best;
  for (const Key &key : keys) {
    Solution solution = placeBy(problem, neighbours, key);
    if (!best || solution.peak(problem) < best->peak(problem))
      best = std::move(solution);
  }
  if (best->peak(problem) > problem.capacity)
    return shortfall(problem, neighbours, *best);
  if (llvm::Error error = check(problem, *best))
    return std::move(error);
  return *best;
}
