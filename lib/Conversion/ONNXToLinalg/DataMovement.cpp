//===- DataMovement.cpp - operators that only rearrange -------------------===//
#include "Lookup.h"
#include "SliceRange.h"
#include "StepLoop.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

using namespace mlir;
using namespace dojo::onnx;

static LogicalResult forward(NodeContext &c) {
  c.forward(0, 0);
  return success();
}

static LogicalResult reshapeTo(NodeContext &c, ArrayRef<int64_t> shape) {
  if (product(shape) != product(c.shape(0)))
    return c.fail("it cannot give " + shapeName(c.shape(0)) + " the shape " + shapeName(shape));
  c.result(0, reshape(c.b, c.value(0), shape));
  return success();
}

static LogicalResult lowerReshape(NodeContext &c) {
  bool allowZero = c.flagAttr("allowzero", false);
  auto wanted = c.needInts(1, "shape");
  if (failed(wanted))
    return failure();
  auto shape = reshapedShape(c, *wanted, allowZero);
  return failed(shape) ? failure() : reshapeTo(c, *shape);
}

/// Negative axes count from the end as of opset 11.
static Handler flatten(bool fromEnd) {
  return [fromEnd](NodeContext &c) -> LogicalResult {
    int64_t rank = c.rank(0), given = c.intAttr("axis", 1),
            axis = given < 0 && fromEnd ? given + rank : given;
    if (axis < 0 || axis > rank)
      return c.fail("its axis " + Twine(given) + " is outside a tensor of " + Twine(rank) +
                    " dimensions");
    return reshapeTo(c,
                     {product(c.shape(0).take_front(axis)), product(c.shape(0).drop_front(axis))});
  };
}

/// Axes are an operand from opset 13 on, an attribute before.
static FailureOr<Shape> readAxes(NodeContext &c, bool operand) {
  if (!operand)
    return c.intsAttr("axes");
  return c.has(1) ? c.needInts(1, "axes") : FailureOr<Shape>(Shape());
}

static Handler squeeze(bool operand) {
  return [operand](NodeContext &c) -> LogicalResult {
    auto given = readAxes(c, operand);
    if (failed(given))
      return failure();
    auto axes = c.axes(*given, c.rank(0));
    if (failed(axes))
      return failure();
    Shape shape;
    for (auto [i, size] : llvm::enumerate(c.shape(0))) {
      bool named = llvm::is_contained(*axes, int64_t(i));
      if (named && size != 1)
        return c.fail("it cannot drop dimension " + Twine(i) + " of " + shapeName(c.shape(0)));
      if (!named && (size != 1 || !axes->empty()))
        shape.push_back(size);
    }
    return reshapeTo(c, shape);
  };
}

static Handler unsqueeze(bool operand) {
  return [operand](NodeContext &c) -> LogicalResult {
    auto given = readAxes(c, operand);
    if (failed(given))
      return failure();
    if (given->empty())
      return c.fail("it names no axes");
    auto axes = c.axes(*given, c.rank(0) + given->size());
    if (failed(axes))
      return failure();
    Shape shape(c.shape(0));
    llvm::sort(*axes);
    for (int64_t axis : *axes)
      shape.insert(shape.begin() + axis, 1);
    return reshapeTo(c, shape);
  };
}

static LogicalResult lowerTranspose(NodeContext &c) {
  Shape reversed = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, c.rank(0))));
  Shape permutation = c.intsAttr("perm", reversed), sorted(permutation);
  llvm::sort(sorted);
  if (sorted != llvm::to_vector(llvm::seq<int64_t>(0, c.rank(0))))
    return c.fail("its attribute 'perm' is no permutation of " + Twine(c.rank(0)) + " dimensions");
  c.result(0, transpose(c.b, c.value(0), permutation));
  for (const Extent &extent : c.extents(0))
    c.limit(0, llvm::find(permutation, extent.dim) - permutation.begin(), extent.count);
  return success();
}

static LogicalResult lowerConcat(NodeContext &c) {
  auto axis = c.axis(c.intAttr("axis", 1), c.rank(0));
  if (failed(axis))
    return failure();
  SmallVector<Value> parts;
  for (unsigned i = 0; i < c.size(); ++i) {
    Shape expected(c.shape(0));
    if (c.rank(i) == c.rank(0))
      expected[*axis] = c.shape(i)[*axis];
    if (Shape(c.shape(i)) != expected || c.type(i).getElementType() != c.type(0).getElementType())
      return c.fail("it cannot join " + shapeName(c.shape(i)) + " to " + shapeName(c.shape(0)));
    if (product(c.shape(i)))
      parts.push_back(c.value(i));
  }
  if (parts.empty())
    return forward(c);
  c.result(0, concat(c.b, *axis, parts));
  return success();
}

/// Slice by the number of a loop's step.
static LogicalResult sliceByStep(NodeContext &c) {
  auto range = readSliceByStep(c);
  if (failed(range))
    return failure();
  c.result(0, sliceAt(c.b, c.value(0), range->starts, range->sizes, range->steps));
  return success();
}

static Handler lowerSlice(bool operands) {
  return [operands](NodeContext &c) -> LogicalResult {
    auto movesWithStep = [&](unsigned i) { return c.has(i) && c.operand(i).byStep; };
    if (operands && (movesWithStep(1) || movesWithStep(2)))
      return sliceByStep(c);
    auto range = readSlice(c, operands);
    if (failed(range))
      return failure();
    // Backwards is the same places forwards, then each by itself.
    Value cut = c.value(0);
    Shape starts = range->starts, steps = range->steps;
    for (auto [start, size, step] : llvm::zip(starts, range->sizes, steps))
      if (step < 0) {
        start += std::max<int64_t>(0, size - 1) * step;
        step = -step;
      }
    cut = slice(c.b, cut, starts, range->sizes, steps);
    for (auto [axis, step] : llvm::enumerate(range->steps))
      if (step < 0 && range->sizes[axis] > 1)
        cut = pick(c.b, cut, axis,
                   llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, range->sizes[axis]))));
    c.result(0, cut);
    return success();
  };
}

/// Runs of neighbours among indices.
static size_t countRuns(ArrayRef<int64_t> indices) {
  size_t runs = 0;
  for (auto [i, index] : llvm::enumerate(indices))
    runs += i == 0 || indices[i - 1] + 1 != index;
  return runs;
}

static Value constantInts(ImplicitLocOpBuilder &b, ArrayRef<int64_t> values,
                          ArrayRef<int64_t> shape) {
  SmallVector<int32_t> narrow(values);
  auto type = RankedTensorType::get(shape, b.getI32Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<int32_t>(narrow)));
}

static LogicalResult gatherAtRunTime(NodeContext &c, int64_t axis) {
  Type element = c.type(0).getElementType();
  if (!isComputable(element) || element.isInteger(1))
    return c.fail("it looks up " + typeName(element) +
                      " by indices that are not known when compiling",
                  "look up numbers");
  Value indices = fromStart(c.b, c.value(1), c.shape(0)[axis]);
  c.result(0, lookUp(c.b, c.value(0), indices, axis));
  return success();
}

/// One place by the number of a loop's step; nothing if it leaves the dimension, which a lookup
/// may.
static std::optional<Value> placeOfStep(NodeContext &c, int64_t axis) {
  const std::optional<ByStep> &index = c.operand(1).byStep;
  if (!index || index->base.size() != 1)
    return std::nullopt;
  auto place = runByStep(c.b, c.b.getLoc(), *index, 0, 1, c.shape(0)[axis]);
  if (!place)
    return std::nullopt;
  Shape sizes(c.shape(0));
  sizes[axis] = 1;
  SmallVector<OpFoldResult> starts(sizes.size(), c.b.getIndexAttr(0));
  starts[axis] = *place;
  return sliceAt(c.b, c.value(0), starts, sizes, Shape(sizes.size(), 1));
}

static Shape gatheredShape(NodeContext &c, int64_t axis) {
  Shape shape(c.shape(0).take_front(axis));
  shape.append(c.shape(1).begin(), c.shape(1).end());
  shape.append(c.shape(0).begin() + axis + 1, c.shape(0).end());
  return shape;
}

static LogicalResult lowerGather(NodeContext &c) {
  auto axis = c.axis(c.intAttr("axis", 0), c.rank(0));
  if (succeeded(axis) && !c.ints(1)) {
    std::optional<Value> place = placeOfStep(c, *axis);
    if (!place)
      return gatherAtRunTime(c, *axis);
    c.result(0, reshape(c.b, *place, gatheredShape(c, *axis)));
    return success();
  }
  auto indices = c.needInts(1, "indices");
  if (failed(axis) || failed(indices))
    return failure();
  int64_t extent = c.shape(0)[*axis];
  for (int64_t &index : *indices) {
    if (index < -extent || index >= extent)
      return c.fail("its index " + Twine(index) + " is outside a dimension of " + Twine(extent));
    index = index < 0 ? index + extent : index;
  }
  Shape shape = gatheredShape(c, *axis);
  if (indices->empty()) {
    c.result(0, empty(c.b, shape, c.type(0).getElementType()));
    return success();
  }
  // A move for each run is dear when there are many.
  constexpr size_t fewRuns = 8;
  Type element = c.type(0).getElementType();
  if (countRuns(*indices) > fewRuns && isComputable(element) && !element.isInteger(1))
    c.result(0, lookUp(c.b, c.value(0), constantInts(c.b, *indices, c.shape(1)), *axis));
  else
    c.result(0, reshape(c.b, pick(c.b, c.value(0), *axis, *indices), shape));
  return success();
}

/// The sizes of the outputs of Split, from an attribute, an operand or a count.
static FailureOr<Shape> splitSizes(NodeContext &c, int64_t extent) {
  Shape sizes = c.intsAttr("split");
  if (c.has(1)) {
    auto given = c.needInts(1, "split");
    if (failed(given))
      return failure();
    sizes = *given;
  }
  int64_t count = c.intAttr("num_outputs", c.numResults());
  if (count != c.numResults())
    return c.fail("its attribute 'num_outputs' is " + Twine(count) + ", and it has " +
                  Twine(c.numResults()) + " outputs");
  if (sizes.empty() && count > 0) {
    int64_t each = (extent + count - 1) / count;
    for (int64_t rest = extent, i = 0; i < count; ++i, rest -= sizes.back())
      sizes.push_back(std::min(each, rest));
  }
  bool negative = llvm::any_of(sizes, [](int64_t size) { return size < 0; });
  if (negative || sizes.size() != c.numResults() || llvm::sum_of(sizes) != extent)
    return c.fail("its parts " + shapeName(sizes) + " do not make up a dimension of " +
                  Twine(extent));
  return sizes;
}

static LogicalResult lowerSplit(NodeContext &c) {
  auto axis = c.axis(c.intAttr("axis", 0), c.rank(0));
  if (failed(axis))
    return failure();
  auto sizes = splitSizes(c, c.shape(0)[*axis]);
  if (failed(sizes))
    return failure();
  Shape starts(c.rank(0), 0), shape(c.shape(0)), ones(c.rank(0), 1);
  // Parts of a shape are shapes.
  auto known = dyn_cast_or_null<DenseElementsAttr>(c.ints(0) ? c.constant(0) : nullptr);
  for (auto [i, size] : llvm::enumerate(*sizes)) {
    shape[*axis] = size;
    if (known && c.rank(0) == 1) {
      auto type = RankedTensorType::get(size, known.getElementType());
      auto part =
          llvm::to_vector(llvm::make_range(known.value_begin<Attribute>() + starts[0],
                                           known.value_begin<Attribute>() + starts[0] + size));
      c.result(i, ElementsAttr(DenseElementsAttr::get(type, part)));
      starts[0] += size;
      continue;
    }
    c.result(i, slice(c.b, c.value(0), starts, shape, ones));
    starts[*axis] += size;
  }
  return success();
}

/// From opset 18 on, the number of parts is stated where their sizes are not.
static LogicalResult lowerCountedSplit(NodeContext &c) {
  if (!c.has(1) && !c.hasAttr("num_outputs"))
    return c.fail("it has neither the operand 'split' nor the attribute 'num_outputs'");
  return lowerSplit(c);
}

static LogicalResult expandTo(NodeContext &c, ArrayRef<int64_t> wanted) {
  auto shape = broadcast(c.shape(0), wanted);
  if (!shape || llvm::any_of(wanted, [](int64_t size) { return size < 0; }))
    return c.fail("it cannot broadcast " + shapeName(c.shape(0)) + " to " + shapeName(wanted));
  if (*shape == Shape(c.shape(0)))
    return forward(c);
  if (product(*shape) == product(c.shape(0)))
    return reshapeTo(c, *shape);
  c.result(0, elementwise(c.b, *shape, c.type(0).getElementType(), c.value(0),
                          [](Scalars &, ValueRange v) { return v[0]; }));
  return success();
}

static LogicalResult lowerExpand(NodeContext &c) {
  auto wanted = c.needInts(1, "shape");
  return failed(wanted) ? failure() : expandTo(c, *wanted);
}

/// Writes the scalar operand `filler` to the places that padding has added.
static Value fillPadding(NodeContext &c, Value padded, ArrayRef<int64_t> low,
                         ArrayRef<int64_t> high, unsigned filler) {
  using P = arith::CmpIPredicate;
  Shape shape = shapeOf(padded), ends;
  SmallVector<Value> operands = {padded, reshape(c.b, c.value(filler), {})};
  SmallVector<int64_t> axes;
  for (auto [axis, size] : llvm::enumerate(shape))
    if (low[axis] || high[axis]) {
      operands.push_back(iota(c.b, size, axis, shape.size()));
      axes.push_back(axis);
    }
  return elementwise(c.b, shape, elementOf(padded), operands, [&](Scalars &s, ValueRange v) {
    Value result = v[0];
    for (auto [axis, place] : llvm::zip(axes, v.drop_front(2))) {
      Value before = s.compare(P::slt, place, s.constant(place, low[axis]));
      Value behind = s.compare(P::sge, place, s.constant(place, shape[axis] - high[axis]));
      result = s.select(s.make<arith::OrIOp>(before, behind), v[1], result);
    }
    return result;
  });
}

/// Cuts dimensions that negative padding shortens, then pads the rest by a constant, or by
/// operand 2 if that is known at run time only.
static LogicalResult padBy(NodeContext &c, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                           std::optional<double> filler) {
  int64_t rank = c.rank(0);
  Shape starts(rank, 0), sizes(c.shape(0)), ones(rank, 1), before(low), after(high);
  for (int64_t i = 0; i < rank; ++i) {
    starts[i] = std::max<int64_t>(0, -low[i]);
    sizes[i] -= starts[i] + std::max<int64_t>(0, -high[i]);
    before[i] = std::max<int64_t>(0, low[i]);
    after[i] = std::max<int64_t>(0, high[i]);
    if (sizes[i] < 0)
      return c.fail("its padding cuts more than dimension " + Twine(i) + " of " +
                    shapeName(c.shape(0)));
  }
  Value cut = slice(c.b, c.value(0), starts, sizes, ones);
  Value scalar = Scalars(c.b, c.b.getLoc()).constant(elementOf(cut), filler.value_or(0));
  Value padded = pad(c.b, cut, before, after, scalar);
  c.result(0, filler ? padded : fillPadding(c, padded, before, after, 2));
  return success();
}

/// The place in a dimension of `extent` that stands at `at`, which may lie outside.
static int64_t insideOf(int64_t at, int64_t extent, StringRef mode) {
  if (mode == "edge")
    return std::clamp<int64_t>(at, 0, extent - 1);
  if (mode == "wrap")
    return (at % extent + extent) % extent;
  int64_t period = std::max<int64_t>(1, 2 * (extent - 1));
  int64_t folded = (at % period + period) % period;
  return std::min(folded, period - folded);
}

/// Pads with places of the tensor itself.
static LogicalResult padWithin(NodeContext &c, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                               StringRef mode) {
  if (mode != "edge" && mode != "wrap" && mode != "reflect")
    return c.fail("its mode '" + mode + "' is none of constant, edge, reflect and wrap");
  Value padded = c.value(0);
  for (int64_t axis = 0; axis < c.rank(0); ++axis) {
    if (!low[axis] && !high[axis])
      continue;
    int64_t extent = c.shape(0)[axis];
    Shape indices;
    for (int64_t at = -low[axis]; extent && at < extent + high[axis]; ++at)
      indices.push_back(insideOf(at, extent, mode));
    if (indices.empty())
      return c.fail("it leaves nothing of dimension " + Twine(axis) + " of " +
                    shapeName(c.shape(0)));
    padded = pick(c.b, padded, axis, indices);
  }
  c.result(0, padded);
  return success();
}

/// Amounts are an operand from opset 11 on, an attribute before.
static Handler lowerPad(bool operands) {
  return [operands](NodeContext &c) -> LogicalResult {
    std::string mode = c.stringAttr("mode", "constant");
    // Before opset 2 the attribute was called paddings.
    FailureOr<Shape> pads = operands ? c.needInts(1, "pads")
                                     : FailureOr<Shape>(c.intsAttr("pads", c.intsAttr("paddings")));
    std::optional<double> filler = operands ? 0 : c.floatAttr("value", 0);
    if (operands && c.has(2)) {
      filler = c.knownScalar(2);
      if (!filler &&
          (product(c.shape(2)) != 1 || c.type(2).getElementType() != c.type(0).getElementType()))
        return c.fail("its padding value is no scalar of the type of its data");
    }
    if (failed(pads))
      return failure();
    Shape axes = llvm::to_vector(llvm::seq<int64_t>(0, c.rank(0)));
    if (c.has(3)) {
      auto given = c.needInts(3, "axes");
      if (failed(given))
        return failure();
      axes = *given;
    }
    auto positive = c.axes(axes, c.rank(0));
    if (failed(positive))
      return failure();
    if (pads->size() != 2 * positive->size())
      return c.fail("it has " + Twine(pads->size()) + " pads for " + Twine(positive->size()) +
                    " dimensions");
    Shape low(c.rank(0), 0), high(low);
    for (auto [i, axis] : llvm::enumerate(*positive)) {
      low[axis] = (*pads)[i];
      high[axis] = (*pads)[i + positive->size()];
    }
    return mode == "constant" ? padBy(c, low, high, filler) : padWithin(c, low, high, mode);
  };
}

void dojo::onnx::registerDataMovement(HandlerRegistry &registry) {
  registry.onOp("Identity", 1, forward);
  registry.onOp("Reshape", 5, lowerReshape);
  registry.onOp("Flatten", 1, flatten(false));
  registry.onOp("Flatten", 11, flatten(true));
  registry.onOp("Squeeze", 1, squeeze(false));
  registry.onOp("Squeeze", 13, squeeze(true));
  registry.onOp("Unsqueeze", 1, unsqueeze(false));
  registry.onOp("Unsqueeze", 13, unsqueeze(true));
  registry.onOp("Transpose", 1, lowerTranspose);
  registry.onOp("Concat", 1, lowerConcat);
  registry.onOp("Slice", 1, lowerSlice(false));
  registry.onOp("Slice", 10, lowerSlice(true));
  registry.onOp("Gather", 1, lowerGather);
  registry.onOp("Split", 1, lowerSplit);
  registry.onOp("Split", 18, lowerCountedSplit);
  registry.onOp("Expand", 8, lowerExpand);
  registry.onOp("Pad", 1, lowerPad(false));
  registry.onOp("Pad", 11, lowerPad(true));
}
