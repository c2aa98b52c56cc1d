//===- GroupQueryAttention.cpp - com.microsoft: attention of decoders -----===//
//
// Several heads of queries share one of keys. Each sequence of a batch has a length of
// its own, known at run time: its new keys stand behind as many of the past, and the
// rest of the present holds nothing that a query looks at.
//
//===----------------------------------------------------------------------===//
#include "Attention.h"
#include "Lookup.h"
#include "Microsoft.h"
#include "Softmax.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

namespace {

class GroupQueryAttention {
public:
  GroupQueryAttention(NodeContext &c, const Handler &scatter) : c(c), b(c.b), scatter(scatter) {}

  LogicalResult lower();

private:
  enum Operand : unsigned {
    Query,
    Key,
    Values,
    PastKey,
    PastValue,
    Lengths,
    Total,
    Cosines,
    Sines,
    Positions,
    Added
  };

  LogicalResult readShapes();
  LogicalResult readPast();
  Value single(unsigned operand) { return castTo(b, c.value(operand), b.getF32Type()); }
  /// Heads of queries, keys or values: an operand of its own, or a part of the first.
  Value headsOf(unsigned operand);
  Value firstPlaces();
  FailureOr<Value> rotated(Value x, Value places);
  FailureOr<Value> present(unsigned past, Value fresh);
  FailureOr<Value> added();
  LogicalResult attend(Value q, Value k, Value v);

  NodeContext &c;
  ImplicitLocOpBuilder &b;
  const Handler &scatter;
  int64_t heads = 0, keyHeads = 0, size = 0, batch = 0, length = 0, keys = 0, window = -1;
  /// All keys are new: the past counts for nothing.
  bool isFirst = false;
  Value starts; ///< of each sequence, how many keys of the past it has
};

} // namespace

LogicalResult GroupQueryAttention::readShapes() {
  heads = c.intAttr("num_heads", 0);
  keyHeads = c.intAttr("kv_num_heads", 0);
  window = c.intAttr("local_window_size", -1);
  if (c.intAttr("smooth_softmax", 0) ||
      llvm::any_of(llvm::seq<unsigned>(Added + 1, c.size()), [&](unsigned i) { return c.has(i); }))
    return c.fail("its softmax has sinks, or its past is quantized");
  if (heads < 1 || keyHeads < 1 || heads % keyHeads)
    return c.fail("its " + Twine(keyHeads) + " heads of keys do not divide its " + Twine(heads) +
                  " heads of queries");
  int64_t parts = c.has(Key) ? heads : heads + 2 * keyHeads;
  if (c.rank(Query) != 3 || c.shape(Query)[2] % parts || c.has(Key) != c.has(Values))
    return c.fail("its queries of shape " + shapeName(c.shape(Query)) + " have no " + Twine(parts) +
                  " heads");
  batch = c.shape(Query)[0];
  length = c.shape(Query)[1];
  size = c.shape(Query)[2] / parts;
  for (unsigned i : {Key, Values})
    if (c.has(i) && Shape(c.shape(i)) != Shape{batch, length, keyHeads * size})
      return c.fail("its keys or values of shape " + shapeName(c.shape(i)) + " are not " +
                    shapeName({batch, length, keyHeads * size}));
  return readPast();
}

LogicalResult GroupQueryAttention::readPast() {
  FailureOr<int64_t> total = c.needInt(Total, "total sequence length");
  if (failed(total))
    return failure();
  if (product(c.shape(Lengths)) != batch)
    return c.fail("its lengths of shape " + shapeName(c.shape(Lengths)) +
                  " do not fit a batch of " + Twine(batch));
  int64_t past = c.has(PastKey) && c.rank(PastKey) == 4 ? c.shape(PastKey)[2] : 0;
  for (unsigned i : {PastKey, PastValue})
    if (c.has(i) && Shape(c.shape(i)) != Shape{batch, keyHeads, past, size})
      return c.fail("its past of shape " + shapeName(c.shape(i)) + " does not fit keys of " +
                    shapeName({batch, keyHeads, length, size}));
  isFirst = *total == length;
  keys = std::max(*total, past);
  if (c.has(PastKey) != c.has(PastValue) || *total < length || (!isFirst && past + length < *total))
    return c.fail("its total sequence length " + Twine(*total) + " does not fit a past of " +
                  Twine(past) + " and " + Twine(length) + " new keys");
  return success();
}

Value GroupQueryAttention::headsOf(unsigned operand) {
  int64_t count = operand == Query ? heads : keyHeads;
  if (c.has(Key))
    return splitHeads(b, single(operand), count);
  int64_t start = operand == Query ? 0 : operand == Key ? heads : heads + keyHeads;
  Value part =
      slice(b, single(Query), {0, 0, start * size}, {batch, length, count * size}, {1, 1, 1});
  return splitHeads(b, part, count);
}

/// Lengths are those of all keys, less 1.
Value GroupQueryAttention::firstPlaces() {
  Type i32 = b.getI32Type();
  if (isFirst)
    return zeros(b, {batch}, i32);
  Value lengths = reshape(b, c.value(Lengths), {batch});
  return elementwise(b, {batch}, i32, lengths, [&](Scalars &s, ValueRange v) {
    Value last = s.cast(v[0], i32);
    return s.add(last, s.constant(last, 1 - length));
  });
}

FailureOr<Value> GroupQueryAttention::rotated(Value x, Value places) {
  auto rows = [&](unsigned cache) {
    return lookUp(b, single(cache), fromStart(b, places, c.shape(cache)[0]), 0);
  };
  return rotate(c, {x, rows(Cosines), rows(Sines), 0, 2 * c.shape(Cosines)[1],
                    c.intAttr("rotary_interleaved", 0) != 0});
}

/// The past with the new keys or values behind what each sequence has of it.
FailureOr<Value> GroupQueryAttention::present(unsigned past, Value fresh) {
  Scalars s(b, b.getLoc());
  Type f32 = b.getF32Type();
  bool keeps = c.has(past) && !isFirst;
  Value base = keeps ? single(past) : fresh;
  Shape high(4, 0);
  high[2] = keys - shapeOf(base)[2];
  base = pad(b, base, Shape(4, 0), high, s.constant(f32, 0));
  if (!keeps)
    return base;
  Known operands[] = {{cast<RankedTensorType>(base.getType()), base, nullptr, f32},
                      {cast<RankedTensorType>(fresh.getType()), fresh, nullptr, f32},
                      {cast<RankedTensorType>(starts.getType()), starts, nullptr, b.getI32Type()}};
  auto results = c.lowerAs(scatter, operands);
  return failed(results) ? FailureOr<Value>(failure()) : FailureOr<Value>(results->front().value);
}

/// What is added to the scores: a query sees the keys up to its own place, or the last of them.
FailureOr<Value> GroupQueryAttention::added() {
  SmallVector<Value> operands = {iota(b, length, 2, 4), iota(b, keys, 3, 4),
                                 reshape(b, starts, {batch, 1, 1, 1})};
  Shape shape = {batch, 1, length, keys}, scores = {batch, heads, length, keys};
  if (c.has(Added)) {
    auto joined = broadcast(shape, c.shape(Added));
    if (!joined || broadcast(*joined, scores) != scores)
      return c.fail("its bias of shape " + shapeName(c.shape(Added)) +
                    " does not broadcast to scores of " + shapeName(scores));
    shape = *joined;
    operands.push_back(single(Added));
  }
  Type f32 = b.getF32Type();
  return elementwise(b, shape, f32, operands, [&](Scalars &s, ValueRange v) {
    Value place = s.add(v[0], v[2]), seen = s.compare(P::sle, v[1], place);
    if (window >= 0)
      seen = s.make<arith::AndIOp>(
          seen, s.compare(P::slt, s.sub(place, v[1]), s.constant(place, window)));
    return s.select(seen, v.size() > 3 ? v[3] : s.constant(f32, 0), s.constant(f32, -INFINITY));
  });
}

LogicalResult GroupQueryAttention::attend(Value q, Value k, Value v) {
  double scale = c.floatAttr("scale", 0), cap = c.floatAttr("softcap", 0);
  scale = scale ? scale : 1 / std::sqrt(double(size));
  int64_t times = heads / keyHeads;
  FailureOr<Value> plus = added();
  if (failed(plus))
    return failure();
  Value scores = attentionScores(b, q, repeatHeads(b, k, times), scale);
  scores = elementwise(b, shapeOf(scores), elementOf(scores), {scores, *plus},
                       [&](Scalars &s, ValueRange v) {
                         Value score = v[0];
                         if (cap > 0)
                           score = s.mul(s.make<math::TanhOp>(s.div(score, s.constant(score, cap))),
                                         s.constant(score, cap));
                         return s.add(score, v[1]);
                       });
  Value taken = matrixProduct(b, softmax(b, scores, {3}), repeatHeads(b, v, times), {batch, heads});
  c.result(0, castTo(b, joinHeads(b, taken), c.type(Query).getElementType()), c.declared(Query));
  return success();
}

LogicalResult GroupQueryAttention::lower() {
  if (failed(readShapes()))
    return failure();
  starts = firstPlaces();
  FailureOr<Value> q = headsOf(Query), k = headsOf(Key);
  if (c.intAttr("do_rotary", 0)) {
    if (!c.has(Cosines) || !c.has(Sines) || c.rank(Cosines) != 2 ||
        c.shape(Cosines) != c.shape(Sines) || 2 * c.shape(Cosines)[1] > size)
      return c.fail("it turns its heads, and its caches do not fit heads of " + Twine(size));
    Value places = c.has(Positions)
                       ? c.value(Positions)
                       : elementwise(b, {batch, length}, b.getI32Type(),
                                     {reshape(b, starts, {batch, 1}), iota(b, length, 1, 2)},
                                     [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
    q = rotated(*q, places);
    k = rotated(*k, places);
    if (failed(q) || failed(k))
      return failure();
  }
  FailureOr<Value> allKeys = present(PastKey, *k), allValues = present(PastValue, headsOf(Values));
  if (failed(allKeys) || failed(allValues))
    return failure();
  for (auto [i, state] : {std::pair(1, *allKeys), std::pair(2, *allValues)})
    c.result(i, castTo(b, state, c.type(Query).getElementType()), c.declared(Query));
  return attend(*q, *allKeys, *allValues);
}

void dojo::onnx::registerGroupQueryAttention(HandlerRegistry &registry) {
  Handler scatter = *registry.find("", "TensorScatter", std::numeric_limits<int64_t>::max());
  registry.onOp(
      "GroupQueryAttention", 1,
      [scatter](NodeContext &c) { return GroupQueryAttention(c, scatter).lower(); }, microsoft);
}
