//===- Races.cpp - accesses that nothing orders ---------------------------===//
#include "Races.h"
#include "Mesh.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using llvm::Error;
using llvm::Expected;
using llvm::formatv;

namespace dojo::exec {

Expected<std::unique_ptr<Races>> Races::create(Mesh &mesh) {
  const Topology &topology = mesh.topology;
  const uint64_t bytes = AccessHistory::hostBytes(topology.sramBytes);
  Expected<HostMemory> memory = HostMemory::allocate(topology.nodes() * bytes);
  if (!memory)
    return memory.takeError();
  auto races = std::unique_ptr<Races>(new Races(mesh));
  races->memory = std::move(*memory);
  for (unsigned i = 0; i < topology.nodes(); ++i)
    races->nodes.emplace_back(AccessHistory(races->memory.data() + i * bytes, topology.sramBytes));
  races->clocks.reset(topology.nodes());
  return std::move(races);
}

Races::Races(Mesh &mesh) : mesh(mesh), clocks(mesh.topology.nodes()) {}

std::string Races::where(unsigned node, uint32_t place) const {
  const uint32_t address = place & ~inCall;
  std::string text =
      formatv(place & inCall ? "{0} in the call at {1:x}" : "{0} in the code from {1:x} on",
              mesh.topology.describe(node), address);
  if (llvm::StringRef location = mesh.program->location(address); !location.empty())
    text += formatv(" ({0})", location);
  return text;
}

//===-- Entries and segments ----------------------------------------------===//

void Races::clearFlag(unsigned node, const Region &region, uint8_t flag) {
  region.forEachRun([&](uint64_t begin, uint64_t end) {
    mesh.shadow->clearFlag(node, begin, end, flag);
    nodes[node].history.mark(begin, end - begin);
    return true;
  });
}

Races::Semaphore &Races::semaphore(unsigned node, uint64_t number) {
  std::vector<Semaphore> &all = nodes[node].semaphores;
  if (number >= all.size())
    all.resize(number + 1);
  return all[number];
}

void Races::nextSegment(State &state) {
  state.history.begin(++state.now);
  state.places.push_back(state.place);
}

/// All that the node has in flight has ended.
void Races::settle(unsigned node) {
  State &state = nodes[node];
  for (const Arrival &arrival : state.arrivals)
    clearFlag(node, arrival.to, Shadow::arriving);
  state.arrivals.clear();
  state.landed.clear();
  drain(node);
  state.open.clear();
  state.history.reset();
  state.now = 1;
  state.history.begin(state.now);
}

void Races::begin(uint32_t entry) {
  const VectorClocks::Clock nothing = clocks.reset(nodes.size());
  for (unsigned node = 0; node < nodes.size(); ++node)
    settle(node);
  for (State &state : nodes) {
    state.known = nothing;
    state.barriers = 0;
    state.semaphores.clear();
    state.place = entry;
    state.places = {entry};
  }
  meetings = {};
  dram.clear();
}

Error Races::finish(llvm::StringRef entry) const {
  for (auto [node, state] : llvm::enumerate(nodes))
    for (auto [number, semaphore] : llvm::enumerate(state.semaphores))
      if (const auto left = llvm::ArrayRef(semaphore.pending).drop_front(semaphore.taken);
          !left.empty())
        return llvm::createStringError(
            formatv("entry '{0}' ends, and nobody has waited for {1} signals of semaphore {2} of "
                    "{3}; the first is that of {4}",
                    entry, left.size(), number, mesh.topology.describe(node),
                    where(left.front().sender, left.front().place))
                .str());
  return Error::success();
}

void Races::enter(State &state, uint32_t place) {
  state.place = place;
  if (state.history.isIdle())
    state.places.back() = place;
  else
    nextSegment(state);
}

bool Races::pass(Node &node, uint32_t index) {
  bool ordered = true;
  mesh.shadow->pass(node.number, index, [&](const binary::Buffer &row, bool begins) {
    const uint8_t *states = mesh.shadow->states(node.number) + row.address;
    const uint64_t first = prefixOf<Shadow::arriving, 0>(states, row.size);
    if (first != row.size && ordered) {
      fault(node, formatv("{0} the life of buffer '{1}', but {2}", begins ? "begins" : "ends",
                          row.name, explain(node.number, row.address + first))
                      .str());
      ordered = false;
    }
    if (begins && row.size)
      nodes[node.number].history.mark(row.address, row.size);
  });
  return ordered;
}

//===-- Transfers ---------------------------------------------------------===//

std::string Races::explain(unsigned node, uint64_t byte) const {
  const State &state = nodes[node];
  const std::string what = mesh.shadow->describe(node, byte);
  for (const Arrival &arrival : state.arrivals)
    if (arrival.to.common(byte, byte + 1))
      return formatv("{0} is written by a push of {1}, and no wait lies between", what,
                     where(arrival.sender, arrival.place));
  for (const Transfer &transfer : state.transfers)
    if (transfer.own.common(byte, byte + 1))
      return formatv("{0} is {1} by a transfer of {2}, and no drain lies between", what,
                     transfer.arrives ? "written" : "read", where(node, transfer.place));
  return what;
}

/// The own side of a transfer begins.
void Races::start(unsigned node, const Transfer &transfer) {
  transfer.own.forEachRun([&](uint64_t begin, uint64_t end) {
    mesh.shadow->setFlag(node, begin, end, transfer.flag());
    return true;
  });
  nodes[node].transfers.push_back(transfer);
}

void Races::end(unsigned node, const Transfer &transfer) {
  clearFlag(node, transfer.own, transfer.flag());
  if (transfer.dram)
    dram.end(*transfer.dram, nodes[node].now);
}

bool Races::push(Node &node, const Region &from, unsigned target, const Region &to) {
  if (!act(node))
    return false;
  State &state = nodes[node.number], &other = nodes[target];
  const Epoch known = clocks.of(state.known, target);
  std::optional<uint64_t> late;
  if (target != node.number)
    to.forEachRun([&](uint64_t begin, uint64_t end) {
      late = other.history.firstAfter(known, begin, end);
      return !late;
    });
  if (late) {
    fault(node, formatv("writes to {0}, but {1} is used by {2}, and no signal orders the two",
                        mesh.topology.describe(target), mesh.shadow->describe(target, *late),
                        where(target, other.places[other.history.last(*late) - 1]))
                    .str());
    return false;
  }
  to.forEachRun([&](uint64_t begin, uint64_t end) {
    mesh.shadow->setFlag(target, begin, end, Shadow::arriving);
    return true;
  });
  other.arrivals.push_back({node.number, ++state.pushes, state.place, to});
  start(node.number, {false, state.place, from, std::nullopt});
  return true;
}

bool Races::store(Node &node, const Region &from, const Region &to) {
  if (!act(node) || !reach(node, to, true))
    return false;
  start(node.number, {false, nodes[node.number].place, from, dram.newest()});
  return true;
}

bool Races::load(Node &node, const Region &from, const Region &to) {
  if (!act(node) || !reach(node, from, false))
    return false;
  start(node.number, {true, nodes[node.number].place, to, dram.newest()});
  return true;
}

void Races::drain(unsigned node) {
  State &state = nodes[node];
  state.ended.swap(state.transfers);
  for (const Transfer &transfer : state.ended)
    end(node, transfer);
  state.ended.clear();
}

//===-- DRAM --------------------------------------------------------------===//

/// Of the tensor that has the byte, counted as the host's memory is.
std::string Races::describeDram(uint64_t byte) const {
  std::string text = formatv("the byte at {0:x} of DIP {1}", byte % mesh.topology.dipBytes,
                             byte / mesh.topology.dipBytes);
  const binary::Program &program = *mesh.program;
  for (const auto &tensor : llvm::concat<const binary::Tensor>(program.inputs, program.outputs)) {
    const uint64_t begin = mesh.topology.dramByte(tensor.address);
    if (byte >= begin && byte - begin < tensor.bytes())
      text += formatv(" of '{0}'", tensor.name);
  }
  return text;
}

/// The transfer reads or writes DRAM.
bool Races::reach(Node &node, const Region &region, bool writes) {
  auto isBefore = [&](const DramAccess &earlier) {
    return earlier.ended && knows(node.number, earlier.node, earlier.ended);
  };
  auto conflict = dram.add({node.number, nodes[node.number].place, writes, region}, isBefore);
  if (!conflict)
    return true;
  const DramAccess &other = *conflict->other;
  fault(node, formatv("{0} DRAM, but {1} is {2} by a transfer of {3}, and {4} orders the two",
                      writes ? "writes to" : "reads", describeDram(conflict->byte),
                      other.writes ? "written" : "read", where(other.node, other.place),
                      other.ended ? "no signal" : "no drain")
                  .str());
  return false;
}

//===-- Semaphores --------------------------------------------------------===//

/// The node is about to do what shows others what it knows.
bool Races::act(Node &node) {
  State &state = nodes[node.number];
  ++state.acts;
  state.landed.clear();
  if (state.open.empty())
    return true;
  const Semaphore &semaphore = state.semaphores[state.open.front()];
  const Signal &first = semaphore.pending.front();
  const Signal &other = *llvm::find_if(
      semaphore.pending, [&](const Signal &signal) { return signal.sender != first.sender; });
  fault(node, formatv("follows a wait that took {0} of {1} signals of semaphore {2}, and no signal "
                      "orders those of {3} and of {4}",
                      semaphore.taken, semaphore.pending.size(), state.open.front(),
                      where(first.sender, first.place), where(other.sender, other.place))
                  .str());
  return false;
}

/// Whether the last waits could have taken the next signal of this sender in place of
/// another node's, and something has come of it since.
bool Races::isLate(uint64_t number, unsigned sender, unsigned target) const {
  const State &state = nodes[target];
  const Semaphore &semaphore = state.semaphores[number];
  if (semaphore.producer == sender || knows(sender, target, semaphore.waited))
    return false;
  if (state.acts != semaphore.acts)
    return true;
  const bool idle = state.now == semaphore.waited + 1 && state.history.isIdle();
  return !idle && llvm::any_of(state.landed, [&](const Landing &landing) {
    return landing.semaphore == number &&
           !landing.arrival.to.forEachRun([&](uint64_t begin, uint64_t end) {
             return !state.history.firstAfter(semaphore.waited, begin, end);
           });
  });
}

bool Races::signal(Node &node, unsigned target, uint64_t number) {
  if (!act(node))
    return false;
  State &state = nodes[node.number];
  Semaphore &semaphore = this->semaphore(target, number);
  if (isLate(number, node.number, target)) {
    fault(node, formatv("signals semaphore {0} of {1}, which may take it for a signal of another "
                        "node: no signal orders the two",
                        number, where(target, semaphore.place))
                    .str());
    return false;
  }
  semaphore.pending.push_back(
      {node.number, clocks.share(state.known), state.now, state.place, state.pushes});
  nextSegment(state);
  return true;
}

/// What the sender knew and did lies before what follows.
void Races::take(unsigned node, const Signal &signal) {
  State &state = nodes[node];
  if (!knows(node, signal.sender, signal.own))
    state.known = clocks.join(state.known, signal.known, signal.sender, signal.own);
  clocks.release(signal.known);
}

/// The pushes that came before the signals have arrived.
void Races::land(unsigned node, uint64_t semaphore, llvm::ArrayRef<Signal> signals) {
  State &state = nodes[node];
  llvm::erase_if(state.arrivals, [&](const Arrival &arrival) {
    if (llvm::none_of(signals, [&](const Signal &signal) {
          return signal.sender == arrival.sender && signal.pushes >= arrival.number;
        }))
      return false;
    clearFlag(node, arrival.to, Shadow::arriving);
    state.landed.push_back({semaphore, arrival});
    return true;
  });
}

void Races::wait(unsigned node, uint64_t number, uint64_t count) {
  if (!count)
    return;
  State &state = nodes[node];
  Semaphore &semaphore = this->semaphore(node, number);
  auto &pending = semaphore.pending;
  const unsigned first = pending.front().sender;
  const bool one = llvm::all_of(pending, [&](const Signal &s) { return s.sender == first; });
  const bool again = semaphore.waited && semaphore.acts == state.acts;
  semaphore.producer =
      one && (!again || semaphore.producer == first) ? std::optional(first) : std::nullopt;
  semaphore.acts = state.acts;
  semaphore.waited = state.now;
  semaphore.place = state.place;
  semaphore.taken += count;
  llvm::erase(state.open, number);
  if (!one && semaphore.taken < pending.size()) {
    state.open.push_back(number);
    return;
  }
  const auto taken = llvm::ArrayRef(pending).take_front(semaphore.taken);
  for (const Signal &signal : taken)
    take(node, signal);
  land(node, number, taken);
  pending.erase(pending.begin(), pending.begin() + semaphore.taken);
  semaphore.taken = 0;
  nextSegment(state);
}

bool Races::arrive(Node &node) {
  if (!act(node))
    return false;
  State &state = nodes[node.number];
  Meeting &meeting = meetings[state.barriers % meetings.size()];
  const auto before = meeting.come++ ? meeting.known : clocks.share(state.known);
  meeting.known = clocks.join(before, state.known, node.number, state.now);
  nextSegment(state);
  return true;
}

void Races::leave(unsigned node) {
  State &state = nodes[node];
  Meeting &meeting = meetings[state.barriers++ % meetings.size()];
  clocks.release(state.known);
  state.known = clocks.share(meeting.known);
  nextSegment(state);
  if (++meeting.left < nodes.size())
    return;
  clocks.release(meeting.known);
  meeting = {};
}

} // namespace dojo::exec
