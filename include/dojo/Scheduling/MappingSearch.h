//===- MappingSearch.h - cut a loop nest over the grid ----------*- C++ -*-===//
//
// The problem: a perfect loop nest whose operands are indexed by linear forms of
// its iterators. The solution: which iterators the axes of the grid cut, and into
// how many blocks. The search enumerates every way of giving each axis at most
// two iterators, and keeps the one whose busiest node is done first.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_SCHEDULING_MAPPINGSEARCH_H
#define DOJO_SCHEDULING_MAPPINGSEARCH_H

#include "dojo/Layout/Layout.h"

namespace dojo::sched {

struct MappingProblem {
  struct Iterator {
    int64_t range;
    bool canSpread;           ///< nothing forbids to cut it
    int64_t multiple;         ///< local extents are rounded up to it
    bool isRow;               ///< may give rows to the tiles of the matrix unit
    bool isReduction = false; ///< cut, it leaves partial results to be gathered and added
    bool isEven = false;      ///< its blocks must be equal
    bool isFound = false;     ///< its one point that counts is found, the others cost nothing
  };
  struct Operand {
    int64_t elementBytes;
    bool isMoved; ///< arrives over the network
    /// For each dimension the coefficients of the iterators.
    llvm::SmallVector<llvm::SmallVector<int64_t>> forms;
    bool rests = false; ///< not moved when each element is wanted on one node: it is there already
  };
  llvm::SmallVector<Iterator> iterators;
  llvm::SmallVector<Operand> operands; ///< the result last
  Coords grid;
  int64_t sramBudget;    ///< bytes that the operands of one node may take
  int64_t workPerCycle;  ///< points of the nest a node computes in a cycle
  int64_t bytesPerCycle; ///< that arrive at a node in a cycle
  int64_t tileRows;      ///< rows of a matrix tile, 1 without
  /// What a further move and a further kernel cost beyond their work: a split
  /// reduction must gain more.
  static constexpr int64_t cyclesOfAPhase = 2000;
};

struct MappingSolution {
  struct Cut {
    Axis axis;
    unsigned iterator;
    int64_t blocks;
  };
  llvm::SmallVector<Cut> cuts;          ///< by axis, outermost first
  llvm::SmallVector<int64_t> multiples; ///< of every iterator, rows of tiles included
};

struct MappingCost {
  double cycles;     ///< of the busiest node
  int64_t sramBytes; ///< operands of one node
};

/// The cost of a solution, by the formulas of docs/Mapping.md.
MappingCost evaluate(const MappingProblem &problem, const MappingSolution &solution);

/// The best solution that fits the budget; the smallest one when none does.
MappingSolution solve(const MappingProblem &problem);

} // namespace dojo::sched

#endif // DOJO_SCHEDULING_MAPPINGSEARCH_H
