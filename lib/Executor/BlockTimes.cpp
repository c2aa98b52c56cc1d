//===- BlockTimes.cpp -----------------------------------------------------===//
#include "BlockTimes.h"

namespace dojo::exec {

Moment *BlockTimes::moment(uint32_t first, const PipelineState &state) {
  std::string key(reinterpret_cast<const char *>(&first), sizeof(first));
  key.append(reinterpret_cast<const char *>(state.ready.data()), sizeof(state.ready));
  key.append(reinterpret_cast<const char *>(state.taken.data()), sizeof(state.taken));
  auto [place, isNew] = known.try_emplace(key, nullptr);
  if (!isNew)
    return place->second;
  Moment &made = moments.emplace_back();
  made.after = state;
  made.last = model.run(first, made.after, made.cost);
  return place->second = &made;
}

Moment::Edge BlockTimes::follow(Moment &from, uint32_t next) {
  if (auto found = more.find({&from, next}); found != more.end())
    return found->second;
  PipelineState state = from.after;
  Moment::Edge edge = {next, nullptr, 0};
  if (next != from.last + 1) {
    edge.cycles = model.takenBranchCycles();
    state.advance(edge.cycles);
  }
  edge.to = moment(next, state);
  for (Moment::Edge &free : from.edges)
    if (!free.to)
      return free = edge;
  return more[{&from, next}] = edge;
}

} // namespace dojo::exec
