//===- Clock.cpp ----------------------------------------------------------===//
#include "Clock.h"
#include "dojo/ISA/Codec.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

namespace dojo::exec {

SourceMap::SourceMap(const binary::Program &program) {
  const uint32_t count = program.code.size() / isa::wordBytes + 1;
  locations.push_back("");
  locationOf.assign(count, 0);
  llvm::StringMap<uint32_t> numbers;
  for (const binary::SourceRange &range : program.lines) {
    auto [place, isNew] = numbers.try_emplace(range.location, locations.size());
    if (isNew)
      locations.push_back(range.location);
    for (uint32_t at = range.begin / isa::wordBytes; at < range.end / isa::wordBytes; ++at)
      locationOf[at] = place->second;
  }
  std::vector<binary::Label> labels = program.entries;
  llvm::append_range(labels, program.routines);
  llvm::sort(labels, [](const auto &a, const auto &b) {
    return std::tie(a.address, a.name) < std::tie(b.address, b.name);
  });
  routines.push_back("");
  routineOf.assign(count, 0);
  for (const binary::Label &label : labels) {
    std::fill(routineOf.begin() + label.address / isa::wordBytes, routineOf.end(), routines.size());
    routines.push_back(label.name);
  }
}

void Clock::begin(const SourceMap &sources, uint32_t entry) {
  records.clear();
  rows.clear();
  rowOf.clear();
  map = &sources;
  moment = nullptr;
  first = entry;
  cost = {};
  current = outside;
}

uint32_t Clock::row(uint32_t location, uint32_t routine) {
  auto [place, isNew] = rowOf.try_emplace(uint64_t(location) << 32 | routine, rows.size());
  if (isNew)
    rows.push_back({location, routine, 0, 0, 0, {}});
  return place->second;
}

/// Books the cycles since the last record on `ofRow`.
void Clock::note(uint32_t ofRow, Record::Kind kind, uint32_t noted, uint32_t peer,
                 uint32_t amount) {
  rows[ofRow].cost += cost;
  uint64_t cycles = cost[Cost::cycles];
  for (; cycles > UINT32_MAX; cycles -= UINT32_MAX)
    records.push_back({UINT32_MAX, Record::run, ofRow, 0, 0});
  records.push_back({uint32_t(cycles), kind, noted, peer, amount});
  cost = {};
}

void Clock::looped(uint32_t entry, uint64_t times, uint32_t next) {
  while (times) {
    const Moment *before = moment;
    const Cost since = cost;
    branch(entry);
    --times;
    // An iteration that leaves the pipeline as it found it costs the same again.
    if (moment == before) {
      cost.addDifference(since, times);
      break;
    }
  }
  branch(next);
}

void Clock::called(uint32_t callSite, uint32_t callee) {
  const uint32_t location = map->locationOf[callSite];
  const uint32_t caller = current == outside ? row(location, map->routineOf[callSite]) : current;
  const uint32_t next = row(location, map->routineOf[callee]);
  ++rows[next].calls;
  note(caller, Record::call, next, 0, 0);
  current = next;
}

void Clock::returned() {
  if (current == outside)
    return;
  note(current, Record::ret, current, 0, 0);
  current = outside;
}

void Clock::arrive() {
  if (!moment)
    moment = table->start(first);
  cost += moment->cost;
  moment = nullptr;
}

void Clock::passed(uint32_t index, Record::Kind kind, const Transfer &transfer) {
  const uint32_t of =
      current == outside ? row(map->locationOf[index], map->routineOf[index]) : current;
  if (kind == Record::push && transfer.toDram)
    kind = Record::store;
  if (transfer.bytes) {
    rows[of].packets += transfer.amount;
    rows[of].packed += transfer.bytes;
  }
  note(of, kind, of, transfer.peer, transfer.amount);
  first = index + 1;
}

} // namespace dojo::exec
