//===- Reshape.cpp - any reshape as collapses and expansions --------------===//
//
// The two shapes are cut into the shortest groups of equal products. Inside a
// group, expanding to the common refinement and collapsing from it keeps the
// dimensions visible; where none exists, the group collapses to one dimension.
//
//===----------------------------------------------------------------------===//
#include "Build.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include <array>

using namespace mlir;
using namespace dojo::onnx;

namespace {
struct Group {
  size_t fromBegin, fromEnd, toBegin, toEnd;
};
} // namespace

/// Cuts non-empty shapes of equal, non-zero product.
static SmallVector<Group> cut(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  SmallVector<Group> groups;
  size_t i = 0, j = 0;
  while (i < from.size() && j < to.size()) {
    Group group = {i, i + 1, j, j + 1};
    int64_t x = from[i++], y = to[j++];
    while (x != y)
      if (x < y)
        x *= from[i++];
      else
        y *= to[j++];
    group.fromEnd = i;
    group.toEnd = j;
    groups.push_back(group);
  }
  groups.back().fromEnd = from.size();
  groups.back().toEnd = to.size();
  return groups;
}

/// The products of the trailing dimensions, ascending, without repetition.
static void suffixes(ArrayRef<int64_t> sizes, SmallVectorImpl<int64_t> &products) {
  int64_t product = 1;
  for (int64_t size : llvm::reverse(sizes))
    products.push_back(product *= size);
}

/// The coarsest sizes that both lists are products of, if there are any.
static std::optional<Shape> refine(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  SmallVector<int64_t> products;
  suffixes(from, products);
  suffixes(to, products);
  llvm::sort(products);
  Shape sizes;
  int64_t last = 1;
  for (int64_t product : products) {
    if (product % last)
      return std::nullopt;
    if (product != last)
      sizes.push_back(product / last);
    last = product;
  }
  std::reverse(sizes.begin(), sizes.end());
  return sizes;
}

static Shape withoutUnits(ArrayRef<int64_t> sizes) {
  Shape kept;
  llvm::copy_if(sizes, std::back_inserter(kept), [](int64_t size) { return size != 1; });
  return kept;
}

/// What one group looks like after each step.
static std::array<Shape, 5> steps(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  Shape f(from), t(to);
  if (to.size() == 1)
    return {f, t, t, t, t};
  if (from.size() == 1)
    return {f, f, t, t, t};
  if (auto fine = refine(from, to))
    return {f, withoutUnits(from), *fine, withoutUnits(to), t};
  return {f, {product(from)}, t, t, t};
}

/// Appends to `runs` how the sizes `coarse` are made of the sizes `fine`.
static void assign(ArrayRef<int64_t> coarse, ArrayRef<int64_t> fine, size_t first,
                   SmallVectorImpl<ReassociationIndices> &runs) {
  size_t at = 0;
  for (auto [i, size] : llvm::enumerate(coarse)) {
    runs.emplace_back();
    int64_t product = 1;
    do {
      product *= fine[at];
      runs.back().push_back(first + at++);
    } while (product != size || (i + 1 == coarse.size() && at != fine.size()));
  }
}

static Value step(ImplicitLocOpBuilder &b, Value tensor, ArrayRef<std::array<Shape, 5>> groups,
                  unsigned number) {
  bool collapses = number % 2;
  Shape to;
  size_t fineRank = 0;
  SmallVector<ReassociationIndices> runs;
  for (const auto &group : groups) {
    const Shape &after = group[number], &before = group[number - 1];
    const Shape &fine = collapses ? before : after;
    assign(collapses ? after : before, fine, fineRank, runs);
    fineRank += fine.size();
    to.append(after);
  }
  auto type = RankedTensorType::get(to, elementOf(tensor));
  if (type == tensor.getType())
    return tensor;
  if (collapses)
    return tensor::CollapseShapeOp::create(b, type, tensor, runs);
  return tensor::ExpandShapeOp::create(b, type, tensor, runs);
}

static ElementsAttr reshapeConstant(ElementsAttr constant, RankedTensorType type) {
  if (auto dense = dyn_cast<DenseElementsAttr>(constant))
    return dense.reshape(type);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  return nullptr;
}

/// The value before any reshapes: a reshape of a reshape is one reshape.
static Value unreshaped(Value tensor) {
  while (Operation *op = tensor.getDefiningOp()) {
    if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
      break;
    tensor = op->getOperand(0);
  }
  return tensor;
}

Value dojo::onnx::reshape(ImplicitLocOpBuilder &b, Value tensor, ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, elementOf(tensor));
  if (type == tensor.getType())
    return tensor;
  tensor = unreshaped(tensor);
  if (type == tensor.getType())
    return tensor;
  Shape from = shapeOf(tensor);
  ElementsAttr constant;
  if (matchPattern(tensor, m_Constant(&constant)))
    if (ElementsAttr reshaped = reshapeConstant(constant, type))
      return arith::ConstantOp::create(b, tensor.getLoc(), cast<TypedAttr>(reshaped));
  if (!product(from))
    return empty(b, shape, type.getElementType());
  SmallVector<ReassociationIndices> none;
  if (shape.empty())
    return tensor::CollapseShapeOp::create(b, type, tensor, none);
  if (from.empty())
    return tensor::ExpandShapeOp::create(b, type, tensor, none);
  std::vector<std::array<Shape, 5>> groups;
  for (const Group &g : cut(from, shape))
    groups.push_back(steps(ArrayRef(from).slice(g.fromBegin, g.fromEnd - g.fromBegin),
                           shape.slice(g.toBegin, g.toEnd - g.toBegin)));
  for (unsigned number = 1; number <= 4; ++number)
    tensor = step(b, tensor, groups, number);
  return tensor;
}
