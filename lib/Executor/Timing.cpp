//===- Timing.cpp - summaries of a timed run ------------------------------===//
#include "Timing.h"
#include "dojo/ISA/Codec.h"
#include "llvm/ADT/STLExtras.h"

namespace dojo::exec {

Causes &Causes::operator+=(const Causes &other) {
  compute += other.compute;
  sramPort += other.sramPort;
  network += other.network;
  dram += other.dram;
  waiting += other.waiting;
  return *this;
}

Timing::Timing(const binary::Program &program, const Machine &machine, const Topology &topology,
               const std::optional<std::vector<unsigned>> &traced)
    : machine(machine), topology(topology), model(program, machine), map(program) {
  if (traced)
    tracer.emplace(topology, map, *traced);
}

void Timing::begin(llvm::MutableArrayRef<Clock> clocks, uint32_t address) const {
  for (Clock &clock : clocks)
    clock.begin(map, address / isa::wordBytes);
}

void Timing::finish(llvm::StringRef entry, llvm::ArrayRef<Clock> clocks) {
  if (tracer)
    tracer->begin(clocks);
  Replay replay(topology, machine, clocks, tracer ? &*tracer : nullptr);
  const uint64_t cycles = replay.run();
  if (tracer)
    tracer->end(replay.traffic().use(), cycles);
  EntryTiming timing = summary(clocks, replay, cycles);
  timing.entry = entry.str();
  auto known = llvm::find_if(timings, [&](const EntryTiming &t) { return t.entry == entry; });
  if (known == timings.end())
    timings.push_back(std::move(timing));
  else
    *known = std::move(timing);
}

llvm::StringRef Timing::trace() const { return tracer ? tracer->bytes() : llvm::StringRef(); }

static Causes causesOf(const Cost &cost, const Causes &stalls) {
  Causes causes = stalls;
  causes.sramPort = cost[Cost::portStalls];
  causes.compute = cost[Cost::cycles] - causes.sramPort;
  return causes;
}

void Timing::addRows(EntryTiming &timing, llvm::ArrayRef<Clock> clocks,
                     llvm::ArrayRef<Stalls> stalls) const {
  std::vector<TimingRow> byLocation(map.locations.size()), byRoutine(map.routines.size());
  for (auto [clock, stalled] : llvm::zip(clocks, stalls))
    for (auto [row, stall] : llvm::zip(clock.rows, stalled.ofRow)) {
      const Causes causes = causesOf(row.cost, stall);
      timing.causes += causes;
      for (TimingRow *sum : {&byLocation[row.location], &byRoutine[row.routine]}) {
        sum->calls += row.calls;
        sum->packets += row.packets;
        sum->packed += row.packed;
        sum->causes += causes;
        sum->bound += model.bound(row.cost);
        sum->mmuls += row.cost[Cost::mmuls];
      }
    }
  auto keep = [](std::vector<TimingRow> &all, const std::vector<std::string> &names,
                 std::vector<TimingRow> &to) {
    for (auto [row, name] : llvm::zip(all, names))
      if (row.causes.total()) {
        row.name = name;
        to.push_back(std::move(row));
      }
  };
  keep(byLocation, map.locations, timing.byOnnxNode);
  keep(byRoutine, map.routines, timing.byRoutine);
}

EntryTiming Timing::summary(llvm::ArrayRef<Clock> clocks, const Replay &replay,
                            uint64_t cycles) const {
  EntryTiming timing;
  timing.cycles = cycles;
  timing.nodes = clocks.size();
  timing.seconds = cycles / (machine.clockMHz * 1e6);
  addRows(timing, clocks, replay.stalls());
  timing.bound = replay.traffic().bound();
  uint64_t mmuls = 0, vfmas = 0;
  for (auto [clock, stalls] : llvm::zip(clocks, replay.stalls())) {
    Cost sum;
    for (const Clock::Row &row : clock.rows)
      sum += row.cost;
    timing.bound = std::max(timing.bound, model.bound(sum));
    timing.causes.waiting += cycles - stalls.halted;
    mmuls += sum[Cost::mmuls];
    vfmas += sum[Cost::vfmas];
  }
  const Traffic &traffic = replay.traffic();
  auto share = [&](double part, double rate) { return cycles ? part / (rate * cycles) : 0.0; };
  timing.macUtilisation = share(mmuls, timing.nodes * machine.matrixIssue);
  timing.fmaUtilisation = share(vfmas, timing.nodes * machine.simdIssue);
  timing.busiestLinkUtilisation = share(traffic.busiestLinkBytes(), traffic.linkRate());
  timing.dramUtilisation = share(traffic.dipBytes(), traffic.dipsRate());
  return timing;
}

static llvm::json::Object toJSON(const Causes &causes) {
  return llvm::json::Object{{"compute", causes.compute},
                            {"sram_port", causes.sramPort},
                            {"network", causes.network},
                            {"dram", causes.dram},
                            {"waiting", causes.waiting}};
}

static llvm::json::Array toJSON(llvm::ArrayRef<TimingRow> rows) {
  llvm::json::Array array;
  for (const TimingRow &row : rows) {
    llvm::json::Object object = toJSON(row.causes);
    object["name"] = row.name;
    object["calls"] = row.calls;
    object["cycles"] = row.causes.total();
    object["bound"] = row.bound;
    object["packets"] = row.packets;
    object["packet_bytes"] = row.packed;
    object["matrix_instructions"] = row.mmuls;
    array.push_back(std::move(object));
  }
  return array;
}

llvm::json::Object toJSON(const EntryTiming &timing) {
  return llvm::json::Object{{"modelled_cycles", timing.cycles},
                            {"modelled_bound_cycles", timing.bound},
                            {"modelled_seconds", timing.seconds},
                            {"nodes", timing.nodes},
                            {"mac_utilisation", timing.macUtilisation},
                            {"fma_utilisation", timing.fmaUtilisation},
                            {"busiest_link_utilisation", timing.busiestLinkUtilisation},
                            {"dram_utilisation", timing.dramUtilisation},
                            {"by_cause", toJSON(timing.causes)},
                            {"by_onnx_node", toJSON(timing.byOnnxNode)},
                            {"by_routine", toJSON(timing.byRoutine)}};
}

void addTiming(llvm::json::Object &report, llvm::ArrayRef<EntryTiming> timings) {
  if (timings.empty())
    return;
  llvm::json::Object modelled;
  for (const EntryTiming &timing : timings)
    modelled[timing.entry] = toJSON(timing);
  report["modelled"] = std::move(modelled);
}

} // namespace dojo::exec
