//===- Races.h - accesses that nothing orders -------------------*- C++ -*-===//
//
// Finds two accesses to the same byte, one of them a write, that docs/ISA.md leaves
// unordered, and signals that a wait may take one for another. A node knows, of every
// other node, up to which segment what it did lies before: a signal carries what
// its sender knows and did, the wait that takes it adds that up (vector clocks). An
// access that comes later in the run is held to those before it, so that a program
// with a race is found out in whatever order its nodes happened to run.
//
// Own accesses are known by AccessHistory, bytes in flight by the flags of Shadow.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_RACES_H
#define DOJO_LIB_EXECUTOR_RACES_H

#include "AccessHistory.h"
#include "Descriptor.h"
#include "DramHistory.h"
#include "HostMemory.h"
#include "Shadow.h"
#include "VectorClocks.h"
#include <memory>

namespace dojo::exec {

struct Mesh;
struct Node;

class Races {
public:
  /// Segments of an entry are counted in 32 bits, and no instruction begins more than one.
  static constexpr uint64_t mostInstructions = UINT32_MAX - 1;

  /// Needs the mesh's Shadow.
  static llvm::Expected<std::unique_ptr<Races>> create(Mesh &mesh);

  AccessHistory &history(unsigned node) { return nodes[node].history; }

  /// An entry begins, at that address: all that came before is before it.
  void begin(uint32_t entry);
  /// It has ended: the error tells of signals that nobody waited for.
  llvm::Error finish(llvm::StringRef entry) const;

  /// What follows is done by the call at that address, or by the code from there on.
  void call(unsigned node, uint32_t address) { enter(nodes[node], address | inCall); }
  void proceed(unsigned node, uint32_t address) { enter(nodes[node], address); }
  /// Lives begin or end at the instruction of that number. Like all that follow, false
  /// when the node has faulted.
  bool pass(Node &node, uint32_t index);

  bool push(Node &node, const Region &from, unsigned target, const Region &to);
  bool store(Node &node, const Region &from, const Region &dram);
  bool load(Node &node, const Region &dram, const Region &to);
  void drain(unsigned node);
  bool signal(Node &node, unsigned target, uint64_t semaphore);
  /// The node comes to a barrier, and goes on when all have come. Transfers are not ordered.
  bool arrive(Node &node);
  void leave(unsigned node);
  /// The node takes `count` signals, which are there.
  void wait(unsigned node, uint64_t semaphore, uint64_t count);

  /// Why a byte with flags may not be read or written.
  std::string explain(unsigned node, uint64_t byte) const;

private:
  /// A place is a code address; the bit tells that of a call from that of a stretch.
  static constexpr uint32_t inCall = 1;

  /// A push that its target has not waited for.
  struct Arrival {
    unsigned sender;
    /// By the sender's count of pushes.
    uint64_t number;
    uint32_t place;
    Region to;
  };
  /// The own side of a transfer that its node has not drained.
  struct Transfer {
    bool arrives;
    uint32_t place;
    Region own;
    std::optional<uint32_t> dram;

    uint8_t flag() const { return arrives ? Shadow::arriving : Shadow::leaving; }
  };
  struct Signal {
    unsigned sender;
    VectorClocks::Clock known;
    /// The last segment before it, the number of pushes before it.
    Epoch own;
    uint32_t place;
    uint64_t pushes;
  };
  /// Signals of one node come in its order. Those of several have none, so waits must
  /// take all that may come before them. Waits without an act between them are one.
  struct Semaphore {
    llvm::SmallVector<Signal, 2> pending;
    /// Of these, so many have been taken, and it is open which.
    uint64_t taken = 0;
    /// The last waits: the acts before them, the segment and the place of the last, and
    /// the node that all signals which they could have taken come from, if it is one.
    uint64_t acts = 0;
    Epoch waited = 0;
    uint32_t place = 0;
    std::optional<unsigned> producer;
  };
  /// What came by the last waits for a semaphore.
  struct Landing {
    uint64_t semaphore;
    Arrival arrival;
  };

  /// What a signal touches at its target stands together.
  struct State {
    explicit State(AccessHistory history) : history(std::move(history)) {}

    /// Of every node, the last segment that lies before.
    VectorClocks::Clock known = 0;
    /// The present segment.
    Epoch now = 1;
    /// Transfers and signals so far: where what the node knows has an effect.
    uint64_t acts = 0;
    /// Barriers that it has left.
    uint64_t barriers = 0;
    /// By number, as far as they have been used.
    std::vector<Semaphore> semaphores;
    std::vector<Arrival> arrivals;
    AccessHistory history;
    uint64_t pushes = 0;
    uint32_t place = 0;
    /// Of each segment of the entry.
    std::vector<uint32_t> places = {0};
    /// Semaphores of which it has taken some signals, and it is open which.
    llvm::SmallVector<uint64_t, 1> open;
    /// Since the last act.
    std::vector<Landing> landed;
    std::vector<Transfer> transfers;
    /// Those that a drain has ended; they leave their room.
    std::vector<Transfer> ended;
  };

  /// What all nodes know together when they have come to a barrier.
  struct Meeting {
    size_t come = 0, left = 0;
    VectorClocks::Clock known = 0;
  };

  explicit Races(Mesh &mesh);

  bool knows(unsigned node, unsigned other, Epoch epoch) const {
    return node == other || clocks.of(nodes[node].known, other) >= epoch;
  }
  Semaphore &semaphore(unsigned node, uint64_t number);
  void nextSegment(State &state);
  void enter(State &state, uint32_t place);
  void settle(unsigned node);
  void clearFlag(unsigned node, const Region &region, uint8_t flag);
  void start(unsigned node, const Transfer &transfer);
  void end(unsigned node, const Transfer &transfer);
  bool act(Node &node);
  bool isLate(uint64_t semaphore, unsigned sender, unsigned target) const;
  bool reach(Node &node, const Region &dram, bool writes);
  void take(unsigned node, const Signal &signal);
  void land(unsigned node, uint64_t semaphore, llvm::ArrayRef<Signal> signals);
  /// "node (0,0,1,2) in the call at 0x40 (op)".
  std::string where(unsigned node, uint32_t place) const;
  std::string describeDram(uint64_t byte) const;

  Mesh &mesh;
  HostMemory memory;
  std::vector<State> nodes;
  VectorClocks clocks;
  /// A node may come to the next barrier before another has left the last one.
  std::array<Meeting, 2> meetings;
  DramHistory dram;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_RACES_H
