//===- Rearrangement.cpp - blocks, repetitions and masks of places --------===//
#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

/// Each dimension repeated: a broadcast of unit dimensions, then one shape.
static LogicalResult lowerTile(NodeContext &c) {
  auto repeats = c.needInts(1, "repeats");
  if (failed(repeats))
    return failure();
  if (int64_t(repeats->size()) != c.rank(0) ||
      llvm::any_of(*repeats, [](int64_t r) { return r < 0; }))
    return c.fail("its repeats do not give each dimension of " + shapeName(c.shape(0)) +
                  " a count");
  Shape from, wide, to;
  for (auto [size, count] : llvm::zip(c.shape(0), *repeats)) {
    from.append({1, size});
    wide.append({count, size});
    to.push_back(count * size);
  }
  Value tiled = reshape(c.b, c.value(0), from);
  if (from != wide)
    tiled = elementwise(c.b, wide, elementOf(tiled), tiled,
                        [](Scalars &, ValueRange v) { return v[0]; });
  c.result(0, reshape(c.b, tiled, to));
  return success();
}

static LogicalResult checkImage(NodeContext &c, int64_t block, StringRef mode) {
  if (c.rank(0) != 4 || block < 1)
    return c.fail("it needs images in blocks and has " + shapeName(c.shape(0)) + " in blocks of " +
                  Twine(block));
  if (mode != "DCR" && mode != "CRD")
    return c.fail("its mode '" + mode + "' is neither DCR nor CRD");
  return success();
}

static LogicalResult lowerDepthToSpace(NodeContext &c) {
  int64_t block = c.intAttr("blocksize", 0);
  std::string mode = c.stringAttr("mode", "DCR");
  if (failed(checkImage(c, block, mode)))
    return failure();
  Shape s(c.shape(0));
  int64_t depth = s[1] / block / block;
  if (s[1] % block || s[1] / block % block)
    return c.fail("its blocks of " + Twine(block) + " do not divide " + Twine(s[1]) + " channels");
  bool depthFirst = mode == "DCR";
  Shape split = depthFirst ? Shape{s[0], block, block, depth, s[2], s[3]}
                           : Shape{s[0], depth, block, block, s[2], s[3]};
  Shape order = depthFirst ? Shape{0, 3, 4, 1, 5, 2} : Shape{0, 1, 4, 2, 5, 3};
  Value moved = transpose(c.b, reshape(c.b, c.value(0), split), order);
  c.result(0, reshape(c.b, moved, {s[0], depth, s[2] * block, s[3] * block}));
  return success();
}

static LogicalResult lowerSpaceToDepth(NodeContext &c) {
  int64_t block = c.intAttr("blocksize", 0);
  std::string mode = c.stringAttr("mode", "DCR");
  if (failed(checkImage(c, block, mode)))
    return failure();
  bool depthFirst = mode == "DCR";
  Shape s(c.shape(0));
  if (s[2] % block || s[3] % block)
    return c.fail("its blocks of " + Twine(block) + " do not divide " + shapeName(s));
  int64_t h = s[2] / block, w = s[3] / block;
  Value split = reshape(c.b, c.value(0), {s[0], s[1], h, block, w, block});
  Shape order = depthFirst ? Shape{0, 3, 5, 1, 2, 4} : Shape{0, 1, 3, 5, 2, 4};
  c.result(0, reshape(c.b, transpose(c.b, split, order), {s[0], s[1] * block * block, h, w}));
  return success();
}

/// Keeps the places on one side of a diagonal.
static LogicalResult lowerTrilu(NodeContext &c) {
  bool upper = c.flagAttr("upper", true);
  int64_t diagonal = 0;
  if (c.has(1)) {
    auto given = c.needInt(1, "diagonal");
    if (failed(given))
      return failure();
    diagonal = *given;
  }
  int64_t rank = c.rank(0);
  if (rank < 2)
    return c.fail("it needs matrices and has " + shapeName(c.shape(0)));
  if (!product(c.shape(0))) {
    c.forward(0, 0);
    return success();
  }
  Value rows = iota(c.b, c.shape(0)[rank - 2], rank - 2, rank);
  Value columns = iota(c.b, c.shape(0)[rank - 1], rank - 1, rank);
  diagonal = std::clamp<int64_t>(diagonal, -c.shape(0)[rank - 2] - 1, c.shape(0)[rank - 1] + 1);
  c.result(0, elementwise(c.b, c.shape(0), c.type(0).getElementType(), {c.value(0), rows, columns},
                          [&](Scalars &s, ValueRange v) {
                            Value offset = s.sub(v[2], v[1]);
                            Value keep = s.compare(upper ? P::sge : P::sle, offset,
                                                   s.constant(offset, diagonal));
                            return s.select(keep, v[0], s.constant(v[0], 0));
                          }));
  return success();
}

static LogicalResult lowerReverseSequence(NodeContext &c) {
  auto lengths = c.needInts(1, "sequence_lens");
  int64_t batchAxis = c.intAttr("batch_axis", 1), timeAxis = c.intAttr("time_axis", 0);
  if (failed(lengths))
    return failure();
  auto axes = c.axes({batchAxis, timeAxis}, c.rank(0));
  if (failed(axes))
    return failure();
  if (int64_t(lengths->size()) != c.shape(0)[batchAxis])
    return c.fail("it has " + Twine(lengths->size()) + " lengths for a batch of " +
                  Twine(c.shape(0)[batchAxis]));
  SmallVector<Value> rows;
  Shape starts(c.rank(0), 0), ones(c.rank(0), 1), one(c.shape(0));
  one[batchAxis] = 1;
  for (auto [i, length] : llvm::enumerate(*lengths)) {
    starts[batchAxis] = i;
    Shape places = llvm::to_vector(llvm::seq<int64_t>(0, c.shape(0)[timeAxis]));
    std::reverse(places.begin(), places.begin() + std::clamp<int64_t>(length, 0, places.size()));
    rows.push_back(pick(c.b, slice(c.b, c.value(0), starts, one, ones), timeAxis, places));
  }
  c.result(0, concat(c.b, batchAxis, rows));
  return success();
}

/// Cuts or pads dimensions to given sizes, equally on both sides.
static LogicalResult lowerCenterCropPad(NodeContext &c) {
  auto wanted = c.needInts(1, "shape");
  Shape all = llvm::to_vector(llvm::seq<int64_t>(0, c.rank(0)));
  auto axes = c.axes(c.intsAttr("axes", all), c.rank(0));
  if (failed(wanted) || failed(axes))
    return failure();
  if (wanted->size() != axes->size())
    return c.fail("it has " + Twine(wanted->size()) + " sizes for " + Twine(axes->size()) +
                  " axes");
  Shape starts(c.rank(0), 0), sizes(c.shape(0)), ones(c.rank(0), 1), low(c.rank(0), 0), high(low);
  for (auto [axis, size] : llvm::zip(*axes, *wanted)) {
    int64_t surplus = sizes[axis] - size;
    if (surplus > 0) {
      starts[axis] = surplus / 2;
      sizes[axis] = size;
    } else {
      low[axis] = -surplus / 2;
      high[axis] = -surplus - low[axis];
    }
  }
  Value cut = slice(c.b, c.value(0), starts, sizes, ones);
  c.result(0, pad(c.b, cut, low, high, Scalars(c.b, c.b.getLoc()).constant(elementOf(cut), 0)));
  return success();
}

void dojo::onnx::registerRearrangement(HandlerRegistry &registry) {
  registry.onOp("Tile", 6, lowerTile);
  registry.onOp("DepthToSpace", 1, lowerDepthToSpace);
  registry.onOp("SpaceToDepth", 1, lowerSpaceToDepth);
  registry.onOp("Trilu", 14, lowerTrilu);
  registry.onOp("ReverseSequence", 10, lowerReverseSequence);
  registry.onOp("CenterCropPad", 18, lowerCenterCropPad);
}
