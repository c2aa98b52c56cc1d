//===- Machine.h - every constant of the hardware ---------------*- C++ -*-===//
//
// One record holds every number of the machine that code is made for; nothing
// else in the project names one. docs/Machine.md gives the source of each, or
// the reason of our choice. The text form is a JSON object with every key.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_MACHINE_MACHINE_H
#define DOJO_MACHINE_MACHINE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace dojo {

/// A physical place, {die row, die column, row, column}, or a logical one,
/// {dy, dx, y, x}.
using Place = std::array<int64_t, 4>;

struct Machine {
  std::string name;

  // Node
  int64_t clockMHz;
  int64_t sramBytes;
  int64_t codeBudgetPercent; ///< of the SRAM, for code
  int64_t semaphores;        ///< per node
  int64_t vectorBytes;
  int64_t matrixRows, matrixCols, matrixDepth;

  // Ports of the SRAM, accesses per cycle
  int64_t vectorReadPorts, vectorWritePorts;
  int64_t scalarReadPorts, scalarWritePorts;
  int64_t networkReadPorts, networkWritePorts;

  // Operations issued per cycle, and cycles until the result may be used
  int64_t addressIssue, integerIssue, simdIssue, matrixIssue, branchIssue;
  int64_t addressLatency, integerLatency, simdLatency, matrixLatency, branchLatency;

  // Network
  int64_t linkBytesPerCycle;
  int64_t hopCycles;
  int64_t dieCrossingCycles;
  int64_t dieEdgeBytesPerCycle; ///< one edge, one direction

  // Die and tile
  int64_t dieRows, dieCols;
  int64_t tileRows, tileCols; ///< dies
  std::vector<Place> deadNodes;

  // DRAM
  int64_t dipsWest, dipsEast;
  int64_t dipBytes;
  int64_t dipBytesPerCycle;
  int64_t dramLatencyCycles;

  bool operator==(const Machine &) const = default;

  int64_t numDies() const { return tileRows * tileCols; }
  int64_t numDips() const { return dipsWest + dipsEast; }
  /// FP32 lanes of the SIMD unit, and multiply-accumulates of the matrix unit, a cycle.
  int64_t fp32Lanes() const { return vectorBytes / 4; }
  int64_t matrixMacs() const { return matrixRows * matrixCols * matrixDepth; }
  int64_t codeBudgetBytes() const { return sramBytes * codeBudgetPercent / 100; }
  bool isDead(const Place &physical) const;

  /// Extents (dy, dx, y, x) of the logical grid; see Grid.h.
  Place gridExtents() const;
};

/// Names of the built-in machines, smallest first.
llvm::ArrayRef<llvm::StringRef> machinePresets();

/// A preset by name, or else the machine in a JSON file of that path.
llvm::Expected<Machine> loadMachine(llvm::StringRef presetOrFile);

/// The text form. Parsing wants every key once, knows no other, checks ranges,
/// and refuses a machine on which no grid of live nodes is left. The keys that a text with a
/// `base` lacks are those of that preset.
llvm::Expected<Machine> parseMachine(llvm::StringRef json);
llvm::json::Object toJson(const Machine &machine);
std::string printMachine(const Machine &machine);

} // namespace dojo

#endif // DOJO_MACHINE_MACHINE_H
