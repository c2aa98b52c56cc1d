//===- Trace.cpp ----------------------------------------------------------===//
#include "Trace.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/LEB128.h"
#include "llvm/Support/raw_ostream.h"

namespace dojo::exec {
namespace {

/// Field numbers of perfetto_trace.proto.
enum Field : uint64_t {
  tracePacket = 1,
  packetTimestamp = 8,
  packetSequence = 10,
  packetEvent = 11,
  packetTrack = 60,
  trackUuid = 1,
  trackName = 2,
  trackCounter = 8,
  counterUnit = 6,
  eventType = 9,
  eventTrack = 11,
  eventCategory = 22,
  eventName = 23,
  eventCounter = 30,
};
enum EventType : uint64_t { sliceBegin = 1, sliceEnd = 2, counterValue = 4 };

constexpr uint64_t onlySequence = 1;
constexpr uint64_t linkTrack = 1, dramTrack = 2, firstNodeTrack = 16;

/// A protobuf message under construction.
class Proto {
public:
  Proto &number(Field field, uint64_t value) {
    key(field, 0);
    llvm::encodeULEB128(value, os);
    return *this;
  }
  Proto &text(Field field, llvm::StringRef value) {
    key(field, 2);
    llvm::encodeULEB128(value.size(), os);
    os << value;
    return *this;
  }
  llvm::StringRef str() const { return bytes; }

private:
  void key(Field field, unsigned wireType) { llvm::encodeULEB128(field << 3 | wireType, os); }

  std::string bytes;
  llvm::raw_string_ostream os{bytes};
};

llvm::StringRef nameOf(uint64_t Causes::*cause) {
  return cause == &Causes::network ? "network" : cause == &Causes::dram ? "dram" : "waiting";
}

} // namespace

Trace::Trace(const Topology &topology, const SourceMap &map, llvm::ArrayRef<unsigned> chosen)
    : map(map), tracks(topology.nodes()) {
  describeTrack(linkTrack, "links", true);
  describeTrack(dramTrack, "DRAM", true);
  for (unsigned node = 0; node < topology.nodes(); ++node) {
    tracks[node].shown = chosen.empty() || llvm::is_contained(chosen, node);
    if (tracks[node].shown)
      describeTrack(firstNodeTrack + node, topology.describe(node), false);
  }
}

void Trace::packet(llvm::StringRef body) { trace += Proto().text(tracePacket, body).str(); }

void Trace::event(uint64_t cycle, llvm::StringRef body) {
  packet(Proto()
             .number(packetTimestamp, origin + cycle)
             .number(packetSequence, onlySequence)
             .text(packetEvent, body)
             .str());
}

void Trace::describeTrack(uint64_t track, llvm::StringRef name, bool isCounter) {
  Proto descriptor;
  descriptor.number(trackUuid, track).text(trackName, name);
  if (isCounter)
    descriptor.text(trackCounter, Proto().text(counterUnit, "bytes a cycle").str());
  packet(Proto().number(packetSequence, onlySequence).text(packetTrack, descriptor.str()).str());
}

void Trace::slice(uint32_t node, uint64_t cycle, llvm::StringRef name, llvm::StringRef category) {
  event(cycle, Proto()
                   .number(eventType, sliceBegin)
                   .number(eventTrack, firstNodeTrack + node)
                   .text(eventCategory, category)
                   .text(eventName, name)
                   .str());
}

void Trace::endSlice(uint32_t node, uint64_t cycle) {
  event(cycle, Proto().number(eventType, sliceEnd).number(eventTrack, firstNodeTrack + node).str());
}

void Trace::counters(uint64_t track, llvm::ArrayRef<uint64_t> windows) {
  auto value = [&](uint64_t cycle, uint64_t bytes) {
    event(cycle, Proto()
                     .number(eventType, counterValue)
                     .number(eventTrack, track)
                     .number(eventCounter, bytes / Traffic::window)
                     .str());
  };
  for (auto [i, bytes] : llvm::enumerate(windows))
    value(i * Traffic::window, bytes);
  value(windows.size() * Traffic::window, 0);
}

void Trace::begin(llvm::ArrayRef<Clock> ofNodes) {
  clocks = ofNodes;
  for (Track &track : tracks)
    track.location = none;
}

/// Closes the slice of another ONNX node and opens that of the row's.
void Trace::enter(uint32_t node, uint32_t location, uint64_t cycle) {
  Track &track = tracks[node];
  if (track.location == location)
    return;
  if (track.location != none)
    endSlice(node, cycle);
  track.location = location;
  if (location != none)
    slice(node, cycle, map.locations[location], "onnx");
}

void Trace::called(uint32_t node, uint32_t row, uint64_t cycle) {
  if (!tracks[node].shown)
    return;
  const Clock::Row &of = clocks[node].rows[row];
  enter(node, of.location, cycle);
  slice(node, cycle, map.routines[of.routine], "routine");
}

void Trace::returned(uint32_t node, uint64_t cycle) {
  if (tracks[node].shown)
    endSlice(node, cycle);
}

void Trace::stalled(uint32_t node, uint32_t row, uint64_t from, uint64_t to,
                    uint64_t Causes::*cause) {
  if (!tracks[node].shown)
    return;
  enter(node, clocks[node].rows[row].location, from);
  slice(node, from, nameOf(cause), "stall");
  endSlice(node, to);
}

void Trace::halted(uint32_t node, uint64_t cycle) {
  if (tracks[node].shown)
    enter(node, none, cycle);
}

void Trace::end(const Traffic::Use &use, uint64_t cycles) {
  counters(linkTrack, use.links);
  counters(dramTrack, use.dips);
  origin += cycles;
}

} // namespace dojo::exec
