//===- Activations.cpp - what stands between the layers of networks -------===//
#include "Activations.h"
#include "Elementwise.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

namespace {

using P = arith::CmpIPredicate;

Value positive(Scalars &s, Value x) { return s.compare(P::sgt, x, s.constant(x, 0)); }
Value scaled(Scalars &s, Value x, double by) { return s.mul(x, s.constant(x, by)); }
/// exp(x) - 1, scaled
Value expMinusOne(Scalars &s, Value x, double by) {
  return scaled(s, s.make<math::ExpM1Op>(x), by);
}
Value softplus(Scalars &s, Value x) {
  Value positivePart = s.max(x, s.constant(x, 0));
  Value decay = s.exp(s.neg(s.make<math::AbsFOp>(x)));
  return s.add(positivePart, s.make<math::Log1pOp>(decay));
}
Value clamp(Scalars &s, Value x, double low, double high) {
  return s.min(s.max(x, s.constant(x, low)), s.constant(x, high));
}
/// x moved by a bias towards zero beyond a threshold, zero inside.
Value shrink(Scalars &s, Value x, Params a) {
  Value zero = s.constant(x, 0), low = s.add(x, s.constant(x, a[0])),
        high = s.sub(x, s.constant(x, a[0]));
  Value upper = s.select(s.compare(P::sgt, x, s.constant(x, a[1])), high, zero);
  return s.select(s.compare(P::slt, x, s.constant(x, -a[1])), low, upper);
}

constexpr double seluAlpha = 1.67326319217681884765625, seluGamma = 1.05070102214813232421875;

const Unary unaries[] = {
    {"Relu", 1, Numbers, {}, UNARY(s.max(x, s.constant(x, 0)))},
    {"LeakyRelu",
     1,
     Floats,
     {{"alpha", 0.01}},
     UNARY(s.select(positive(s, x), x, scaled(s, x, a[0])))},
    {"ThresholdedRelu",
     1,
     Floats,
     {{"alpha", 1}},
     UNARY(s.select(s.compare(P::sgt, x, s.constant(x, a[0])), x, s.constant(x, 0)))},
    {"Elu", 1, Floats, {{"alpha", 1}}, UNARY(s.select(positive(s, x), x, expMinusOne(s, x, a[0])))},
    {"Celu",
     12,
     Floats,
     {{"alpha", 1}},
     UNARY(s.select(positive(s, x), x, expMinusOne(s, scaled(s, x, 1 / a[0]), a[0])))},
    {"Selu",
     1,
     Floats,
     {{"alpha", seluAlpha}, {"gamma", seluGamma}},
     UNARY(scaled(s, s.select(positive(s, x), x, expMinusOne(s, x, a[0])), a[1]))},
    {"Sigmoid", 1, Floats, {}, UNARY(s.sigmoid(x))},
    {"HardSigmoid",
     1,
     Floats,
     {{"alpha", 0.2}, {"beta", 0.5}},
     UNARY(clamp(s, s.add(scaled(s, x, a[0]), s.constant(x, a[1])), 0, 1))},
    {"HardSwish",
     14,
     Floats,
     {},
     UNARY(s.mul(x, clamp(s, s.add(scaled(s, x, 1.0 / 6), s.constant(x, 0.5)), 0, 1)))},
    {"Swish", 24, Floats, {{"alpha", 1}}, UNARY(s.mul(x, s.sigmoid(scaled(s, x, a[0]))))},
    {"Softplus", 1, Floats, {}, UNARY(softplus(s, x))},
    {"Softsign", 1, Floats, {}, UNARY(s.div(x, s.add(s.constant(x, 1), s.make<math::AbsFOp>(x))))},
    {"Mish", 18, Floats, {}, UNARY(s.mul(x, s.make<math::TanhOp>(softplus(s, x))))},
    {"Shrink", 9, Numbers, {{"bias", 0}, {"lambd", 0.5}}, shrink},
    {"Tanh", 1, Floats, {}, apply<math::TanhOp>},
};

/// The first operand, swished, gates the second.
LogicalResult lowerSwiGLU(NodeContext &c) {
  double alpha = c.floatAttr("alpha", 1);
  if (failed(commonShape(c, 2)) || failed(checkKind(c, Floats)))
    return failure();
  if (c.shape(0) != c.shape(1))
    return c.fail("its operands of shapes " + shapeName(c.shape(0)) + " and " +
                  shapeName(c.shape(1)) + " differ");
  c.result(0, elementwise(c.b, c.shape(0), resultType(c, Same), {c.value(0), c.value(1)},
                          [&](Scalars &s, ValueRange v) {
                            return s.mul(s.mul(v[0], s.sigmoid(scaled(s, v[0], alpha))), v[1]);
                          }));
  return success();
}

LogicalResult lowerGelu(NodeContext &c) {
  std::string kind = c.stringAttr("approximate", "none");
  if (failed(checkKind(c, Floats)))
    return failure();
  c.result(0, elementwise(c.b, c.shape(0), resultType(c, Same), c.value(0),
                          [&](Scalars &s, ValueRange v) {
                            return kind == "tanh" ? s.geluTanh(v[0]) : s.gelu(v[0]);
                          }));
  return success();
}

/// x where it is positive, else x * slope; the slope may lie along the channels.
LogicalResult lowerPRelu(NodeContext &c) {
  Shape slope(c.shape(1));
  bool alongChannels = slope.size() == 1 && c.rank(0) > 2 && slope[0] == c.shape(0)[1] &&
                       broadcast(c.shape(0), slope) != Shape(c.shape(0));
  if (alongChannels)
    slope.append(c.rank(0) - 2, 1);
  if (broadcast(c.shape(0), slope) != Shape(c.shape(0)))
    return c.fail("its slope of shape " + shapeName(slope) + " does not broadcast to " +
                  shapeName(c.shape(0)));
  if (failed(checkKind(c, Numbers)))
    return failure();
  c.result(0, elementwise(c.b, c.shape(0), resultType(c, Same),
                          {c.value(0), reshape(c.b, c.value(1), slope)},
                          [&](Scalars &s, ValueRange v) {
                            s.isUnsigned = c.isUnsigned(0);
                            return s.select(positive(s, v[0]), v[0], s.mul(v[0], v[1]));
                          }));
  return success();
}

} // namespace

std::optional<UnaryFunction> dojo::onnx::unaryFunction(StringRef op) {
  for (const Unary &entry : unaries) {
    if (op != entry.op)
      continue;
    UnaryFunction function{{}, entry.body};
    for (const auto &attribute : entry.attributes)
      function.defaults.push_back(attribute.otherwise);
    return function;
  }
  return std::nullopt;
}

void dojo::onnx::registerActivations(HandlerRegistry &registry) {
  registerUnaries(registry, unaries);
  registry.onOp("Gelu", 20, lowerGelu);
  registry.onOp("SwiGLU", 28, lowerSwiGLU);
  registry.onOp("PRelu", 1, lowerPRelu);
}
