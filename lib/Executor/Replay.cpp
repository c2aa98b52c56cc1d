//===- Replay.cpp ---------------------------------------------------------===//
#include "Replay.h"

namespace dojo::exec {

Replay::Replay(const Topology &topology, const Machine &machine, llvm::ArrayRef<Clock> clocks,
               Trace *trace)
    : clocks(clocks), mesh(topology, machine), trace(trace), nodes(clocks.size()),
      stallsOf(clocks.size()), numSemaphores(machine.semaphores),
      semaphores(clocks.size() * numSemaphores) {
  for (auto [stalls, clock] : llvm::zip(stallsOf, clocks))
    stalls.ofRow.resize(clock.rows.size());
}

uint64_t Replay::run() {
  for (uint32_t number = 0; number < nodes.size(); ++number)
    go(number);
  uint64_t end = 0;
  for (Message message; mesh.deliver(message);) {
    end = std::max(end, message.tail);
    if (message.kind == Message::signal)
      signalled(message);
    else if (message.kind == Message::pull)
      pulled(message);
    else if (message.kind == Message::alarm)
      go(message.sender);
  }
  for (const Stalls &stalls : stallsOf)
    end = std::max(end, stalls.halted);
  return end;
}

void Replay::go(uint32_t number) {
  Node &node = nodes[number];
  node.state = State::runs;
  llvm::ArrayRef<Record> records = clocks[number].records;
  while (node.next < records.size()) {
    const Record &record = records[node.next];
    if (node.cycle > mesh.now() + lead) {
      mesh.setAlarm(number, node.cycle);
      return;
    }
    ++node.next;
    node.cycle += record.cycles;
    if (!take(number, record))
      return;
  }
}

bool Replay::take(uint32_t number, const Record &record) {
  Node &node = nodes[number];
  node.row = record.row;
  switch (record.kind) {
  case Record::run:
    return true;
  case Record::call:
    if (trace)
      trace->called(number, record.row, node.cycle);
    return true;
  case Record::ret:
    if (trace)
      trace->returned(number, node.cycle);
    return true;
  case Record::push:
    send(number, record, Message::push);
    return true;
  case Record::store:
    send(number, record, Message::store);
    return true;
  case Record::pull:
    send(number, record, Message::pull);
    return true;
  case Record::signal:
    send(number, record, Message::signal);
    return true;
  case Record::wait:
    node.semaphore = record.peer;
    node.count = record.amount;
    return wait(number);
  case Record::drain:
    return drain(number);
  case Record::barrier:
    meet(number);
    return false;
  case Record::halt:
    stallsOf[number].halted = node.cycle;
    if (trace)
      trace->halted(number, node.cycle);
    return true;
  }
  llvm_unreachable("all kinds are listed");
}

/// An instruction of the network issues in the last of its record's cycles.
void Replay::send(uint32_t number, const Record &record, Message::Kind kind) {
  Node &node = nodes[number];
  Message message = {};
  message.kind = kind;
  message.sender = number;
  message.peer = record.peer;
  message.packets = kind == Message::signal ? 1 : record.amount;
  message.semaphore = record.amount;
  if (!message.packets)
    return;
  const uint64_t left = mesh.send(message, node.cycle - 1);
  if (kind == Message::pull)
    ++node.pulls;
  else
    node.left = std::max(node.left, left);
}

bool Replay::wait(uint32_t number) {
  Node &node = nodes[number];
  uint32_t &value = semaphore(number, node.semaphore);
  if (value < node.count) {
    node.state = State::waits;
    return false;
  }
  value -= node.count;
  return true;
}

bool Replay::drain(uint32_t number) {
  Node &node = nodes[number];
  if (node.pulls) {
    node.state = State::drains;
    return false;
  }
  const bool byPull = node.arrived >= node.left;
  stall(number, std::max(node.arrived, node.left), byPull ? &Causes::dram : &Causes::network);
  return true;
}

void Replay::meet(uint32_t number) {
  nodes[number].state = State::meets;
  lastMet = std::max(lastMet, nodes[number].cycle);
  if (++met < nodes.size())
    return;
  const uint64_t until = lastMet - 1 + mesh.barrierCycles();
  for (uint32_t node = 0; node < nodes.size(); ++node) {
    stall(node, lastMet, &Causes::waiting);
    stall(node, until, &Causes::network);
    mesh.setAlarm(node, nodes[node].cycle);
  }
  met = 0;
  lastMet = 0;
}

void Replay::stall(uint32_t number, uint64_t until, uint64_t Causes::*cause) {
  Node &node = nodes[number];
  if (until <= node.cycle)
    return;
  stallsOf[number].ofRow[node.row].*cause += until - node.cycle;
  if (trace)
    trace->stalled(number, node.row, node.cycle, until, cause);
  node.cycle = until;
}

/// A node waits for its partner until the signal is sent, then for the network.
void Replay::signalled(const Message &message) {
  Node &node = nodes[message.peer];
  ++semaphore(message.peer, message.semaphore);
  if (node.state != State::waits || node.semaphore != message.semaphore || !wait(message.peer))
    return;
  stall(message.peer, std::min(message.issued, message.tail), &Causes::waiting);
  stall(message.peer, message.tail, &Causes::network);
  go(message.peer);
}

void Replay::pulled(const Message &message) {
  Node &node = nodes[message.sender];
  node.arrived = std::max(node.arrived, message.tail);
  if (--node.pulls || node.state != State::drains)
    return;
  drain(message.sender);
  go(message.sender);
}

} // namespace dojo::exec
