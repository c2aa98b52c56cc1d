//===- Traffic.cpp --------------------------------------------------------===//
#include "Traffic.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using llvm::divideCeil;

namespace dojo::exec {

Traffic::Traffic(const Topology &topology, const Machine &machine)
    : topology(topology), machine(machine), rows(machine.tileRows * machine.dieRows),
      cols(machine.tileCols * machine.dieCols), issuedBy(topology.nodes()) {
  for (int32_t row = 0; row < rows; ++row)
    dieRowOf.push_back(row / machine.dieRows);
  for (int32_t col = 0; col < cols; ++col)
    dieColOf.push_back(col / machine.dieCols);
  auto make = [](std::vector<Resource> &resources, size_t number, uint64_t rate) {
    resources.assign(number, Resource{rate});
  };
  make(readPorts, topology.nodes(), machine.networkReadPorts * machine.vectorBytes);
  make(writePorts, topology.nodes(), machine.networkWritePorts * machine.vectorBytes);
  make(links, size_t(rows) * cols * numDirections, machine.linkBytesPerCycle);
  make(dieEdges, machine.numDies() * numDirections, machine.dieEdgeBytesPerCycle);
  make(dips, machine.numDips(), machine.dipBytesPerCycle);
  make(inward, 2 * size_t(rows), machine.linkBytesPerCycle);
  make(outward, 2 * size_t(rows), machine.linkBytesPerCycle);
  for (int32_t row = 0; row < rows; ++row)
    for (int32_t col = 0; col < cols; ++col)
      attachEdges(row, col);
}

/// Leads the links of a router that leave its die through the die's edges.
void Traffic::attachEdges(int32_t row, int32_t col) {
  const uint32_t die = dieRowOf[row] * machine.tileCols + dieColOf[col];
  const bool leaves[numDirections] = {col % machine.dieCols == 0, (col + 1) % machine.dieCols == 0,
                                      row % machine.dieRows == 0, (row + 1) % machine.dieRows == 0};
  for (unsigned direction = 0; direction < numDirections; ++direction)
    if (leaves[direction])
      links[(size_t(row) * cols + col) * numDirections + direction].edge =
          die * numDirections + direction;
}

std::pair<int16_t, int16_t> Traffic::router(uint32_t node) const {
  const Place &place = topology.physical(node);
  return {int16_t(place[0] * machine.dieRows + place[2]),
          int16_t(place[1] * machine.dieCols + place[3])};
}

std::pair<int16_t, int16_t> Traffic::dipRouter(uint32_t dip, uint32_t node) const {
  const bool isWest = dip < machine.dipsWest;
  const int64_t index = isWest ? dip : dip - machine.dipsWest;
  const int64_t ofEdge = isWest ? machine.dipsWest : machine.dipsEast;
  const int64_t dieRow = index * machine.tileRows / ofEdge;
  const int64_t row = dieRow * machine.dieRows + topology.physical(node)[2];
  return {int16_t(row), int16_t(isWest ? 0 : cols - 1)};
}

Traffic::Resource &Traffic::edgeLink(int32_t row, int32_t col, bool inwards) {
  return (inwards ? inward : outward)[2 * row + (col != 0)];
}

uint64_t Traffic::requestCycles(const Message &m) const {
  const uint64_t crossings =
      std::abs(dieRowOf[m.row] - dieRowOf[m.toRow]) + std::abs(dieColOf[m.col] - dieColOf[m.toCol]);
  const uint64_t links = std::abs(m.row - m.toRow) + std::abs(m.col - m.toCol) - crossings;
  return (links + 2) * machine.hopCycles + crossings * machine.dieCrossingCycles;
}

/// The way from corner to corner: to the middle and back.
uint64_t Traffic::barrierCycles() const {
  const uint64_t crossings = machine.tileRows - 1 + machine.tileCols - 1;
  const uint64_t links = rows - 1 + cols - 1 - crossings;
  return machine.addressLatency + links * machine.hopCycles + crossings * machine.dieCrossingCycles;
}

void Traffic::count(std::vector<uint64_t> &windows, uint64_t cycle, uint64_t bytes) {
  if (windows.size() <= cycle / window)
    windows.resize(cycle / window + 1);
  windows[cycle / window] += bytes;
}

uint64_t Traffic::pass(Resource &resource, Message &m, uint64_t cycle, uint64_t latency) {
  const uint64_t bytes = packetBytes(m), first = std::max(cycle, resource.free);
  if (cycle >= resource.free)
    resource.left = 0;
  uint64_t beyond = bytes - std::min(bytes, resource.left), cycles;
  if (resource.rate == topology.packetBytes && !resource.left)
    cycles = m.packets;
  else
    cycles = divideCeil(beyond, resource.rate);
  resource.left = resource.left + cycles * resource.rate - bytes;
  resource.free = first + cycles;
  resource.carried += bytes;
  m.tail = std::max(m.tail, resource.free) + latency;
  return first + latency;
}

uint32_t Traffic::create(const Message &message) {
  uint32_t number = messages.size();
  if (unused.empty()) {
    messages.emplace_back();
  } else {
    number = unused.back();
    unused.pop_back();
  }
  messages[number] = message;
  messages[number].order = issuedBy[message.sender]++;
  return number;
}

void Traffic::setAlarm(uint32_t node, uint64_t cycle) {
  Message alarm = {};
  alarm.kind = Message::alarm;
  alarm.stage = Message::complete;
  alarm.sender = node;
  events.push(cycle, create(alarm));
}

uint64_t Traffic::send(const Message &message, uint64_t cycle) {
  const uint32_t number = create(message);
  Message &m = messages[number];
  m.issued = cycle;
  m.tail = 0;
  const uint64_t leaves = cycle + machine.addressLatency;
  const bool isPull = m.kind == Message::pull;
  if (isPull || m.kind == Message::store)
    std::tie(m.toRow, m.toCol) = dipRouter(m.peer, m.sender);
  else
    std::tie(m.toRow, m.toCol) = router(m.peer);
  std::tie(m.row, m.col) = router(m.sender);
  if (isPull) {
    std::swap(m.row, m.toRow);
    std::swap(m.col, m.toCol);
    m.stage = Message::dip;
    events.push(leaves + requestCycles(m), number);
    return leaves;
  }
  m.stage = Message::travel;
  events.push(pass(readPorts[m.sender], m, leaves, machine.hopCycles), number);
  return m.tail - machine.hopCycles;
}

Traffic::Direction Traffic::heading(const Message &m) {
  if (m.col != m.toCol)
    return m.col < m.toCol ? east : west;
  if (m.row != m.toRow)
    return m.row < m.toRow ? south : north;
  return numDirections;
}

uint64_t Traffic::cross(Message &m, Direction direction, uint64_t cycle) {
  Resource &link = linkOf(m, direction);
  m.row += (direction == south) - (direction == north);
  m.col += (direction == east) - (direction == west);
  const bool leavesDie = link.edge != none;
  const uint64_t next = pass(link, m, cycle, leavesDie ? 0 : machine.hopCycles);
  count(used.links, next, packetBytes(m));
  return leavesDie ? pass(dieEdges[link.edge], m, next, machine.dieCrossingCycles) : next;
}

/// At the router of its node.
bool Traffic::write(Message &m, uint64_t &cycle) {
  pass(writePorts[m.kind == Message::pull ? m.sender : m.peer], m, cycle, 0);
  if (m.kind == Message::push)
    return false;
  m.stage = Message::complete;
  cycle = m.tail;
  return true;
}

bool Traffic::step(Message &m, uint64_t &cycle) {
  switch (m.stage) {
  case Message::complete:
    return false;
  case Message::dip:
    count(used.dips, cycle, packetBytes(m));
    cycle = pass(dips[m.peer], m, cycle, machine.dramLatencyCycles);
    m.stage = Message::enter;
    return m.kind == Message::pull;
  case Message::enter:
    cycle = pass(edgeLink(m.row, m.col, true), m, cycle, machine.hopCycles);
    m.stage = Message::travel;
    return true;
  case Message::travel:
    break;
  }
  if (const Direction direction = heading(m); direction != numDirections) {
    cycle = cross(m, direction, cycle);
    return true;
  }
  if (m.kind != Message::store)
    return write(m, cycle);
  cycle = pass(edgeLink(m.row, m.col, false), m, cycle, machine.hopCycles);
  m.stage = Message::dip;
  return true;
}

Traffic::Resource &Traffic::placeOf(const Message &m) {
  switch (m.stage) {
  case Message::dip:
    return dips[m.peer];
  case Message::enter:
    return edgeLink(m.row, m.col, true);
  case Message::complete:
    return writePorts[m.kind == Message::push || m.kind == Message::signal ? m.peer : m.sender];
  case Message::travel:
    break;
  }
  if (const Direction direction = heading(m); direction != numDirections) {
    Resource &link = linkOf(m, direction);
    return link.edge == none ? link : dieEdges[link.edge];
  }
  if (m.kind == Message::store)
    return edgeLink(m.row, m.col, false);
  return writePorts[m.kind == Message::pull ? m.sender : m.peer];
}

void Traffic::advance(uint32_t number) {
  uint64_t cycle = now();
  if (step(messages[number], cycle))
    events.push(cycle, number);
  else
    done.push_back(number);
}

void Traffic::serve(Resource &resource) {
  if (messages[resource.last].behind == none)
    return advance(resource.last);
  rivals.clear();
  for (uint32_t number = resource.last; number != none; number = messages[number].behind)
    rivals.push_back(number);
  std::sort(rivals.begin(), rivals.end(), [&](uint32_t a, uint32_t b) {
    const Message &m = messages[a], &n = messages[b];
    return std::tie(m.sender, m.order) < std::tie(n.sender, n.order);
  });
  for (uint32_t number : rivals)
    advance(number);
}

/// Messages lie far apart in the host's memory.
constexpr size_t ahead = 8;

bool Traffic::fetch() {
  if (!events.pop(arrived))
    return false;
  places.clear();
  for (auto [i, number] : llvm::enumerate(arrived)) {
    if (i + ahead < arrived.size())
      __builtin_prefetch(&messages[arrived[i + ahead]]);
    Resource &place = placeOf(messages[number]);
    if (place.reached != now()) {
      place.reached = now();
      place.last = none;
      places.push_back(&place);
    }
    messages[number].behind = std::exchange(place.last, number);
  }
  for (Resource *place : places)
    serve(*place);
  return true;
}

bool Traffic::deliver(Message &message) {
  while (delivered == done.size()) {
    done.clear();
    delivered = 0;
    if (!fetch())
      return false;
  }
  const uint32_t number = done[delivered++];
  message = messages[number];
  unused.push_back(number);
  return true;
}

template <class Resources>
static uint64_t most(const Resources &resources) {
  uint64_t bytes = 0;
  for (const auto &resource : resources)
    bytes = std::max(bytes, resource.carried);
  return bytes;
}
uint64_t Traffic::busiestLinkBytes() const {
  return std::max({most(links), most(inward), most(outward)});
}
uint64_t Traffic::dipBytes() const {
  uint64_t bytes = 0;
  for (const Resource &dip : dips)
    bytes += dip.carried;
  return bytes;
}

uint64_t Traffic::bound() const {
  uint64_t cycles = 0;
  for (const auto *kind : {&readPorts, &writePorts, &links, &dieEdges, &dips, &inward, &outward})
    for (const Resource &resource : *kind)
      cycles = std::max(cycles, divideCeil(resource.carried, resource.rate));
  return cycles;
}

} // namespace dojo::exec
