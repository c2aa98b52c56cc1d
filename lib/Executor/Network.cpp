//===- Network.cpp - block transfers and semaphores -----------------------===//
#include "Network.h"
#include "Descriptor.h"
#include "Memory.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using llvm::formatv;

namespace dojo::exec {
namespace {

/// A global address, as Instructions.td lays it out.
struct Global {
  enum Space : unsigned { sram = 0, semaphore = 1, dram = 2 };
  uint64_t raw;

  unsigned space() const { return raw >> 62; }
  Place node() const {
    return {int64_t(raw >> 56 & 0x3f), int64_t(raw >> 48 & 0xff), int64_t(raw >> 40 & 0xff),
            int64_t(raw >> 32 & 0xff)};
  }
  uint64_t offset() const { return raw & 0xffffffff; }
  /// Beyond every machine's DIPs where a bit of no field is set.
  uint64_t dip() const { return raw << 2 >> 42; }
  uint64_t dramOffset() const { return raw & ((uint64_t(1) << 40) - 1); }
};

/// Bytes [least, greatest) around a base address that a transfer may touch.
struct Extent {
  int64_t least, greatest;
};

/// What a transfer may move: it bounds the host's work for one instruction.
constexpr uint64_t mostBytes = uint64_t(1) << 32;

/// The bytes a transfer moves, or nullopt when they are more than mostBytes.
std::optional<uint64_t> totalBytes(const Descriptor &d) {
  uint64_t runs = 1;
  for (unsigned level = 0; level < d.levels; ++level) {
    if (!d.counts[level])
      return 0;
    runs *= d.counts[level];
    if (runs > mostBytes)
      return std::nullopt;
  }
  uint64_t total = runs * d.run;
  return total > mostBytes ? std::nullopt : std::optional(total);
}

Extent extent(const Descriptor &d, const int32_t (&strides)[Descriptor::maxLevels]) {
  Extent e = {0, d.run};
  for (unsigned level = 0; level < d.levels; ++level) {
    int64_t reach = int64_t(d.counts[level] - 1) * strides[level];
    (reach < 0 ? e.least : e.greatest) += reach;
  }
  return e;
}

bool inside(uint64_t base, Extent e, uint64_t least, uint64_t bytes) {
  return base <= bytes && e.least >= int64_t(least) - int64_t(base) &&
         e.greatest <= int64_t(bytes - base);
}

/// Merges leading levels whose runs follow each other on both sides.
void mergeRuns(Descriptor &d) {
  while (d.levels && uint64_t(d.run) * d.counts[0] <= INT32_MAX && d.run <= INT32_MAX &&
         d.source[0] == int32_t(d.run) && d.destination[0] == int32_t(d.run)) {
    d.run *= d.counts[0];
    --d.levels;
    for (unsigned level = 0; level < d.levels; ++level) {
      d.counts[level] = d.counts[level + 1];
      d.source[level] = d.source[level + 1];
      d.destination[level] = d.destination[level + 1];
    }
  }
}

/// Tells the clock of a transfer. Each run fills packets of its own.
void noteTransfer(Node &node, const Descriptor &d, uint32_t peer, bool toDram, uint64_t total) {
  if (!node.clock)
    return;
  const uint64_t count = total / d.run * llvm::divideCeil(d.run, node.mesh->topology.packetBytes);
  node.transfer = {peer, toDram, uint32_t(std::min<uint64_t>(count, UINT32_MAX)), total};
}

/// One side of a transfer: memory, with the states of its bytes when it is
/// SRAM under strict checking.
struct Side {
  char *memory;
  uint64_t base;
  uint8_t *shadow;
  /// Of SRAM.
  std::optional<unsigned> node;
};

bool checkRun(Node &node, const Descriptor &d, const Side &from, uint64_t source, const Side &to,
              uint64_t destination) {
  if (from.shadow)
    if (uint64_t n = readablePrefix(from.shadow + source, d.run); n != d.run)
      return fault(node, "reads SRAM, but " + explain(*node.mesh, *from.node, source + n)), false;
  if (!to.shadow)
    return true;
  if (uint64_t n = writablePrefix(to.shadow + destination, d.run); n != d.run)
    return fault(node, "writes to " + node.mesh->topology.describe(*to.node) + ", but " +
                           explain(*node.mesh, *to.node, destination + n)),
           false;
  memset(to.shadow + destination, Shadow::defined, d.run);
  return true;
}

/// Whether the buffer table allows the transfer, and the order of accesses does.
bool check(Node &node, const Descriptor &d, const Side &from, const Side &to) {
  if (!node.shadow)
    return true;
  if (!forEachIndex(d, 0, [&](int64_t s, int64_t t) {
        return checkRun(node, d, from, from.base + s, to, to.base + t);
      }))
    return false;
  if (!node.history)
    return true;
  Races &races = *node.mesh->races;
  const Region source = {d, from.base, Region::source};
  const Region destination = {d, to.base, Region::destination};
  return !from.node ? races.load(node, source, destination)
         : !to.node ? races.store(node, source, destination)
                    : races.push(node, source, *to.node, destination);
}

/// Copies the runs of level 0, each as if it were read before it is written.
using CopyLine = void (*)(const Descriptor &d, uint32_t count, char *to, const char *from);

template <unsigned run>
void copyLineOf(const Descriptor &d, uint32_t count, char *to, const char *from) {
  const int64_t source = d.source[0], destination = d.destination[0];
  for (uint32_t i = 0; i < count; ++i, from += source, to += destination) {
    char bytes[run];
    memcpy(bytes, from, run);
    memcpy(to, bytes, run);
  }
}
void copyLineOfAny(const Descriptor &d, uint32_t count, char *to, const char *from) {
  const int64_t source = d.source[0], destination = d.destination[0];
  for (uint32_t i = 0; i < count; ++i, from += source, to += destination)
    memmove(to, from, d.run);
}

CopyLine copyLine(uint32_t run) {
  switch (run) {
  case 1:
    return copyLineOf<1>;
  case 2:
    return copyLineOf<2>;
  case 4:
    return copyLineOf<4>;
  case 8:
    return copyLineOf<8>;
  case 16:
    return copyLineOf<16>;
  case 32:
    return copyLineOf<32>;
  case 64:
    return copyLineOf<64>;
  default:
    return copyLineOfAny;
  }
}

void copyNow(const Descriptor &d, const Side &from, const Side &to) {
  const CopyLine line = copyLine(d.run);
  const uint32_t count = d.levels ? d.counts[0] : 1;
  forEachIndex(d, 1, [&](int64_t s, int64_t t) {
    line(d, count, to.memory + to.base + t, from.memory + from.base + s);
    return true;
  });
}

bool copy(Node &node, const Descriptor &d, const Side &from, const Side &to) {
  if (!check(node, d, from, to))
    return false;
  if (to.node == node.number)
    node.tables->panels.forget();
  if (AnyOrder *order = node.mesh->anyOrder.get())
    order->putOff(node.number, from.node ? to.node : std::nullopt, [=] { copyNow(d, from, to); });
  else
    copyNow(d, from, to);
  return true;
}

/// Reads `size` bytes of a descriptor, at least one, from `offset` on.
bool readPart(Node &node, uint64_t address, Descriptor &d, uint64_t offset, uint64_t size) {
  const char *bytes = node.shadow ? readable<true>(node, address + offset, size)
                                  : readable<false>(node, address + offset, size);
  if (bytes)
    memcpy(reinterpret_cast<char *>(&d) + offset, bytes, size);
  return bytes;
}

/// Reads the words that count: others may be dead, or outside the SRAM.
bool readFields(Node &node, uint64_t address, Descriptor &d) {
  if (!readPart(node, address, d, 0, offsetof(Descriptor, counts)))
    return false;
  if (!d.levels || d.levels > Descriptor::maxLevels)
    return true;
  const uint64_t size = d.levels * sizeof(uint32_t);
  return readPart(node, address, d, offsetof(Descriptor, counts), size) &&
         readPart(node, address, d, offsetof(Descriptor, source), size) &&
         readPart(node, address, d, offsetof(Descriptor, destination), size);
}

[[gnu::cold, gnu::noinline]] bool faultDescriptor(Node &node, uint64_t address) {
  if (address % Descriptor::bytes)
    fault(node, formatv("takes a descriptor at {0:x}, not aligned to {1} bytes", address,
                        Descriptor::bytes)
                    .str());
  else
    fault(node, formatv("takes a malformed descriptor at {0:x}", address).str());
  return false;
}

/// Reads and checks the descriptor. False when the node has faulted.
bool readDescriptor(Node &node, uint64_t address, Descriptor &d, uint64_t &total) {
  if (address % Descriptor::bytes)
    return faultDescriptor(node, address);
  if (node.shadow || address > node.sramBytes - Descriptor::bytes) {
    if (!readFields(node, address, d))
      return false;
  } else {
    memcpy(&d, node.sram + address, sizeof(d));
    const uint64_t end = address + offsetof(Descriptor, destination) + d.levels * sizeof(int32_t);
    node.touch(end);
  }
  if (d.levels > Descriptor::maxLevels || d.reserved[0] || d.reserved[1])
    return faultDescriptor(node, address);
  std::optional<uint64_t> bytesMoved = totalBytes(d);
  if (!bytesMoved)
    return fault(node, "moves more than 4 GiB at once"), false;
  total = *bytesMoved;
  return true;
}

/// `reason` ends in the global address.
[[gnu::cold, gnu::noinline]] bool faultAddress(Node &node, const char *reason, Global global) {
  fault(node, formatv("{0} by the global address {1:x}", reason, global.raw).str());
  return false;
}

bool resolveNode(Node &node, Global global, unsigned &number) {
  const Topology &topology = node.mesh->topology;
  if (!topology.contains(global.node()))
    return faultAddress(node, "names a node outside the grid", global);
  number = topology.number(global.node());
  return true;
}

bool resolveDram(Node &node, Global global, Extent e, Side &side) {
  const Topology &topology = node.mesh->topology;
  if (global.dip() >= topology.dips || !inside(global.dramOffset(), e, 0, topology.dipBytes))
    return faultAddress(node, "reaches outside DRAM", global);
  side = {node.mesh->dram.data(), global.dip() * topology.dipBytes + global.dramOffset(), nullptr,
          std::nullopt};
  return true;
}

bool resolveLocal(Node &node, uint64_t address, Extent e, bool written, Side &side) {
  uint64_t least = written ? node.codeBytes : 0;
  if (!inside(address, e, least, node.sramBytes))
    return fault(node, formatv("reaches outside {0} from the local address {1:x}",
                               written ? "SRAM above the code" : "SRAM", address)
                           .str()),
           false;
  node.touch(address + e.greatest);
  side = {node.sram, address, node.shadow, node.number};
  return true;
}

void raise(std::atomic<uint64_t> &highest, uint64_t value) {
  uint64_t seen = highest.load(std::memory_order_relaxed);
  while (seen < value && !highest.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

bool resolveRemote(Node &node, Global global, Extent e, Side &side) {
  unsigned number;
  if (!resolveNode(node, global, number))
    return false;
  if (!inside(global.offset(), e, node.codeBytes, node.sramBytes))
    return faultAddress(node, "reaches outside SRAM above the code", global);
  Mesh &mesh = *node.mesh;
  raise(mesh.pushedTo[number], global.offset() + e.greatest);
  side = {mesh.sram.data() + number * mesh.topology.sramBytes, global.offset(),
          node.shadow ? mesh.nodes[number].shadow : nullptr, number};
  return true;
}

[[gnu::cold, gnu::noinline]] bool faultSemaphore(Node &node, uint64_t address) {
  fault(node, formatv("signals {0:x}, which is no semaphore", address).str());
  return false;
}

/// Whether so many signals were there to take; else the node waits for them.
bool take(Node &node, uint64_t semaphore, uint64_t count) {
  Mesh &mesh = *node.mesh;
  std::atomic<uint32_t> &own = mesh.semaphore(node.number, semaphore);
  if (own.load(std::memory_order_acquire) < count) {
    node.waitSemaphore = semaphore;
    node.waitCount = count;
    node.status = Status::waiting;
    return false;
  }
  node.status = Status::ready;
  if (mesh.alone)
    own.store(own.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
  else
    own.fetch_sub(count, std::memory_order_relaxed);
  return true;
}

/// Signals every node that the last one has come.
void release(Mesh &mesh) {
  mesh.atBarrier = 0;
  for (const Node &node : mesh.nodes)
    mesh.semaphore(node.number, mesh.barrierSemaphore()).fetch_add(1);
  if (!mesh.alone)
    mesh.bell.ring();
}

[[gnu::cold, gnu::noinline]] bool faultWait(Node &node, uint64_t semaphore) {
  fault(node,
        formatv("waits for semaphore {0} of {1}", semaphore, node.mesh->topology.semaphores).str());
  return false;
}

} // namespace

bool push(Node &node, uint64_t descriptor, uint64_t local, uint64_t address) {
  Descriptor d = {};
  uint64_t total;
  if (!readDescriptor(node, descriptor, d, total))
    return false;
  node.transfer = {};
  if (!total)
    return true;
  Global global = {address};
  Side from, to;
  if (!resolveLocal(node, local, extent(d, d.source), false, from))
    return false;
  if (global.space() == Global::dram) {
    if (!resolveDram(node, global, extent(d, d.destination), to))
      return false;
    node.counters.dramWrittenBytes += total;
  } else if (global.space() == Global::sram) {
    if (!resolveRemote(node, global, extent(d, d.destination), to))
      return false;
    if (to.node != node.number)
      node.counters.nocBytes += total;
  } else {
    return fault(node, formatv("pushes to {0:x}, neither SRAM nor DRAM", address).str()), false;
  }
  mergeRuns(d);
  const bool toDram = global.space() == Global::dram;
  noteTransfer(node, d, toDram ? uint32_t(global.dip()) : *to.node, toDram, total);
  return copy(node, d, from, to);
}

bool pull(Node &node, uint64_t descriptor, uint64_t local, uint64_t address) {
  Descriptor d = {};
  uint64_t total;
  if (!readDescriptor(node, descriptor, d, total))
    return false;
  node.transfer = {};
  if (!total)
    return true;
  Global global = {address};
  if (global.space() != Global::dram)
    return fault(node, formatv("pulls from {0:x}, which is no DRAM", address).str()), false;
  Side from, to;
  if (!resolveDram(node, global, extent(d, d.source), from) ||
      !resolveLocal(node, local, extent(d, d.destination), true, to))
    return false;
  node.counters.dramReadBytes += total;
  mergeRuns(d);
  noteTransfer(node, d, uint32_t(global.dip()), true, total);
  return copy(node, d, from, to);
}

bool signal(Node &node, uint64_t address) {
  Global global = {address};
  Mesh &mesh = *node.mesh;
  if (global.space() != Global::semaphore || global.offset() >= mesh.topology.semaphores)
    return faultSemaphore(node, address);
  unsigned number;
  if (!resolveNode(node, global, number))
    return false;
  if (node.history && !mesh.races->signal(node, number, global.offset()))
    return false;
  if (AnyOrder *order = mesh.anyOrder.get())
    order->arrive(node.number, number);
  std::atomic<uint32_t> &semaphore = mesh.semaphore(number, global.offset());
  if (mesh.alone)
    semaphore.store(semaphore.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  else
    semaphore.fetch_add(1);
  if (number != node.number && !mesh.alone)
    mesh.bell.ring();
  node.transfer = {number, false, uint32_t(global.offset()), 0};
  return true;
}

bool wait(Node &node, uint64_t semaphore, uint64_t count) {
  Mesh &mesh = *node.mesh;
  if (semaphore >= mesh.topology.semaphores)
    return faultWait(node, semaphore);
  if (!take(node, semaphore, count))
    return false;
  if (node.history)
    mesh.races->wait(node.number, semaphore, count);
  node.tables->panels.forget();
  node.transfer = {uint32_t(semaphore), false, uint32_t(count), 0};
  return true;
}

bool barrier(Node &node) {
  Mesh &mesh = *node.mesh;
  if (!node.atBarrier) {
    if (node.history && !mesh.races->arrive(node))
      return false;
    node.atBarrier = true;
    if (++mesh.atBarrier == mesh.nodes.size())
      release(mesh);
  }
  if (!take(node, mesh.barrierSemaphore(), 1))
    return false;
  node.atBarrier = false;
  if (node.history)
    mesh.races->leave(node.number);
  node.tables->panels.forget();
  node.transfer = {};
  return true;
}

void drain(Node &node) {
  node.tables->panels.forget();
  if (node.history)
    node.mesh->races->drain(node.number);
  if (AnyOrder *order = node.mesh->anyOrder.get())
    order->drain(node.number);
}

bool canResume(const Node &node) {
  return node.mesh->semaphore(node.number, node.waitSemaphore).load() >= node.waitCount;
}

} // namespace dojo::exec
