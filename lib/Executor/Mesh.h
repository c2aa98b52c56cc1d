//===- Mesh.h - the state of the machine that runs --------------*- C++ -*-===//
//
// A Node is written by the host thread that has claimed it alone, but for two things
// that other nodes reach: its SRAM (pushes) and its semaphores, which order
// them: a signal releases, a wait acquires.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_MESH_H
#define DOJO_LIB_EXECUTOR_MESH_H

#include "AnyOrder.h"
#include "Bell.h"
#include "Calls.h"
#include "Clock.h"
#include "HostMemory.h"
#include "MatrixPanels.h"
#include "MatrixWalks.h"
#include "Races.h"
#include "Shadow.h"
#include "Topology.h"
#include "dojo/Binary/Program.h"
#include "dojo/ISA/ISA.h"
#include <atomic>
#include <memory>
#include <vector>

namespace dojo::exec {

using U32 = uint32_t __attribute__((vector_size(64)));
using I32 = int32_t __attribute__((vector_size(64)));
using F32 = float __attribute__((vector_size(64)));
constexpr unsigned numLanes = sizeof(U32) / sizeof(uint32_t);

/// Rows 2n and 2n + 1 of the 8x8 FP32 stand in rows[n].
struct Accumulator {
  U32 rows[4];
};

/// Whether a host thread runs a node now, or none ever will.
enum class Claim : uint8_t { free, taken, ended };

enum class Status : uint8_t { ready, waiting, halted, faulted };

struct Counters {
  uint64_t instructions = 0;
  uint64_t mmul = 0;
  /// Of these, those that ran as part of a whole loop.
  uint64_t batched = 0;
  uint64_t vfma = 0;
  uint64_t nocBytes = 0;
  uint64_t dramReadBytes = 0;
  uint64_t dramWrittenBytes = 0;
};

/// What a host thread keeps for loops that multiply.
struct MatrixTables {
  MatrixWalks walks;
  MatrixPanels panels;
};

struct Mesh;

struct Node {
  U32 v[isa::numVectorRegs];
  Accumulator acc[isa::numAccRegs];
  uint64_t x[isa::numScalarRegs + 1];

  char *sram;
  uint64_t sramBytes;
  uint64_t codeBytes;
  /// One past the highest SRAM byte that the node itself touched.
  uint64_t touched;
  /// One state for each SRAM byte, or null when memory is not checked.
  uint8_t *shadow;
  /// What it touched, or null when races are not looked for.
  AccessHistory *history;
  const Op *code;
  Mesh *mesh;
  unsigned number;
  Place coordinate;

  Status status;
  /// The next instruction; for a node that waits or has faulted, the one it is at.
  const Op *pc;
  int64_t budget;
  uint64_t waitSemaphore;
  uint64_t waitCount;
  /// It has come to a barrier and not left it.
  bool atBarrier;
  /// Null when the run is not timed.
  Clock *clock;
  /// Of the host thread that runs the node.
  MatrixTables *tables;
  /// What the last instruction of the network moved.
  Transfer transfer;
  std::string fault;
  Counters counters;

  /// It touches its SRAM up to `end`. Rarely is that new; what is stored each time, the next
  /// access would wait for.
  void touch(uint64_t end) {
    if (__builtin_expect(end > touched, false))
      touched = end;
  }

  uint32_t codeAddress(const Op *at) const { return uint32_t(at - code) * sizeof(uint32_t); }
};

struct Mesh {
  const binary::Program *program;
  Topology topology;
  /// One past the last instruction stands one that faults.
  std::vector<Op> code;
  Calls calls;
  /// By the number of their first instruction.
  llvm::DenseMap<uint32_t, MatrixLoop> matrixLoops;
  std::vector<Node> nodes;
  /// One a host thread.
  std::vector<std::unique_ptr<MatrixTables>> tables;
  HostMemory sram;
  HostMemory dram;
  std::unique_ptr<Shadow> shadow;
  std::unique_ptr<Races> races;
  /// Null where transfers happen at once.
  std::unique_ptr<AnyOrder> anyOrder;
  std::unique_ptr<std::atomic<uint32_t>[]> semaphores;
  /// Nodes that have come to a barrier since the last one was released.
  std::atomic<unsigned> atBarrier = 0;
  /// One past the highest SRAM byte of each node that others pushed to.
  std::unique_ptr<std::atomic<uint64_t>[]> pushedTo;
  std::unique_ptr<std::atomic<Claim>[]> claims;
  /// One a node if the run is timed, else none.
  std::vector<Clock> clocks;
  Bell bell;
  /// One host thread runs every node, so nothing need be atomic.
  bool alone = true;

  /// Makes tables for so many host threads; they live on from entry to entry.
  void provideTables(unsigned threads) {
    while (tables.size() < threads)
      tables.push_back(
          std::make_unique<MatrixTables>(MatrixTables{{}, MatrixPanels(topology.sramBytes)}));
  }
  std::atomic<uint32_t> &semaphore(unsigned node, uint64_t number) {
    return semaphores[uint64_t(node) * semaphoresOfNode() + number];
  }
  /// Behind those of the machine each node has one that releases it from a barrier.
  uint64_t barrierSemaphore() const { return topology.semaphores; }
  uint64_t semaphoresOfNode() const { return topology.semaphores + 1; }
};

/// "node (0,0,1,2) at 0x40 'vld v1, x2, 0' (location)".
std::string describe(const Node &node);

/// Why strict checking forbids to read or write that byte of a node.
std::string explain(const Mesh &mesh, unsigned node, uint64_t byte);

/// Stops `node` with `reason`, a clause whose subject is the instruction.
[[gnu::cold]] void fault(Node &node, const llvm::Twine &reason);
/// For a node that has executed so many instructions in one entry.
[[gnu::cold]] void faultLimit(Node &node, int64_t limit);

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_MESH_H
