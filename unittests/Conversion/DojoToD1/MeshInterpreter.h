//===- MeshInterpreter.h - routines of moves over simulated nodes -*- C++ -*-===//
//
// Runs scalar routines (scf, arith, d1) on MLIR itself, for every node of a
// grid: each has its bytes and its semaphores, and there is one DRAM. Transfers
// happen at once. It shares no code with the lowering or the executor.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_UNITTESTS_MESHINTERPRETER_H
#define DOJO_UNITTESTS_MESHINTERPRETER_H

#include "dojo/Layout/Layout.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <map>
#include <string>
#include <vector>

namespace dojo::testing {

struct Node {
  Coords coords;
  std::vector<uint8_t> sram;
  std::map<int64_t, int64_t> semaphores;
};

struct Mesh {
  Mesh(const Coords &grid, size_t sramBytes);

  Coords grid;
  std::vector<Node> nodes;
  std::vector<uint8_t> dram;
  std::vector<unsigned> dramWrites; ///< stores to each byte of the DRAM

  Node &at(const Coords &place);

  /// Runs `routine` to its end on every node, one after the other. A wait that
  /// would block is an error: who must signal has run before. Returns "" or the
  /// first error.
  std::string run(mlir::func::FuncOp routine, llvm::ArrayRef<int64_t> arguments);
  bool semaphoresAreZero() const;
};

} // namespace dojo::testing

#endif // DOJO_UNITTESTS_MESHINTERPRETER_H
