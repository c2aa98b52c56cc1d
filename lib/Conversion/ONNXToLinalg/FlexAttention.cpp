//===- FlexAttention.cpp - attention whose scores pass through graphs -----===//
#include "Attention.h"
#include "Softmax.h"
#include "Types.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

/// The graph `name` of the node, if it has one, on `x`, which it may not reshape.
static FailureOr<Value> through(NodeContext &c, StringRef name, Value x, Type declared) {
  if (!c.hasGraph(name))
    return x;
  auto type = cast<RankedTensorType>(x.getType());
  auto results = c.lowerBody(name, Known{type, x, nullptr, declared});
  if (failed(results))
    return failure();
  if (results->size() != 1 || results->front().type != type)
    return c.fail("its graph '" + name + "' does not give one tensor of the type " +
                  shapeName(type.getShape()) + " that it takes");
  return c.valueOf(results->front());
}

static LogicalResult lowerFlexAttention(NodeContext &c) {
  enum : unsigned { Q, K, V };
  ImplicitLocOpBuilder &b = c.b;
  int64_t precision = c.intAttr("softmax_precision", 0);
  for (unsigned i : {Q, K, V})
    if (c.rank(i) != 4)
      return c.fail("its operand " + Twine(i) + " of shape " + shapeName(c.shape(i)) +
                    " has no batch, heads, sequence and size");
  Shape q(c.shape(Q)), k(c.shape(K)), v(c.shape(V));
  if (k[0] != q[0] || k[3] != q[3] || ArrayRef(v).take_front(3) != ArrayRef(k).take_front(3) ||
      k[1] < 1 || q[1] % k[1])
    return c.fail("its queries " + shapeName(q) + ", keys " + shapeName(k) + " and values " +
                  shapeName(v) + " do not fit");
  Type f32 = b.getF32Type();
  Type declared = precision               ? declaredType(b.getContext(), precision)
                  : c.declared(Q).isF64() ? c.declared(Q)
                                          : f32;
  if (!declared || !isa<FloatType>(declared) || computedType(declared) != f32)
    return c.fail("its softmax_precision names no type that is computed in float32");
  double scale = c.floatAttr("scale", 1 / std::sqrt(double(q[3])));
  auto heads = [&](unsigned i) {
    return repeatHeads(b, castTo(b, c.value(i), f32), q[1] / c.shape(i)[1]);
  };
  auto scores = through(c, "score_mod", attentionScores(b, heads(Q), heads(K), scale), declared);
  if (failed(scores))
    return failure();
  auto shares = through(c, "prob_mod", softmax(b, *scores, {3}), declared);
  if (failed(shares))
    return failure();
  Value taken = matrixProduct(b, *shares, heads(V), {q[0], q[1]});
  c.result(0, castTo(b, taken, c.type(V).getElementType()), c.declared(V));
  return success();
}

void dojo::onnx::registerFlexAttention(HandlerRegistry &registry) {
  registry.onOp("FlexAttention", 1, lowerFlexAttention, "ai.onnx.preview");
}
