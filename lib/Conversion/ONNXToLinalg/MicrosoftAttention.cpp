//===- MicrosoftAttention.cpp - com.microsoft: attention ------------------===//
//
// Both operators end in one: softmax(scale * q * k + bias) * v over heads, where the
// bias holds the mask. A key that the mask excludes gets mask_filter_value and not
// infinity, as ONNX Runtime has it: a query all of whose keys are excluded looks at
// all of them.
//
//===----------------------------------------------------------------------===//
#include "Attention.h"
#include "Lookup.h"
#include "Microsoft.h"
#include "Softmax.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

namespace {

/// Attention over heads; the node's operands by the roles that they have in it.
class Heads {
public:
  Heads(NodeContext &c, unsigned mask, unsigned bias) : c(c), b(c.b), mask(mask), bias(bias) {}

  /// Batch x heads x sequence x size, in f32.
  Value q, k, v;

  /// Sets result 0.
  LogicalResult finish();

private:
  LogicalResult readMask();
  Value masked(Scalars &s, ValueRange rows, Value key, double filter) const;
  FailureOr<Value> added(int64_t queries, int64_t keys);

  NodeContext &c;
  ImplicitLocOpBuilder &b;
  unsigned mask, bias;
  /// Where the mask has lengths, ends and starts of each sequence: one or two columns.
  /// Otherwise it is spread to four dimensions.
  SmallVector<Value> bounds;
  Value truth;
};

} // namespace

static Value single(NodeContext &c, unsigned operand) {
  return castTo(c.b, c.value(operand), c.b.getF32Type());
}

LogicalResult Heads::readMask() {
  if (!c.has(mask))
    return success();
  Shape shape(c.shape(mask));
  int64_t batch = shapeOf(q)[0], queries = shapeOf(q)[2], keys = shapeOf(k)[2];
  auto column = [&](int64_t at) {
    return reshape(b, slice(b, c.value(mask), {at}, {batch}, {1}), {batch, 1, 1, 1});
  };
  if (shape == Shape{batch} || shape == Shape{2 * batch}) {
    for (int64_t at = 0; at < shape[0]; at += batch)
      bounds.push_back(column(at));
  } else if (shape == Shape{batch, keys}) {
    truth = reshape(b, c.value(mask), {batch, 1, 1, keys});
  } else if (shape == Shape{batch, queries, keys}) {
    truth = reshape(b, c.value(mask), {batch, 1, queries, keys});
  } else {
    return c.fail("its mask of shape " + shapeName(shape) + " is none of " + shapeName({batch}) +
                  ", " + shapeName({2 * batch}) + ", " + shapeName({batch, keys}) + " and " +
                  shapeName({batch, queries, keys}));
  }
  return success();
}

/// 0 for a key that counts, else the filter; `rows` are the values of the mask.
Value Heads::masked(Scalars &s, ValueRange rows, Value key, double filter) const {
  Type f32 = b.getF32Type();
  Value zero = s.constant(f32, 0), out = s.constant(f32, filter);
  if (truth)
    return s.select(s.compare(P::sgt, rows[0], s.constant(rows[0], 0)), zero, out);
  auto bound = [&](Value x) { return s.cast(x, key.getType()); };
  Value inside = s.compare(P::slt, key, bound(rows[0]));
  if (rows.size() > 1)
    inside = s.make<arith::AndIOp>(inside, s.compare(P::sge, key, bound(rows[1])));
  return s.select(inside, zero, out);
}

/// What is added to the scores; null if nothing is.
FailureOr<Value> Heads::added(int64_t queries, int64_t keys) {
  bool causal = c.intAttr("unidirectional", 0);
  double filter = c.floatAttr("mask_filter_value", -10000);
  if (failed(readMask()))
    return failure();
  if (!causal && !c.has(mask) && !c.has(bias))
    return Value();
  SmallVector<Value> operands = {iota(b, queries, 2, 4), iota(b, keys, 3, 4)};
  operands.append(bounds);
  if (truth)
    operands.push_back(truth);
  unsigned rows = operands.size() - 2;
  if (c.has(bias))
    operands.push_back(single(c, bias));
  Shape shape = {1, 1, queries, keys}, scores = {shapeOf(q)[0], shapeOf(q)[1], queries, keys};
  for (Value operand : operands) {
    auto joined = broadcast(shape, shapeOf(operand));
    if (!joined || broadcast(*joined, scores) != scores)
      return c.fail("its bias of shape " + shapeName(shapeOf(operand)) +
                    " does not broadcast to scores of " + shapeName(scores));
    shape = *joined;
  }
  Type f32 = b.getF32Type();
  return elementwise(b, shape, f32, operands, [&](Scalars &s, ValueRange v) {
    Value result = s.constant(f32, 0);
    if (rows)
      result = masked(s, v.slice(2, rows), v[1], filter);
    if (c.has(bias))
      result = s.add(result, v.back());
    if (!causal)
      return result;
    Value place = s.add(v[0], s.constant(v[0], keys - queries));
    return s.select(s.compare(P::sle, v[1], place), result, s.constant(f32, -INFINITY));
  });
}

LogicalResult Heads::finish() {
  Shape qs = shapeOf(q), ks = shapeOf(k), vs = shapeOf(v);
  if (ks[0] != qs[0] || ks[1] != qs[1] || ks[3] != qs[3] ||
      ArrayRef(vs).take_front(3) != ArrayRef(ks).take_front(3))
    return c.fail("its queries " + shapeName(qs) + ", keys " + shapeName(ks) + " and values " +
                  shapeName(vs) + " do not fit");
  double scale = c.floatAttr("scale", 0);
  scale = scale ? scale : 1 / std::sqrt(double(qs[3]));
  Value scores = attentionScores(b, q, k, scale);
  auto plus = added(qs[2], ks[2]);
  if (failed(plus))
    return failure();
  if (*plus)
    scores = elementwise(b, shapeOf(scores), elementOf(scores), {scores, *plus},
                         [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
  Value taken = matrixProduct(b, softmax(b, scores, {3}), v, {qs[0], qs[1]});
  c.result(0, castTo(b, joinHeads(b, taken), c.type(0).getElementType()), c.declared(0));
  return success();
}

static void giveState(NodeContext &c, unsigned i, Value state) {
  c.result(i, castTo(c.b, state, c.type(0).getElementType()), c.declared(0));
}

/// The columns of a product, batch x sequence x width, from `start` on, plus a bias.
static Value columns(NodeContext &c, Value x, Value bias, int64_t start, int64_t width) {
  Shape shape = shapeOf(x);
  Value part = slice(c.b, x, {0, 0, start}, {shape[0], shape[1], width}, {1, 1, 1});
  if (!bias)
    return part;
  Value along = slice(c.b, bias, {start}, {width}, {1});
  return elementwise(c.b, shapeOf(part), elementOf(part), {part, along},
                     [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
}

/// Queries, keys and values are one product of the input and its merged weights.
static LogicalResult lowerMergedAttention(NodeContext &c) {
  enum : unsigned { Input, Weights, Bias, Mask, Past, Added };
  ImplicitLocOpBuilder &b = c.b;
  int64_t heads = c.intAttr("num_heads", 0);
  for (StringRef name : {"do_rotary", "past_present_share_buffer"})
    if (c.intAttr(name, 0))
      return c.fail("its attribute '" + name + "' is not supported");
  c.ignore({"rotary_embedding_dim"});
  Shape x(c.shape(Input)), w(c.shape(Weights));
  if (x.size() != 3 || w.size() != 2 || w[0] != x[2] || heads < 1 ||
      (c.has(Bias) && Shape(c.shape(Bias)) != Shape{w[1]}))
    return c.fail("its weights " + shapeName(w) + " do not fit data of " + shapeName(x) + " and " +
                  Twine(heads) + " heads");
  Shape widths = c.intsAttr("qkv_hidden_sizes", {w[1] / 3, w[1] / 3, w[1] / 3});
  if (widths.size() != 3 || widths[0] + widths[1] + widths[2] != w[1] || widths[0] != widths[1] ||
      llvm::any_of(widths, [&](int64_t width) { return width < 1 || width % heads; }))
    return c.fail("its hidden sizes " + shapeName(widths) + " do not divide weights " +
                  shapeName(w) + " for " + Twine(heads) + " heads");
  Value rows = reshape(b, single(c, Input), {x[0] * x[1], x[2]});
  Value all = reshape(b, matrixProduct(b, rows, single(c, Weights), {}), {x[0], x[1], w[1]});
  Value bias = c.has(Bias) ? single(c, Bias) : Value();
  auto part = [&](unsigned i) {
    int64_t start = i == 0 ? 0 : i == 1 ? widths[0] : widths[0] + widths[1];
    return splitHeads(b, columns(c, all, bias, start, widths[i]), heads);
  };
  Heads attention(c, Mask, Added);
  attention.q = part(0);
  attention.k = part(1);
  attention.v = part(2);
  Shape state = shapeOf(attention.k);
  if (c.has(Past)) {
    Shape past(c.shape(Past)),
        expected = {2, state[0], state[1], past.size() == 5 ? past[3] : 0, state[3]};
    if (past != expected || widths[1] != widths[2])
      return c.fail("its past of shape " + shapeName(past) + " does not fit keys of " +
                    shapeName(state));
    Shape each(ArrayRef(past).drop_front());
    auto joined = [&](int64_t which, Value next) {
      Shape one = past, starts = {which, 0, 0, 0, 0};
      one[0] = 1;
      Value old = slice(b, single(c, Past), starts, one, Shape(5, 1));
      return concat(b, 2, {reshape(b, old, each), next});
    };
    attention.k = joined(0, attention.k);
    attention.v = joined(1, attention.v);
  }
  if (c.uses(1)) {
    Shape one = shapeOf(attention.k);
    one.insert(one.begin(), 1);
    giveState(c, 1, concat(b, 0, {reshape(b, attention.k, one), reshape(b, attention.v, one)}));
  }
  return attention.finish();
}

/// A part of heads that are packed together, batch x sequence x heads x parts x size.
static Value unpackedPart(NodeContext &c, unsigned operand, int64_t part) {
  Shape shape(c.shape(operand)), one = shape;
  one[3] = 1;
  Value x = slice(c.b, single(c, operand), {0, 0, 0, part, 0}, one, Shape(5, 1));
  return transpose(c.b, reshape(c.b, x, {shape[0], shape[1], shape[2], shape[4]}), {0, 2, 1, 3});
}

/// Operand `i` over heads: it has them already (4 dimensions), or is split and biased.
static FailureOr<Value> headsOf(NodeContext &c, unsigned i, int64_t heads, int64_t biasStart) {
  enum : unsigned { Bias = 3 };
  if (c.rank(i) == 4)
    return single(c, i);
  if (c.rank(i) != 3 || c.shape(i)[2] % heads)
    return c.fail("its operand " + Twine(i) + " of shape " + shapeName(c.shape(i)) + " has no " +
                  Twine(heads) + " heads");
  int64_t width = c.shape(i)[2];
  Value bias;
  if (c.has(Bias)) {
    if (c.rank(Bias) != 1 || biasStart + width > c.shape(Bias)[0])
      return c.fail("its bias of shape " + shapeName(c.shape(Bias)) + " is too short");
    bias = slice(c.b, single(c, Bias), {biasStart}, {width}, {1});
  }
  return splitHeads(c.b, columns(c, single(c, i), bias, 0, width), heads);
}

static LogicalResult lowerMultiHeadAttention(NodeContext &c) {
  enum : unsigned { Query, Key, Value_, Bias, Mask, Added, PastKey, PastValue, PastLength, Beams };
  ImplicitLocOpBuilder &b = c.b;
  int64_t heads = c.intAttr("num_heads", 0);
  if (c.has(PastLength) || c.has(Beams))
    return c.fail("its past shares a buffer with its present or is permuted by beams",
                  "give it plain past keys and values");
  if (heads < 1 || c.has(PastKey) != c.has(PastValue))
    return c.fail("it has " + Twine(heads) + " heads, or past keys without past values");
  Heads attention(c, Mask, Added);
  bool packed = c.rank(Query) == 5, pair = c.has(Key) && c.rank(Key) == 5;
  if ((packed && (c.has(Key) || c.shape(Query)[3] != 3)) || (pair && c.shape(Key)[3] != 2) ||
      (packed && c.has(Bias)) || (!packed && !pair && !(c.has(Key) && c.has(Value_))))
    return c.fail("its queries, keys and values are neither three tensors nor packed as "
                  "batch x sequence x heads x 3 (or keys and values x 2) x size");
  if (packed) {
    attention.q = unpackedPart(c, Query, 0);
    attention.k = unpackedPart(c, Query, 1);
    attention.v = unpackedPart(c, Query, 2);
  } else {
    int64_t width = c.shape(Query).back();
    auto q = headsOf(c, Query, heads, 0);
    auto k = pair ? FailureOr<Value>(unpackedPart(c, Key, 0)) : headsOf(c, Key, heads, width);
    auto v =
        pair ? FailureOr<Value>(unpackedPart(c, Key, 1)) : headsOf(c, Value_, heads, 2 * width);
    if (failed(q) || failed(k) || failed(v))
      return failure();
    attention.q = *q;
    attention.k = *k;
    attention.v = *v;
  }
  if (c.has(PastKey)) {
    Shape past(c.shape(PastKey)), keys = shapeOf(attention.k);
    if (past.size() != 4 || past[0] != keys[0] || past[1] != keys[1] || past[3] != keys[3])
      return c.fail("its past of shape " + shapeName(past) + " does not fit keys of " +
                    shapeName(keys));
    attention.k = concat(b, 2, {single(c, PastKey), attention.k});
    attention.v = concat(b, 2, {single(c, PastValue), attention.v});
  }
  if (c.uses(1))
    giveState(c, 1, attention.k);
  if (c.uses(2))
    giveState(c, 2, attention.v);
  return attention.finish();
}

/// Positions of each token, or of the first one; the caches have a row for each position.
static LogicalResult lowerMicrosoftRotary(NodeContext &c) {
  enum : unsigned { Input, Positions, Cosines, Sines };
  ImplicitLocOpBuilder &b = c.b;
  if (c.intAttr("is_packed_batching", 0) || c.floatAttr("scale", 1) != 1)
    return c.fail("its batches are packed, or it scales");
  if (c.rank(Input) < 3 || c.rank(Cosines) != 2 || c.shape(Cosines) != c.shape(Sines))
    return c.fail("its caches " + shapeName(c.shape(Cosines)) + " do not fit data of " +
                  shapeName(c.shape(Input)));
  bool flat = c.rank(Input) == 3;
  int64_t heads = c.intAttr("num_heads", 0), width = c.intAttr("rotary_embedding_dim", 0);
  if (flat && !heads)
    heads = c.shape(Input)[2] / (2 * c.shape(Cosines)[1]);
  int64_t batch = c.shape(Input)[0], length = c.shape(Input)[flat ? 1 : 2];
  Value places = c.value(Positions);
  if (c.rank(Positions) == 1 && c.shape(Positions)[0] == 1)
    places = elementwise(
        b, {batch, length}, b.getI32Type(), {reshape(b, places, {}), iota(b, length, 1, 2)},
        [](Scalars &s, ValueRange v) { return s.add(s.cast(v[0], v[1].getType()), v[1]); });
  else if (Shape(c.shape(Positions)) != Shape{batch, length})
    return c.fail("its positions of shape " + shapeName(c.shape(Positions)) + " do not fit " +
                  Twine(batch) + " sequences of " + Twine(length));
  Value indices = fromStart(b, places, c.shape(Cosines)[0]);
  FailureOr<Value> turned = rotate(c, {c.value(Input), lookUp(b, c.value(Cosines), indices, 0),
                                       lookUp(b, c.value(Sines), indices, 0), heads, width,
                                       c.intAttr("interleaved", 0) != 0});
  if (failed(turned))
    return failure();
  c.result(0, *turned);
  return success();
}

void dojo::onnx::registerMicrosoftAttention(HandlerRegistry &registry) {
  registry.onOp("Attention", 1, lowerMergedAttention, microsoft);
  registry.onOp("MultiHeadAttention", 1, lowerMultiHeadAttention, microsoft);
  registry.onOp("RotaryEmbedding", 1, lowerMicrosoftRotary, microsoft);
}
