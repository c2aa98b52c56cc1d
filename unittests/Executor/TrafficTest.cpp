//===- TrafficTest.cpp - the network's rules of docs/Timing.md by hand -----===//
//
// With the keys of d1-node: a message leaves 4 cycles after it is issued, a hop
// takes 1, ports and links pass a packet a cycle, a DIP 400 bytes 400 cycles late.
//
//===----------------------------------------------------------------------===//
#include "Traffic.h"
#include "Harness.h"

namespace dojo::exec {
namespace {

struct Mesh {
  explicit Mesh(const Machine &machine) : topology(machine), traffic(topology, machine) {}

  uint64_t send(Message::Kind kind, uint32_t sender, uint32_t peer, uint32_t packets,
                uint64_t cycle = 0) {
    Message message = {};
    message.kind = kind;
    message.sender = sender;
    message.peer = peer;
    message.packets = packets;
    return traffic.send(message, cycle);
  }
  /// When the messages of each sender are complete, in the order of delivery.
  std::vector<std::pair<uint32_t, uint64_t>> deliveries() {
    std::vector<std::pair<uint32_t, uint64_t>> all;
    for (Message message; traffic.deliver(message);)
      all.push_back({message.sender, message.tail});
    return all;
  }

  Topology topology;
  Traffic traffic;
};
using Deliveries = std::vector<std::pair<uint32_t, uint64_t>>;

TEST(Traffic, AMessageTakesAHopALinkAndACycleAPacket) {
  Mesh mesh(smallMachine(4, 4));
  // Read at 104, over three links and two from 105 on, written from 110 to 120.
  EXPECT_EQ(mesh.send(Message::push, 0, 4 * 2 + 3, 10, 100), 114u);
  EXPECT_EQ(mesh.deliveries(), (Deliveries{{0, 120}}));
}

TEST(Traffic, APushToItselfPassesBothPorts) {
  Mesh mesh(smallMachine());
  // Read at 4, written from 5 on.
  EXPECT_EQ(mesh.send(Message::push, 0, 0, 3), 7u);
  EXPECT_EQ(mesh.deliveries(), (Deliveries{{0, 8}}));
}

TEST(Traffic, ALinkServesWholeMessagesInOrderOfArrival) {
  Mesh mesh(smallMachine(1, 3));
  // Both want the link from 1 to 2: node 1 at 5, node 0 at 6 and so from 15 on.
  mesh.send(Message::push, 0, 2, 10);
  mesh.send(Message::push, 1, 2, 10);
  EXPECT_EQ(mesh.deliveries(), (Deliveries{{1, 16}, {0, 26}}));
}

TEST(Traffic, InTheSameCycleTheLowerNodeGoesFirst) {
  Mesh mesh(smallMachine(3, 1));
  // Both reach the write port of node 1 at 6.
  mesh.send(Message::push, 2, 1, 10);
  mesh.send(Message::push, 0, 1, 10);
  EXPECT_EQ(mesh.deliveries(), (Deliveries{{0, 16}, {2, 26}}));
}

TEST(Traffic, MessagesGoAlongTheRowFirst) {
  Mesh mesh(smallMachine(2, 2));
  // From node 0 to 3 by node 1, with which it shares the link down.
  mesh.send(Message::push, 0, 3, 10);
  mesh.send(Message::push, 1, 3, 10);
  mesh.deliveries();
  EXPECT_EQ(mesh.traffic.busiestLinkBytes(), 20u * 64);
  // From node 3 to 0 by node 2: not over the link that node 1 uses.
  Mesh other(smallMachine(2, 2));
  other.send(Message::push, 3, 0, 10);
  other.send(Message::push, 1, 0, 10);
  other.deliveries();
  EXPECT_EQ(other.traffic.busiestLinkBytes(), 10u * 64);
}

TEST(Traffic, OppositeDirectionsAreTwoLinks) {
  Mesh mesh(smallMachine(1, 2));
  mesh.send(Message::push, 0, 1, 10);
  mesh.send(Message::push, 1, 0, 10);
  EXPECT_EQ(mesh.deliveries(), (Deliveries{{0, 16}, {1, 16}}));
}

TEST(Traffic, ASignalStaysBehindItsData) {
  Mesh mesh(smallMachine(1, 4));
  mesh.send(Message::push, 0, 3, 50, 0);
  mesh.send(Message::signal, 0, 3, 1, 1);
  // Data written from 8 to 58, the signal right after.
  EXPECT_EQ(mesh.deliveries(), (Deliveries{{0, 58}, {0, 59}}));
}

TEST(Traffic, ADeadNodeForwards) {
  Machine machine = smallMachine(2, 4);
  machine.deadNodes = {{0, 0, 0, 1}, {0, 0, 1, 1}};
  Mesh mesh(machine);
  // Logical columns 0 and 1 are the physical 0 and 2: two links.
  mesh.send(Message::push, 0, 1, 1);
  EXPECT_EQ(mesh.deliveries(), (Deliveries{{0, 4 + 1 + 2 + 1}}));
}

TEST(Traffic, BetweenDiesTheHopIsLongAndTheEdgeShared) {
  Machine machine = smallMachine(1, 1);
  machine.tileCols = 2;
  Mesh one(machine);
  // Link and edge at 5, written from 205 on.
  one.send(Message::push, 0, 1, 1);
  EXPECT_EQ(one.deliveries(), (Deliveries{{0, 206}}));

  // Of 20 rows each sends 100 packets: 128,000 bytes leave the edge in 128 cycles.
  machine.dieRows = 20;
  Mesh all(machine);
  for (unsigned row = 0; row < 20; ++row)
    all.send(Message::push, row, 20 + row, 100);
  EXPECT_EQ(all.deliveries().front(), std::make_pair(0u, uint64_t(5 + 200 + 100)));
  Mesh again(machine);
  for (unsigned row = 0; row < 20; ++row)
    again.send(Message::push, row, 20 + row, 100);
  // The last one's first packet is at the edge at 5 + 19 * 6.4, so crosses at 127.
  EXPECT_EQ(again.deliveries().back(), std::make_pair(19u, uint64_t(127 + 200 + 100)));
}

TEST(Traffic, APullAsksIsServedAndReturns) {
  Mesh one(smallMachine());
  // Request at 4, at the DIP at 6, data from 406, on the link, written from 407 on.
  one.send(Message::pull, 0, 0, 1);
  EXPECT_EQ(one.deliveries(), (Deliveries{{0, 408}}));
  Mesh far(smallMachine(1, 3));
  // Two links more, both ways.
  far.send(Message::pull, 2, 0, 100);
  EXPECT_EQ(far.deliveries(), (Deliveries{{2, 408 + 4 + 99}}));
}

TEST(Traffic, ADipServesInOrderAtItsRate) {
  Mesh mesh(smallMachine(10, 1));
  for (unsigned row = 0; row < 10; ++row)
    mesh.send(Message::pull, row, 0, 100);
  Deliveries all = mesh.deliveries();
  // 6,400 bytes take 16 cycles; the tenth starts at 6 + 144.
  EXPECT_EQ(all.front(), std::make_pair(0u, uint64_t(6 + 400 + 1 + 100)));
  EXPECT_EQ(all.back(), std::make_pair(9u, uint64_t(6 + 144 + 400 + 1 + 100)));
}

TEST(Traffic, APushToDramIsServedAndTakesTheLatency) {
  Mesh mesh(smallMachine());
  // Read from 4 to 5, on the link at 5, served at 6.
  EXPECT_EQ(mesh.send(Message::store, 0, 0, 1), 5u);
  EXPECT_EQ(mesh.deliveries(), (Deliveries{{0, 7 + 400}}));
}

TEST(Traffic, TheBoundIsThatOfTheBusiestPart) {
  Mesh mesh(smallMachine(1, 3));
  mesh.send(Message::push, 0, 2, 10);
  mesh.send(Message::push, 1, 2, 10);
  mesh.deliveries();
  EXPECT_EQ(mesh.traffic.bound(), 20u);
  EXPECT_EQ(mesh.traffic.busiestLinkBytes(), 20u * 64);
}

} // namespace
} // namespace dojo::exec
