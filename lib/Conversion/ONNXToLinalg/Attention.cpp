//===- Attention.cpp - attention and rotary embeddings --------------------===//
#include "Attention.h"
#include "Lookup.h"
#include "Softmax.h"
#include "Types.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

Value dojo::onnx::splitHeads(ImplicitLocOpBuilder &b, Value x, int64_t heads) {
  Shape s = shapeOf(x);
  Value split = reshape(b, x, {s[0], s[1], heads, s[2] / heads});
  return transpose(b, split, {0, 2, 1, 3});
}

Value dojo::onnx::joinHeads(ImplicitLocOpBuilder &b, Value x) {
  Shape s = shapeOf(x);
  return reshape(b, transpose(b, x, {0, 2, 1, 3}), {s[0], s[2], s[1] * s[3]});
}

Value dojo::onnx::repeatHeads(ImplicitLocOpBuilder &b, Value x, int64_t times) {
  if (times == 1)
    return x;
  Shape s = shapeOf(x);
  Value unit = reshape(b, x, {s[0], s[1], 1, s[2], s[3]});
  Value wide = elementwise(b, {s[0], s[1], times, s[2], s[3]}, elementOf(x), unit,
                           [](Scalars &, ValueRange v) { return v[0]; });
  return reshape(b, wide, {s[0], s[1] * times, s[2], s[3]});
}

static Value mapped(ImplicitLocOpBuilder &b, Value x,
                    llvm::function_ref<Value(Scalars &, Value)> body) {
  return elementwise(b, shapeOf(x), elementOf(x), x,
                     [&](Scalars &s, ValueRange v) { return body(s, v[0]); });
}

static Value scaled(ImplicitLocOpBuilder &b, Value x, double by) {
  return mapped(b, x, [&](Scalars &s, Value v) { return s.mul(v, s.constant(v, by)); });
}

Value dojo::onnx::attentionScores(ImplicitLocOpBuilder &b, Value q, Value k, double scale) {
  double root = std::sqrt(scale);
  return matrixProduct(b, scaled(b, q, root), transpose(b, scaled(b, k, root), {0, 1, 3, 2}),
                       ArrayRef(shapeOf(q)).take_front(2));
}

namespace {

/// The operands and attributes of an Attention node.
class Attention {
public:
  explicit Attention(NodeContext &c) : c(c), b(c.b) {}

  LogicalResult lower();

private:
  enum Operand : unsigned { Q, K, V, Mask, PastKey, PastValue, Lengths };

  LogicalResult readShapes();
  LogicalResult readOptions();
  std::optional<Shape> headedShape(unsigned operand, int64_t count);
  LogicalResult checkShapes();
  Value single(unsigned operand);
  Value heads(unsigned operand, int64_t count);
  Value maskOperand();
  Value bias();
  Value allowed(Scalars &s, Value row, Value column, Value length);
  void give(unsigned i, Value value);

  NodeContext &c;
  ImplicitLocOpBuilder &b;
  bool flat = false, causal = false;
  int64_t queryHeads = 0, keyHeads = 0, queries = 0, keys = 0, past = 0, left = -1, right = -1,
          mode = 0;
};

} // namespace

/// An operand in f32.
Value Attention::single(unsigned operand) { return castTo(b, c.value(operand), b.getF32Type()); }

Value Attention::heads(unsigned operand, int64_t count) {
  return flat ? splitHeads(b, single(operand), count) : single(operand);
}

/// A result in the element type of the queries.
void Attention::give(unsigned i, Value value) {
  c.result(i, castTo(b, value, c.type(Q).getElementType()), c.declared(Q));
}

LogicalResult Attention::readShapes() {
  flat = c.rank(Q) == 3;
  for (unsigned i : {Q, K, V})
    if (c.rank(i) != (flat ? 3 : 4) || !isa<FloatType>(c.type(i).getElementType()))
      return c.fail("its queries, keys and values must be floats of 3 or 4 dimensions and are " +
                    shapeName(c.shape(i)));
  queryHeads = c.intAttr("q_num_heads", flat ? 0 : c.shape(Q)[1]);
  keyHeads = c.intAttr("kv_num_heads", flat ? 0 : c.shape(K)[1]);
  if (queryHeads < 1 || keyHeads < 1 || queryHeads % keyHeads)
    return c.fail("its " + Twine(keyHeads) + " heads of keys do not divide its " +
                  Twine(queryHeads) + " heads of queries");
  if (c.has(PastKey) != c.has(PastValue))
    return c.fail("it has past keys without past values, or values without keys");
  if (failed(checkShapes()))
    return failure();
  past = c.has(PastKey) ? c.shape(PastKey)[2] : 0;
  queries = c.shape(Q)[flat ? 1 : 2];
  keys = past + c.shape(K)[flat ? 1 : 2];
  return readOptions();
}

LogicalResult Attention::readOptions() {
  causal = c.flagAttr("is_causal", false);
  left = std::min<int64_t>(c.intAttr("left_window_size", -1), queries + keys);
  right = std::min<int64_t>(c.intAttr("right_window_size", -1), queries + keys);
  mode = c.intAttr("qk_matmul_output_mode", 0);
  for (int64_t window : {left, right})
    if (window < -1)
      return c.fail("its window of " + Twine(window) + " is neither -1 nor a number of positions");
  if (mode < 0 || mode > 3)
    return c.fail("its qk_matmul_output_mode " + Twine(mode) + " is none of 0 to 3");
  if (c.numResults() == 2)
    return c.fail("it gives present keys without present values");
  return success();
}

/// Batch, heads, places and width, if the operand has this number of heads.
std::optional<Shape> Attention::headedShape(unsigned operand, int64_t count) {
  Shape shape(c.shape(operand));
  if (!flat)
    return shape[1] == count ? std::optional(shape) : std::nullopt;
  if (shape[2] % count)
    return std::nullopt;
  return Shape{shape[0], count, shape[1], shape[2] / count};
}

LogicalResult Attention::checkShapes() {
  auto q = headedShape(Q, queryHeads), k = headedShape(K, keyHeads), v = headedShape(V, keyHeads);
  if (!q || !k || !v || (*q)[0] != (*k)[0] || (*q)[3] != (*k)[3] ||
      ArrayRef(*k).take_front(3) != ArrayRef(*v).take_front(3))
    return c.fail("its queries, keys and values " + shapeName(c.shape(Q)) + ", " +
                  shapeName(c.shape(K)) + " and " + shapeName(c.shape(V)) +
                  " do not fit each other");
  for (auto [past, now] : {std::pair(PastKey, &*k), std::pair(PastValue, &*v)}) {
    if (!c.has(past))
      continue;
    Shape expected(*now);
    expected[2] = c.rank(PastKey) == 4 ? c.shape(PastKey)[2] : -1;
    if (Shape(c.shape(past)) != expected)
      return c.fail("its past of shape " + shapeName(c.shape(past)) +
                    " does not fit keys or values of " + shapeName(*now));
  }
  if (c.has(Mask) && !c.declared(Mask).isInteger(1) && !isa<FloatType>(c.declared(Mask)))
    return c.fail("its mask is " + typeName(c.declared(Mask)) + "; it must be bool or floats");
  if (c.has(Mask) && (c.rank(Mask) < 1 || c.rank(Mask) > 4))
    return c.fail("its mask of shape " + shapeName(c.shape(Mask)) + " has not 1 to 4 dimensions");
  if (c.has(Lengths) && Shape(c.shape(Lengths)) != Shape{(*q)[0]})
    return c.fail("its lengths of shape " + shapeName(c.shape(Lengths)) +
                  " do not fit a batch of " + Twine((*q)[0]));
  return success();
}

/// The mask in four dimensions over all keys; what it does not cover is masked.
Value Attention::maskOperand() {
  Value mask = c.value(Mask);
  Shape shape = shapeOf(mask);
  Shape low(shape.size(), 0), high(low);
  high.back() = std::max<int64_t>(0, keys - shape.back());
  Scalars s(b, b.getLoc());
  Type element = elementOf(mask);
  Value outside = element.isInteger(1) ? s.constant(element, 0) : s.constant(element, -INFINITY);
  mask = pad(b, mask, low, high, outside);
  shape = shapeOf(mask);
  shape.insert(shape.begin(), 4 - shape.size(), 1);
  return reshape(b, mask, shape);
}

/// Whether a query may look at a key. The first query stands behind the past, or where
/// the keys that count end with the last query.
Value Attention::allowed(Scalars &s, Value row, Value column, Value length) {
  Value all = s.make<arith::ConstantOp>(b.getBoolAttr(true));
  auto demand = [&](Value condition) { all = s.make<arith::AndIOp>(all, condition); };
  Value offset =
      length && !c.has(PastKey) ? s.sub(length, s.constant(row, queries)) : s.constant(row, past);
  Value place = s.add(row, offset);
  if (causal)
    demand(s.compare(P::sle, column, place));
  if (left >= 0)
    demand(s.compare(P::sle, s.sub(place, column), s.constant(row, left)));
  if (right >= 0)
    demand(s.compare(P::sle, s.sub(column, place), s.constant(row, right)));
  if (length)
    demand(s.compare(P::slt, column, length));
  return all;
}

/// What is added to the scores, 0 or less; null if nothing is.
Value Attention::bias() {
  if (!c.has(Mask) && !c.has(Lengths) && !causal && left < 0 && right < 0)
    return {};
  SmallVector<Value> operands = {iota(b, queries, 2, 4), iota(b, keys, 3, 4)};
  Shape shape = {1, 1, queries, keys};
  if (c.has(Lengths)) {
    int64_t batch = c.shape(Lengths)[0];
    operands.push_back(reshape(b, c.value(Lengths), {batch, 1, 1, 1}));
    shape[0] = batch;
  }
  if (c.has(Mask)) {
    operands.push_back(maskOperand());
    auto joined = broadcast(shape, shapeOf(operands.back()));
    if (!joined)
      return {};
    shape = *joined;
  }
  Type f32 = b.getF32Type();
  return elementwise(b, shape, f32, operands, [&](Scalars &s, ValueRange v) {
    Value length = c.has(Lengths) ? s.cast(v[2], b.getI32Type()) : Value();
    Value least = s.constant(f32, -INFINITY), zero = s.constant(f32, 0), base = zero;
    if (c.has(Mask))
      base =
          v.back().getType().isInteger(1) ? s.select(v.back(), zero, least) : s.cast(v.back(), f32);
    return s.select(allowed(s, v[0], v[1], length), base, least);
  });
}

LogicalResult Attention::lower() {
  if (failed(readShapes()))
    return failure();
  Value q = heads(Q, queryHeads), k = heads(K, keyHeads), v = heads(V, keyHeads);
  double scale = c.floatAttr("scale", 1 / std::sqrt(double(shapeOf(q)[3])));
  double cap = c.floatAttr("softcap", 0);
  c.ignore({"softmax_precision"});
  if (past) {
    k = concat(b, 2, {single(PastKey), k});
    v = concat(b, 2, {single(PastValue), v});
  }
  if (c.numResults() > 1)
    give(1, k);
  if (c.numResults() > 2)
    give(2, v);
  int64_t times = queryHeads / keyHeads;
  k = repeatHeads(b, k, times);
  v = repeatHeads(b, v, times);
  Value scores = attentionScores(b, q, k, scale);
  if (cap > 0)
    scores = mapped(b, scores, [&](Scalars &s, Value x) {
      Value bounded = s.make<math::TanhOp>(s.div(x, s.constant(x, cap)));
      return s.mul(bounded, s.constant(x, cap));
    });
  Value seen = scores, added = bias();
  if (!added && c.has(Mask))
    return c.fail("its mask of shape " + shapeName(c.shape(Mask)) + " does not fit " +
                  Twine(queries) + " queries and " + Twine(keys) + " keys");
  Type f32 = b.getF32Type();
  if (added) {
    if (broadcast(shapeOf(scores), shapeOf(added)) != shapeOf(scores))
      return c.fail("its mask of shape " + shapeName(shapeOf(added)) +
                    " does not broadcast to scores of " + shapeName(shapeOf(scores)));
    scores = elementwise(b, shapeOf(scores), f32, {scores, added},
                         [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
  }
  if (mode == 2)
    seen = scores;
  Value shares = softmax(b, scores, {3});
  if (added) {
    // A query that may look at nothing takes nothing.
    Value best = reduce(b, added, {3}, true, Combine::Max);
    shares = elementwise(b, shapeOf(shares), f32, {shares, best}, [](Scalars &s, ValueRange v) {
      Value none = s.compare(P::eq, v[1], s.constant(v[1], -INFINITY));
      return s.select(none, s.constant(v[0], 0), v[0]);
    });
  }
  if (mode == 3)
    seen = shares;
  if (c.numResults() > 3)
    give(3, seen);
  Value taken = matrixProduct(b, shares, v, {shapeOf(q)[0], queryHeads});
  give(0, flat ? joinHeads(b, taken) : taken);
  return success();
}

static LogicalResult lowerAttention(NodeContext &c) { return Attention(c).lower(); }

static LogicalResult lowerRotaryEmbedding(NodeContext &c) {
  Rotary rotary = {c.value(0),
                   c.value(1),
                   c.value(2),
                   c.intAttr("num_heads", 0),
                   c.intAttr("rotary_embedding_dim", 0),
                   c.flagAttr("interleaved", false)};
  if (c.has(3)) {
    rotary.cosines = lookUp(c.b, rotary.cosines, fromStart(c.b, c.value(3), c.shape(1)[0]), 0);
    rotary.sines = lookUp(c.b, rotary.sines, fromStart(c.b, c.value(3), c.shape(2)[0]), 0);
  }
  FailureOr<Value> turned = rotate(c, rotary);
  if (failed(turned))
    return failure();
  c.result(0, *turned);
  return success();
}

void dojo::onnx::registerAttention(HandlerRegistry &registry) {
  registry.onOp("Attention", 23, lowerAttention);
  registry.onOp("RotaryEmbedding", 23, lowerRotaryEmbedding);
}
