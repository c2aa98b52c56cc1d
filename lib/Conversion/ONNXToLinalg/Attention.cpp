//===- Attention.cpp - attention and rotary embeddings --------------------===//
#include "Softmax.h"
#include "Types.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

/// batch x sequence x (heads * size) as batch x heads x sequence x size.
static Value splitHeads(ImplicitLocOpBuilder &b, Value x, int64_t heads) {
  Shape s = shapeOf(x);
  Value split = reshape(b, x, {s[0], s[1], heads, s[2] / heads});
  return transpose(b, split, {0, 2, 1, 3});
}

static Value joinHeads(ImplicitLocOpBuilder &b, Value x) {
  Shape s = shapeOf(x);
  return reshape(b, transpose(b, x, {0, 2, 1, 3}), {s[0], s[2], s[1] * s[3]});
}

/// Each head `times` times in a row.
static Value repeatHeads(ImplicitLocOpBuilder &b, Value x, int64_t times) {
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

namespace {

/// The operands and attributes of an Attention node.
class Attention {
public:
  explicit Attention(NodeContext &c) : c(c), b(c.b) {}

  LogicalResult lower();

private:
  enum Operand : unsigned { Q, K, V, Mask, PastKey, PastValue, Lengths };

  LogicalResult readShapes();
  Value single(unsigned operand);
  Value heads(unsigned operand, int64_t count);
  Value maskOperand();
  Value bias();
  Value allowed(Scalars &s, Value row, Value column, Value length);
  void give(unsigned i, Value value);

  NodeContext &c;
  ImplicitLocOpBuilder &b;
  bool flat = false, causal = false;
  int64_t queryHeads = 0, keyHeads = 0, queries = 0, keys = 0, past = 0, left = -1, right = -1;
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
  past = c.has(PastKey) ? c.shape(PastKey)[2] : 0;
  queries = c.shape(Q)[flat ? 1 : 2];
  keys = past + c.shape(K)[flat ? 1 : 2];
  causal = c.intAttr("is_causal", 0);
  left = c.intAttr("left_window_size", -1);
  right = c.intAttr("right_window_size", -1);
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
  int64_t mode = c.intAttr("qk_matmul_output_mode", 0);
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
  k = repeatHeads(b, scaled(b, k, std::sqrt(scale)), times);
  v = repeatHeads(b, v, times);
  Shape batch = {shapeOf(q)[0], queryHeads};
  Value scores =
      matrixProduct(b, scaled(b, q, std::sqrt(scale)), transpose(b, k, {0, 1, 3, 2}), batch);
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
  Value taken = matrixProduct(b, shares, v, batch);
  give(0, flat ? joinHeads(b, taken) : taken);
  return success();
}

static LogicalResult lowerAttention(NodeContext &c) { return Attention(c).lower(); }

/// Rows of a table by run-time indices, batch x sequence.
static Value rowsOf(ImplicitLocOpBuilder &b, Value table, Value indices) {
  Shape shape = shapeOf(indices);
  int64_t rows = shapeOf(table)[0];
  shape.push_back(shapeOf(table)[1]);
  return fold(b, 4, {{indices, {0, 1}}, {iota(b, rows), {3}}, {table, {3, 2}}},
              {zeros(b, shape, elementOf(table)), {0, 1, 2}}, [&](Scalars &s, ValueRange v) {
                Value here = s.compare(P::eq, s.cast(v[0], b.getI32Type()), v[1]);
                return s.add(v[3], s.select(here, v[2], s.constant(v[2], 0)));
              });
}

/// Pairs of elements turned by angles whose cosines and sines are given by position.
static LogicalResult lowerRotaryEmbedding(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  bool interleaved = c.intAttr("interleaved", 0), flat = c.rank(0) == 3;
  int64_t count = c.intAttr("num_heads", 0);
  if ((!flat && c.rank(0) != 4) || (flat && (count < 1 || c.shape(0)[2] % count)))
    return c.fail("it needs 4 dimensions, or 3 and num_heads, and has " + shapeName(c.shape(0)));
  Value x = flat ? splitHeads(b, c.value(0), count) : c.value(0);
  Shape shape = shapeOf(x), ones(4, 1);
  int64_t width = c.intAttr("rotary_embedding_dim", 0), size = shape[3];
  width = width ? width : size;
  int64_t half = width / 2;
  auto angles = [&](unsigned operand) {
    Value table = c.value(operand);
    if (c.has(3))
      table = rowsOf(b, table, c.value(3));
    return table;
  };
  Value cosines = angles(1), sines = angles(2);
  Shape expected = {shape[0], shape[2], half};
  if (shapeOf(cosines) != expected || shapeOf(sines) != expected)
    return c.fail("its cosines of shape " + shapeName(shapeOf(cosines)) + " do not fit " +
                  shapeName(shape));
  Shape perHead = {shape[0], 1, shape[2], half}, part = {shape[0], shape[1], shape[2], half};
  cosines = reshape(b, cosines, perHead);
  sines = reshape(b, sines, perHead);
  Shape steps = {1, 1, 1, interleaved ? 2 : 1};
  Value first = slice(b, x, {0, 0, 0, 0}, part, steps);
  Value second = slice(b, x, {0, 0, 0, interleaved ? 1 : half}, part, steps);
  Type element = elementOf(x);
  auto turned = [&](bool imaginary) {
    return elementwise(b, part, element, {first, second, cosines, sines},
                       [&](Scalars &s, ValueRange v) {
                         return imaginary ? s.add(s.mul(v[3], v[0]), s.mul(v[2], v[1]))
                                          : s.sub(s.mul(v[2], v[0]), s.mul(v[3], v[1]));
                       });
  };
  Value real = turned(false), imaginary = turned(true), result;
  if (interleaved) {
    Shape column = part;
    column.push_back(1);
    Value pairs = concat(b, 4, {reshape(b, real, column), reshape(b, imaginary, column)});
    result = reshape(b, pairs, {shape[0], shape[1], shape[2], width});
  } else {
    result = concat(b, 3, {real, imaginary});
  }
  if (width < size) {
    Value rest = slice(b, x, {0, 0, 0, width}, {shape[0], shape[1], shape[2], size - width}, ones);
    result = concat(b, 3, {result, rest});
  }
  c.result(0, flat ? joinHeads(b, result) : result);
  return success();
}

void dojo::onnx::registerAttention(HandlerRegistry &registry) {
  registry.onOp("Attention", 23, lowerAttention);
  registry.onOp("RotaryEmbedding", 23, lowerRotaryEmbedding);
}
