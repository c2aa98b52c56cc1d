//===- Executor.h - runs a D1 program on the host ---------------*- C++ -*-===//
//
// Every node of the program's machine, with its SRAM, registers and semaphores,
// executes the code of the binary; the executor knows bytes only. Outputs and
// counters do not depend on the number of host threads. A program that reads
// outside memory, traps, hangs or runs too long ends in an error that names the
// node, the instruction and the source location.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_EXECUTOR_EXECUTOR_H
#define DOJO_EXECUTOR_EXECUTOR_H

#include "dojo/Binary/Program.h"
#include "dojo/Executor/Timing.h"
#include "llvm/Support/JSON.h"

namespace dojo::exec {

/// The instruction set of the host that the interpreter is compiled for. All
/// agree bit for bit; `portable` is the reference.
enum class Host : uint8_t { portable, avx2, avx512 };

/// The fastest that this host runs.
Host bestHost();

/// What a run checks, each besides what stands before it.
enum class Strict : uint8_t {
  none,
  /// Every access of SRAM, against the buffer table.
  memory,
  /// That accesses to the same bytes are ordered (docs/ISA.md); on one host thread.
  race,
};

struct Options {
  /// Host threads; 0 takes one for each core.
  unsigned threads = 0;
  Strict strict = Strict::none;
  /// Instructions that one node may execute in one entry; less than 2^32 where races are looked
  /// for.
  uint64_t instructionLimit = uint64_t(1) << 34;
  /// Model the time of each entry (docs/Timing.md).
  bool timing = false;
  /// With `timing`: keep a trace of these nodes, of all if the list is empty.
  std::optional<std::vector<unsigned>> tracedNodes;
  Host host = bestHost();
  /// Execute every instruction by itself: the reference for the fast path.
  bool interpret = false;
  /// Draw from this seed in which order nodes go on and transfers happen, on one host
  /// thread. What a program without races computes does not depend on it.
  std::optional<uint64_t> order;
};

/// Sums over the nodes since the executor was created, unless named otherwise.
struct Stats {
  uint64_t instructions = 0;
  /// Matrix multiplies (`mmul`).
  uint64_t matrixInstructions = 0;
  /// Of these, those that were executed as part of a whole loop.
  uint64_t batchedMatrixInstructions = 0;
  /// Multiply-accumulates of `mmul` and `vfma`.
  uint64_t macs = 0;
  uint64_t macsBusiestNode = 0;
  /// Nodes with any multiply-accumulate.
  uint64_t nodesUsed = 0;
  /// One past the highest SRAM byte that any node touched, its code included;
  /// measured at the accesses.
  uint64_t sramTouchedBytes = 0;
  /// Bytes pushed from one node to another.
  uint64_t nocBytes = 0;
  uint64_t dramReadBytes = 0;
  uint64_t dramWrittenBytes = 0;
  double seconds = 0;
};

llvm::json::Object toJSON(const Stats &stats);

/// A dense row-major array.
struct Tensor {
  std::string name;
  binary::ElementType type = binary::ElementType::f32;
  std::vector<int64_t> shape;
  std::vector<char> data;
};

class Executor {
public:
  /// The images of `program` must live as long as the executor.
  static llvm::Expected<std::unique_ptr<Executor>> create(const binary::Program &program,
                                                          const Options &options = {});
  ~Executor();

  /// Whether step() would take these inputs; the error lists what it takes.
  llvm::Error checkInputs(llvm::ArrayRef<Tensor> inputs) const;

  /// Runs the entry `init`, if the program has one; once, however often called.
  llvm::Error runInit();

  /// Runs the entry `step` on one tensor for each input of the program, matched
  /// by name. Runs `init` first if that has not happened.
  llvm::Expected<std::vector<Tensor>> step(llvm::ArrayRef<Tensor> inputs);

  Stats stats() const;

  /// Of the last run of each entry, if the run is timed.
  llvm::ArrayRef<EntryTiming> timing() const;
  /// What Perfetto opens; empty unless nodes are traced.
  llvm::StringRef trace() const;

private:
  class Impl;
  explicit Executor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace dojo::exec

#endif // DOJO_EXECUTOR_EXECUTOR_H
