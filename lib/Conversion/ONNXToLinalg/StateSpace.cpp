//===- StateSpace.cpp - operators that carry a state along a sequence -----===//
#include "Attention.h"
#include "StepLoop.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

/// A convolution of each channel with the past before it; the state is the end of the
/// padded sequence, which the next call takes as its past.
static LogicalResult lowerCausalConv(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  std::string activation = c.stringAttr("activation", "none");
  if (!llvm::is_contained({"none", "silu", "swish"}, StringRef(activation)))
    return c.fail("its activation '" + activation + "' is none of none, silu and swish");
  if (c.rank(0) != 3 || c.rank(1) != 3 || c.shape(1)[0] != c.shape(0)[1] || c.shape(1)[1] != 1 ||
      c.shape(1)[2] < 1)
    return c.fail("its weights " + shapeName(c.shape(1)) + " do not fit data of " +
                  shapeName(c.shape(0)));
  int64_t batch = c.shape(0)[0], channels = c.shape(0)[1], length = c.shape(0)[2];
  int64_t size = c.shape(1)[2];
  Shape past = {batch, channels, size - 1};
  if (c.has(3) && Shape(c.shape(3)) != past)
    return c.fail("its past of shape " + shapeName(c.shape(3)) + " is not " + shapeName(past));
  if (c.has(2) && Shape(c.shape(2)) != Shape{channels})
    return c.fail("its bias of shape " + shapeName(c.shape(2)) + " does not fit " +
                  Twine(channels) + " channels");
  Type f32 = b.getF32Type(), element = c.type(0).getElementType();
  Value x = castTo(b, c.value(0), f32);
  if (size > 1 && c.has(3))
    x = concat(b, 2, {castTo(b, c.value(3), f32), x});
  else
    x = pad(b, x, {0, 0, size - 1}, {0, 0, 0}, Scalars(b, b.getLoc()).constant(f32, 0));
  Value weights = reshape(b, castTo(b, c.value(1), f32), {channels, size});
  Value init = zeros(b, {batch, channels, length}, f32);
  Value sums = linalg::DepthwiseConv1DNcwCwOp::create(
                   b, TypeRange(init.getType()), ValueRange{x, weights}, ValueRange(init),
                   b.getI64VectorAttr({1}), b.getI64VectorAttr({1}))
                   .getResult(0);
  SmallVector<Value> operands = {sums};
  if (c.has(2))
    operands.push_back(along(b, castTo(b, c.value(2), f32), 1, 3));
  Value result = elementwise(b, shapeOf(sums), f32, operands, [&](Scalars &s, ValueRange v) {
    Value y = v.size() > 1 ? s.add(v[0], v[1]) : v[0];
    return activation == "none" ? y : s.mul(y, s.sigmoid(y));
  });
  c.result(0, castTo(b, result, element), c.declared(0));
  Value state = slice(b, x, {0, 0, length}, past, {1, 1, 1});
  c.result(1, castTo(b, state, element), c.declared(0));
  return success();
}

namespace {

/// A state of matrices S, one for each head of keys, that each token updates and reads:
///     S = exp(decay) * S;  v = beta * (v - k * S);  S = S + k^T * v;  result = scale * q * S
/// The rule says which of decay and beta there are.
class LinearAttention {
public:
  explicit LinearAttention(NodeContext &c) : c(c), b(c.b) {}

  LogicalResult lower();

private:
  enum Operand : unsigned { Q, K, V, Past, Decay, Beta };

  LogicalResult readShapes();
  LogicalResult checkGates();
  void build(Value state);
  Value single(unsigned operand) { return castTo(b, c.value(operand), b.getF32Type()); }
  /// batch x time x heads x size, or x 1 for one value a head.
  Value apart(Value x, int64_t heads);
  Value step(Value state, Value key, Value value, Value decay, Value beta);

  NodeContext &c;
  ImplicitLocOpBuilder &b;
  int64_t batch = 0, length = 0, queryHeads = 0, heads = 0, size = 0, width = 0;
  bool gated = false, corrected = false;
};

} // namespace

LogicalResult LinearAttention::readShapes() {
  queryHeads = c.intAttr("q_num_heads", 0);
  heads = c.intAttr("kv_num_heads", 0);
  if (queryHeads < 1 || heads < 1 || queryHeads % heads)
    return c.fail("its " + Twine(heads) + " heads of keys do not divide its " + Twine(queryHeads) +
                  " heads of queries");
  for (unsigned i : {Q, K, V})
    if (c.rank(i) != 3 || c.shape(i)[0] != c.shape(Q)[0] || c.shape(i)[1] != c.shape(Q)[1] ||
        c.shape(i)[2] % (i == Q ? queryHeads : heads))
      return c.fail("its operand " + Twine(i) + " of shape " + shapeName(c.shape(i)) +
                    " is no batch of sequences of its heads");
  batch = c.shape(Q)[0];
  length = c.shape(Q)[1];
  size = c.shape(Q)[2] / queryHeads;
  width = c.shape(V)[2] / heads;
  if (c.shape(K)[2] != heads * size)
    return c.fail("its keys of shape " + shapeName(c.shape(K)) + " do not fit queries of " +
                  shapeName(c.shape(Q)));
  Shape state = {batch, heads, size, width};
  if (c.has(Past) && Shape(c.shape(Past)) != state)
    return c.fail("its past of shape " + shapeName(c.shape(Past)) + " is not " + shapeName(state));
  return checkGates();
}

LogicalResult LinearAttention::checkGates() {
  std::string rule = c.stringAttr("update_rule", "gated_delta");
  if (!llvm::is_contained({"linear", "gated", "delta", "gated_delta"}, StringRef(rule)))
    return c.fail("its update_rule '" + rule + "' is none of linear, gated, delta and gated_delta");
  gated = StringRef(rule).starts_with("gated");
  corrected = StringRef(rule).ends_with("delta");
  if (gated != c.has(Decay) || corrected != c.has(Beta))
    return c.fail("its update_rule '" + rule + "' takes " + (gated ? "a" : "no") + " decay and " +
                  (corrected ? "a" : "no") + " beta");
  auto fits = [&](unsigned i, std::initializer_list<int64_t> sizes) {
    return !c.has(i) || (c.rank(i) == 3 && c.shape(i)[0] == batch && c.shape(i)[1] == length &&
                         llvm::is_contained(sizes, c.shape(i)[2]));
  };
  if (!fits(Decay, {heads, heads * size}) || !fits(Beta, {heads, 1}))
    return c.fail("its decay or beta does not fit " + Twine(heads) + " heads of " + Twine(size));
  return success();
}

Value LinearAttention::apart(Value x, int64_t count) {
  Shape shape = shapeOf(x);
  return reshape(b, x, {shape[0], shape[1], count, shape[2] / count});
}

/// Key and decay are batch x heads x size, the value batch x heads x width; decay and beta
/// may be null.
Value LinearAttention::step(Value state, Value key, Value value, Value decay, Value beta) {
  Type f32 = b.getF32Type();
  Shape row = {batch, heads, 1, width};
  auto column = [&](Value x) {
    Shape shape = shapeOf(x);
    return reshape(b, x, {shape[0], shape[1], shape[2], 1});
  };
  value = reshape(b, value, row);
  if (decay)
    state = elementwise(b, shapeOf(state), f32, {state, column(decay)},
                        [](Scalars &s, ValueRange v) { return s.mul(v[0], v[1]); });
  if (beta) {
    Value known = matrixProduct(b, reshape(b, key, {batch, heads, 1, size}), state, {batch, heads});
    value = elementwise(b, row, f32, {value, known, column(beta)},
                        [](Scalars &s, ValueRange v) { return s.mul(v[2], s.sub(v[0], v[1])); });
  }
  return elementwise(b, shapeOf(state), f32, {state, column(key), value},
                     [](Scalars &s, ValueRange v) { return s.add(v[0], s.mul(v[1], v[2])); });
}

void LinearAttention::build(Value state) {
  double scale = c.floatAttr("scale", 0);
  scale = scale ? scale : 1 / std::sqrt(double(size));
  auto mapped = [&](Value x, Body body) {
    return elementwise(b, shapeOf(x), elementOf(x), x, body);
  };
  Value q = mapped(single(Q),
                   [&](Scalars &s, ValueRange v) { return s.mul(v[0], s.constant(v[0], scale)); });
  q = apart(q, queryHeads);
  Value k = apart(single(K), heads), v = apart(single(V), heads), decay, beta;
  if (gated)
    decay =
        mapped(apart(single(Decay), heads), [](Scalars &s, ValueRange v) { return s.exp(v[0]); });
  if (corrected)
    beta = apart(single(Beta), c.shape(Beta)[2]);
  StepLoop loop(b, length, state);
  auto now = [&](Value x) { return x ? loop.slice(x, 1, false) : Value(); };
  Value next = step(loop.carried()[0], now(k), now(v), now(decay), now(beta));
  // Neighbouring heads of queries share one of keys.
  Value queries = reshape(b, now(q), {batch, heads, queryHeads / heads, size});
  Value read =
      reshape(b, matrixProduct(b, queries, next, {batch, heads}), {batch, queryHeads * width});
  SmallVector<Value> results = loop.finish(next, StepLoop::Collected{read, 1, false});
  c.result(0, castTo(b, results[1], c.type(Q).getElementType()), c.declared(Q));
  unsigned like = c.has(Past) ? Past : Q;
  c.result(1, castTo(b, results[0], c.type(like).getElementType()), c.declared(like));
}

LogicalResult LinearAttention::lower() {
  c.ignore({"chunk_size"});
  if (failed(readShapes()))
    return failure();
  build(c.has(Past) ? single(Past) : zeros(b, {batch, heads, size, width}, b.getF32Type()));
  return success();
}

static LogicalResult lowerLinearAttention(NodeContext &c) { return LinearAttention(c).lower(); }

void dojo::onnx::registerStateSpace(HandlerRegistry &registry) {
  registry.onOp("CausalConvWithState", 27, lowerCausalConv);
  registry.onOp("LinearAttention", 27, lowerLinearAttention);
}
