//===- Layout.h - how a tensor lies on the mesh -----------------*- C++ -*-===//
//
// A layout says which elements of a logical tensor each node holds and where in
// its local piece they stand. Everything is a constant division with remainder:
// one formula serves every node, and no table grows with the mesh.
//
// Each logical dimension is cut into equal blocks. Block v of a dimension starts
// at v * step + offset and holds `window` elements; windows wider than the step
// overlap (a halo), and indices outside [0, size) hold padding. Locally the
// block takes `extent` >= window elements; the surplus is padding too.
// The blocks are spread over the grid axes: an axis lists digits (dimension,
// count), outermost first, and its coordinate is their mixed-radix number; a
// dimension that has digits on several axes numbers its blocks in the order of
// the axes dy, dx, y, x. A digit of no dimension repeats the tensor at each of its
// values. An axis without digits either repeats the tensor at each of its
// coordinates, or is pinned: only coordinate 0 holds anything.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LAYOUT_LAYOUT_H
#define DOJO_LAYOUT_LAYOUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <array>
#include <cstdint>
#include <optional>

namespace dojo {

enum class Axis : uint8_t { dy, dx, y, x };
constexpr unsigned numAxes = 4;
llvm::StringRef axisName(Axis axis);

/// Node coordinates, or the extents of the logical grid, indexed by Axis.
using Coords = std::array<int64_t, numAxes>;

/// Number of nodes of a grid, and the node of a running number (x fastest).
int64_t numNodes(const Coords &grid);
Coords nodeAt(const Coords &grid, int64_t number);

struct Layout {
  struct Dim {
    int64_t size;   ///< logical elements
    int64_t step;   ///< distance of the starts of neighbouring blocks
    int64_t offset; ///< start of block 0; negative where a halo precedes it
    int64_t window; ///< elements a block holds
    int64_t extent; ///< elements a block takes in memory
    bool operator==(const Dim &) const = default;
  };
  struct Digit {
    static constexpr unsigned none = ~0u;
    unsigned dim; ///< or none: a digit that repeats the tensor
    int64_t count;
    bool repeats() const { return dim == none; }
    bool operator==(const Digit &) const = default;
  };
  struct AxisUse {
    llvm::SmallVector<Digit, 2> digits; ///< outermost first
    bool pinned = false;                ///< only without digits
    bool operator==(const AxisUse &) const = default;
  };

  llvm::SmallVector<Dim, 4> dims;
  std::array<AxisUse, numAxes> axes;
  llvm::SmallVector<unsigned, 4> order; ///< dimensions in memory, outermost first

  bool operator==(const Layout &) const = default;

  /// The whole tensor, dense and row-major, on every node.
  static Layout replicated(llvm::ArrayRef<int64_t> shape);

  unsigned rank() const { return dims.size(); }
  const AxisUse &use(Axis axis) const { return axes[static_cast<unsigned>(axis)]; }
  AxisUse &use(Axis axis) { return axes[static_cast<unsigned>(axis)]; }

  /// Blocks of a dimension over all axes; 1 for one that is not spread.
  int64_t blocks(unsigned dim) const;
  /// Coordinates of `axis` that hold something: the product of its digits, 1
  /// for a pinned axis, `gridExtent` for one that repeats.
  int64_t used(Axis axis, int64_t gridExtent) const;
  /// The block of every dimension that the node holds; none outside the used part.
  std::optional<llvm::SmallVector<int64_t, 4>> blocksAt(const Coords &node) const;
  /// First logical index of a block (may be negative).
  int64_t start(unsigned dim, int64_t block) const {
    return block * dims[dim].step + dims[dim].offset;
  }

  /// Elements between neighbours of each dimension in the local piece.
  llvm::SmallVector<int64_t, 4> strides() const;
  int64_t localElements() const;

  /// The local element number of a logical index on a node, if it is held there.
  std::optional<int64_t> localElement(const Coords &node, llvm::ArrayRef<int64_t> index) const;

  /// True when every element is held by exactly one block: no halo.
  bool isPartition() const;

  /// Whether every logical element is held somewhere, as a source of data must. The
  /// input of a strided window may leave some out.
  bool holdsAll() const;

  /// Whether the layout is sound and fits the grid.
  llvm::Error check(const Coords &grid) const;
};

} // namespace dojo

#endif // DOJO_LAYOUT_LAYOUT_H
