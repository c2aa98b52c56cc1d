//===- Traffic.h - packets on the mesh, in time -----------------*- C++ -*-===//
//
// Every SRAM port, link, die edge and DIP passes so many bytes a cycle and serves
// what comes to it in order of arrival; at the same cycle the lower node goes
// first, then its earlier message. A message is a row of packets that goes by
// columns first, then by rows, from router to router; docs/Timing.md has the rules.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_TRAFFIC_H
#define DOJO_LIB_EXECUTOR_TRAFFIC_H

#include "EventQueue.h"
#include "Topology.h"

namespace dojo::exec {

struct alignas(64) Message {
  /// An alarm moves nothing: it is delivered to its sender at its cycle.
  enum Kind : uint8_t { push, signal, store, pull, alarm };
  enum Stage : uint8_t { travel, dip, enter, complete };

  Kind kind;
  Stage stage;
  uint32_t sender;
  /// The receiving node, or the DIP.
  uint32_t peer;
  uint32_t packets;
  /// Of a signal.
  uint32_t semaphore;
  /// The router where it is, and the one where it leaves the mesh.
  int16_t row, col, toRow, toCol;
  /// Another message that comes to the same resource in the same cycle.
  uint32_t behind;
  uint64_t issued;
  /// The sender's count of messages.
  uint64_t order;
  /// The cycle in which its last packet is past the place where it is now.
  uint64_t tail;
};

class Traffic {
public:
  /// Bytes of all links and of all DIPs in each window of this many cycles.
  static constexpr uint64_t window = 1024;
  struct Use {
    std::vector<uint64_t> links, dips;
  };

  Traffic(const Topology &topology, const Machine &machine);

  /// Starts a message that its sender issues in that cycle; gives the cycle in which
  /// its last packet has left the sender's SRAM. `cycle` is not before now().
  uint64_t send(const Message &message, uint64_t cycle);

  /// Delivers an alarm in that cycle, which lies ahead.
  void setAlarm(uint32_t node, uint64_t cycle);
  /// The cycle that is being served.
  uint64_t now() const { return events.now(); }

  /// The next message that is complete, at its `tail`: signals and pulls in that
  /// cycle, others as soon as it is known. False when none is on its way.
  bool deliver(Message &message);

  const Use &use() const { return used; }
  uint64_t busiestLinkBytes() const;
  uint64_t dipBytes() const;
  /// From the issue of the last node's barrier until all go on.
  uint64_t barrierCycles() const;
  uint64_t linkRate() const { return machine.linkBytesPerCycle; }
  uint64_t dipsRate() const { return machine.numDips() * machine.dipBytesPerCycle; }
  /// The least cycles in which ports, links and DIPs carry what they carried.
  uint64_t bound() const;

private:
  static constexpr uint32_t none = UINT32_MAX;

  struct Resource {
    uint64_t rate;
    /// The first cycle with nothing to pass yet, and what the one before has left.
    uint64_t free = 0;
    uint64_t left = 0;
    uint64_t carried = 0;
    /// The last cycle to which messages came, and one of them.
    uint64_t reached = 0;
    uint32_t last = none;
    /// Of a link that leaves the die: its edge.
    uint32_t edge = none;
  };
  enum Direction { west, east, north, south, numDirections };

  /// Passes the message through `resource` from `cycle` on; the cycle in which
  /// its first packet comes out, `latency` cycles behind.
  uint64_t pass(Resource &resource, Message &message, uint64_t cycle, uint64_t latency);
  /// Where the message is served in this cycle. One that is complete is where it was written.
  Resource &placeOf(const Message &message);
  Resource &linkOf(const Message &message, Direction direction) {
    return links[(size_t(message.row) * cols + message.col) * numDirections + direction];
  }
  /// Serves the messages that have come to a resource in this cycle, in the order of rule 7.
  void serve(Resource &resource);
  void advance(uint32_t number);
  /// One more step from `cycle`, which becomes that of the next one; false when the
  /// message has been delivered.
  bool step(Message &message, uint64_t &cycle);
  bool write(Message &message, uint64_t &cycle);
  uint32_t create(const Message &message);
  /// Goes on to the next cycle in which messages take a step, and serves them.
  bool fetch();
  static Direction heading(const Message &message);
  uint64_t cross(Message &message, Direction direction, uint64_t cycle);
  std::pair<int16_t, int16_t> router(uint32_t node) const;
  /// Where a DIP is attached for that node.
  std::pair<int16_t, int16_t> dipRouter(uint32_t dip, uint32_t node) const;
  uint64_t requestCycles(const Message &message) const;
  uint64_t packetBytes(const Message &m) const { return m.packets * topology.packetBytes; }
  void count(std::vector<uint64_t> &windows, uint64_t cycle, uint64_t bytes);
  void attachEdges(int32_t row, int32_t col);
  Resource &edgeLink(int32_t row, int32_t col, bool inwards);

  const Topology &topology;
  Machine machine;
  int32_t rows, cols;
  std::vector<int32_t> dieRowOf, dieColOf;
  std::vector<Resource> readPorts, writePorts; ///< of each node
  std::vector<Resource> links;                 ///< of each router, by direction
  std::vector<Resource> dieEdges;              ///< of each die, by direction
  std::vector<Resource> dips;
  std::vector<Resource> inward, outward; ///< of each row, west then east, to its DIP

  EventQueue events;
  std::vector<Message> messages;
  std::vector<uint32_t> unused;
  std::vector<uint32_t> issuedBy;
  /// Of one cycle: messages as the queue gives them, where they have come to, and those that
  /// compete for one place.
  std::vector<uint32_t> arrived;
  std::vector<Resource *> places;
  std::vector<uint32_t> rivals;
  /// Messages that are complete, of which `delivered` have been given away.
  std::vector<uint32_t> done;
  size_t delivered = 0;
  Use used;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_TRAFFIC_H
