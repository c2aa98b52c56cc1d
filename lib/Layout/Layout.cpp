//===- Layout.cpp - how a tensor lies on the mesh -------------------------===//
#include "dojo/Layout/Layout.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace dojo;

static llvm::Error invalid(const llvm::Twine &why) {
  return llvm::createStringError("invalid layout: " + why);
}

llvm::StringRef dojo::axisName(Axis axis) {
  static constexpr llvm::StringRef names[] = {"dy", "dx", "y", "x"};
  return names[static_cast<unsigned>(axis)];
}

int64_t dojo::numNodes(const Coords &grid) { return grid[0] * grid[1] * grid[2] * grid[3]; }

Coords dojo::nodeAt(const Coords &grid, int64_t number) {
  Coords node;
  for (unsigned a = numAxes; a-- > 0;) {
    node[a] = number % grid[a];
    number /= grid[a];
  }
  return node;
}

Layout Layout::replicated(llvm::ArrayRef<int64_t> shape) {
  Layout layout;
  for (auto [d, size] : llvm::enumerate(shape)) {
    layout.dims.push_back({size, size, 0, size, size});
    layout.order.push_back(d);
  }
  return layout;
}

int64_t Layout::blocks(unsigned dim) const {
  int64_t product = 1;
  for (const AxisUse &axis : axes)
    for (const Digit &digit : axis.digits)
      if (digit.dim == dim)
        product *= digit.count;
  return product;
}

int64_t Layout::used(Axis axis, int64_t gridExtent) const {
  const AxisUse &u = use(axis);
  if (u.digits.empty())
    return u.pinned ? 1 : gridExtent;
  int64_t product = 1;
  for (const Digit &digit : u.digits)
    product *= digit.count;
  return product;
}

std::optional<llvm::SmallVector<int64_t, 4>> Layout::blocksAt(const Coords &node) const {
  llvm::SmallVector<int64_t, 4> block(rank(), 0);
  for (unsigned a = 0; a < numAxes; ++a) {
    Axis axis = static_cast<Axis>(a);
    int64_t inner = used(axis, node[a] + 1);
    if (node[a] >= inner)
      return std::nullopt;
    int64_t rest = node[a];
    for (const Digit &digit : axes[a].digits) {
      inner /= digit.count;
      if (!digit.repeats())
        block[digit.dim] = block[digit.dim] * digit.count + rest / inner;
      rest %= inner;
    }
  }
  return block;
}

llvm::SmallVector<int64_t, 4> Layout::strides() const {
  llvm::SmallVector<int64_t, 4> result(rank());
  int64_t stride = 1;
  for (unsigned d : llvm::reverse(order)) {
    result[d] = stride;
    stride *= dims[d].extent;
  }
  return result;
}

int64_t Layout::localElements() const {
  int64_t product = 1;
  for (const Dim &dim : dims)
    product *= dim.extent;
  return product;
}

std::optional<int64_t> Layout::localElement(const Coords &node,
                                            llvm::ArrayRef<int64_t> index) const {
  auto block = blocksAt(node);
  if (!block)
    return std::nullopt;
  llvm::SmallVector<int64_t, 4> stride = strides();
  int64_t element = 0;
  for (unsigned d = 0; d < rank(); ++d) {
    int64_t local = index[d] - start(d, (*block)[d]);
    if (index[d] < 0 || index[d] >= dims[d].size || local < 0 || local >= dims[d].window)
      return std::nullopt;
    element += local * stride[d];
  }
  return element;
}

bool Layout::isPartition() const {
  return llvm::all_of(dims, [](const Dim &d) { return d.offset == 0 && d.window == d.step; });
}

llvm::Error Layout::check(const Coords &grid) const {
  llvm::SmallBitVector seen(rank());
  for (unsigned d : order) {
    if (d >= rank() || seen.test(d))
      return invalid("the memory order is not a permutation of the dimensions");
    seen.set(d);
  }
  if (!seen.all() || order.size() != rank())
    return invalid("the memory order is not a permutation of the dimensions");
  for (unsigned a = 0; a < numAxes; ++a) {
    llvm::StringRef name = axisName(static_cast<Axis>(a));
    if (axes[a].pinned && !axes[a].digits.empty())
      return invalid("axis " + name + " is pinned and spread at once");
    for (const Digit &digit : axes[a].digits)
      if ((digit.dim >= rank() && !digit.repeats()) || digit.count < 1)
        return invalid("axis " + name + " has a digit of no dimension or of no block");
    int64_t product = used(static_cast<Axis>(a), grid[a]);
    if (product > grid[a])
      return invalid("axis " + name + " is cut into " + llvm::Twine(product) + ", the grid has " +
                     llvm::Twine(grid[a]));
  }
  for (auto [d, dim] : llvm::enumerate(dims)) {
    std::string where = "dimension " + std::to_string(d);
    if (dim.size < 1 || dim.step < 1 || dim.window < 1 || dim.extent < dim.window)
      return invalid(where + " needs size, step and window of at least 1 and an extent that "
                             "holds the window");
  }
  return llvm::Error::success();
}

bool Layout::holdsAll() const {
  for (auto [d, dim] : llvm::enumerate(dims)) {
    int64_t last = start(d, blocks(d) - 1) + dim.window;
    if (dim.offset > 0 || last < dim.size || (blocks(d) > 1 && dim.window < dim.step))
      return false;
  }
  return true;
}
