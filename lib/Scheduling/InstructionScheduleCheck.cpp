//===- InstructionScheduleCheck.cpp - is this a schedule? -----------------===//
#include "dojo/Scheduling/InstructionSchedule.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>

namespace dojo::sched {

std::optional<std::string> check(const Problem &problem, const Solution &solution) {
  auto name = [&](unsigned i) { return problem.instructions[i].name; };
  if (solution.cycles.size() != problem.instructions.size())
    return llvm::formatv("{0} instructions have {1} cycles", problem.instructions.size(),
                         solution.cycles.size());
  for (const Edge &edge : problem.edges) {
    if (!solution.interval && edge.distance)
      continue;
    int64_t from = solution.cycles[edge.from];
    int64_t to = solution.cycles[edge.to] + solution.interval * edge.distance;
    if (to < from + edge.latency)
      return llvm::formatv("'{0}' issues {1} cycles after '{2}', which takes {3}", name(edge.to),
                           to - from, name(edge.from), edge.latency)
          .str();
    if (solution.interval && edge.value && to > from + solution.interval)
      return llvm::formatv("the value of '{0}' lives {1} cycles, longer than the interval of {2}",
                           name(edge.from), to - from, solution.interval)
          .str();
  }
  std::map<std::pair<unsigned, int64_t>, unsigned> used;
  for (unsigned i = 0; i < problem.instructions.size(); ++i) {
    int64_t cycle = solution.cycles[i];
    if (cycle < 0)
      return llvm::formatv("'{0}' issues in cycle {1}", name(i), cycle).str();
    if (solution.interval)
      cycle %= solution.interval;
    for (unsigned r : problem.instructions[i].resources)
      if (++used[{r, cycle}] > problem.resources[r].perCycle)
        return llvm::formatv("'{0}' is one too many for '{1}' in cycle {2}", name(i),
                             problem.resources[r].name, cycle)
            .str();
  }
  if (!issueOrder(problem, solution))
    return std::string("instructions of one cycle wait for each other");
  if (solution.interval)
    for (unsigned file = 0; file < problem.files.size(); ++file)
      if (unsigned taken = registersTaken(problem, solution)[file];
          taken > problem.files[file].registers)
        return llvm::formatv("values take {0} registers of '{1}', which has {2}", taken,
                             problem.files[file].name, problem.files[file].registers)
            .str();
  return std::nullopt;
}

} // namespace dojo::sched
