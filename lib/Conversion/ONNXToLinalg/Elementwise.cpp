//===- Elementwise.cpp - operators that compute each element by itself ----===//
//
// Tables: an entry names the ONNX operator, what it may be applied to, its
// float attributes with their defaults, and the scalar that it computes.
//
//===----------------------------------------------------------------------===//
#include "Elementwise.h"
#include "Types.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

namespace {

enum Kinds { Floats = 1, Ints = 2, Bools = 4, Numbers = Floats | Ints, All = Numbers | Bools };
enum Result { Same, Bool };

struct Attribute {
  const char *name;
  double otherwise;
};

struct Unary {
  const char *op;
  int64_t since;
  Kinds kinds;
  std::vector<Attribute> attributes;
  Value (*body)(Scalars &s, Value x, ArrayRef<double> a);
  Result result = Same;
};

struct Binary {
  const char *op;
  int64_t since;
  Kinds kinds;
  Value (*body)(Scalars &s, Value x, Value y);
  Result result = Same;
};

using P = arith::CmpIPredicate;

Value positive(Scalars &s, Value x) { return s.compare(P::sgt, x, s.constant(x, 0)); }
Value constant(Scalars &s, Value like, double value) { return s.constant(like, value); }
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
Value absolute(Scalars &s, Value x) {
  return isa<FloatType>(x.getType()) ? s.make<math::AbsFOp>(x) : s.max(x, s.neg(x));
}
Value sign(Scalars &s, Value x) {
  Value zero = s.constant(x, 0);
  Value negative = s.select(s.compare(P::slt, x, zero), s.constant(x, -1), zero);
  return s.select(s.compare(P::sgt, x, zero), s.constant(x, 1), negative);
}
template <typename Op>
Value apply(Scalars &s, Value x, ArrayRef<double>) {
  return s.make<Op>(x);
}

using Params = ArrayRef<double>;

Value isInfinite(Scalars &s, Value x, Params a) {
  Value above = s.compare(P::eq, x, s.constant(x, INFINITY));
  Value below = s.compare(P::eq, x, s.constant(x, -INFINITY));
  return s.make<arith::OrIOp>(s.make<arith::AndIOp>(below, s.constant(below, a[0])),
                              s.make<arith::AndIOp>(above, s.constant(above, a[1])));
}
/// x moved by a bias towards zero beyond a threshold, zero inside.
Value shrink(Scalars &s, Value x, Params a) {
  Value zero = s.constant(x, 0), low = s.add(x, s.constant(x, a[0])),
        high = s.sub(x, s.constant(x, a[0]));
  Value upper = s.select(s.compare(P::sgt, x, s.constant(x, a[1])), high, zero);
  return s.select(s.compare(P::slt, x, s.constant(x, -a[1])), low, upper);
}

constexpr double seluAlpha = 1.67326319217681884765625, seluGamma = 1.05070102214813232421875;

#define UNARY(RESULT) [](Scalars &s, Value x, Params a) -> Value { return RESULT; }
#define BINARY(RESULT) [](Scalars &s, Value x, Value y) -> Value { return RESULT; }

const Unary unaries[] = {
    {"Abs", 1, Numbers, {}, UNARY(absolute(s, x))},
    {"Neg", 1, Numbers, {}, UNARY(s.neg(x))},
    {"Sign", 9, Numbers, {}, UNARY(sign(s, x))},
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
    {"Softsign", 1, Floats, {}, UNARY(s.div(x, s.add(s.constant(x, 1), absolute(s, x))))},
    {"Mish", 18, Floats, {}, UNARY(s.mul(x, s.make<math::TanhOp>(softplus(s, x))))},
    {"Shrink", 9, Numbers, {{"bias", 0}, {"lambd", 0.5}}, shrink},
    {"Tanh", 1, Floats, {}, apply<math::TanhOp>},
    {"Exp", 1, Floats, {}, apply<math::ExpOp>},
    {"Log", 1, Floats, {}, apply<math::LogOp>},
    {"Sqrt", 1, Floats, {}, apply<math::SqrtOp>},
    {"Erf", 9, Floats, {}, apply<math::ErfOp>},
    {"Reciprocal", 1, Floats, {}, UNARY(s.div(s.constant(x, 1), x))},
    {"Floor", 1, Floats, {}, apply<math::FloorOp>},
    {"Ceil", 1, Floats, {}, apply<math::CeilOp>},
    {"Round", 11, Floats, {}, apply<math::RoundEvenOp>},
    {"Sin", 7, Floats, {}, apply<math::SinOp>},
    {"Cos", 7, Floats, {}, apply<math::CosOp>},
    {"Tan", 7, Floats, {}, apply<math::TanOp>},
    {"Asin", 7, Floats, {}, apply<math::AsinOp>},
    {"Acos", 7, Floats, {}, apply<math::AcosOp>},
    {"Atan", 7, Floats, {}, apply<math::AtanOp>},
    {"Sinh", 9, Floats, {}, apply<math::SinhOp>},
    {"Cosh", 9, Floats, {}, apply<math::CoshOp>},
    {"Asinh", 9, Floats, {}, apply<math::AsinhOp>},
    {"Acosh", 9, Floats, {}, apply<math::AcoshOp>},
    {"Atanh", 9, Floats, {}, apply<math::AtanhOp>},
    {"Not", 1, Bools, {}, UNARY(s.make<arith::XOrIOp>(x, s.constant(x, 1)))},
    {"BitwiseNot", 18, Ints, {}, UNARY(s.make<arith::XOrIOp>(x, s.constant(x, -1)))},
    {"IsNaN", 9, Floats, {}, UNARY(s.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, x, x)), Bool},
    {"IsInf", 10, Floats, {{"detect_negative", 1}, {"detect_positive", 1}}, isInfinite, Bool},
};

/// The rest of a truncated quotient, which has the sign of x.
Value remainder(Scalars &s, Value x, Value y) {
  if (!isa<FloatType>(x.getType()))
    return s.isUnsigned ? s.make<arith::RemUIOp>(x, y) : s.make<arith::RemSIOp>(x, y);
  Value size = s.make<math::AbsFOp>(y);
  Value quotient = s.make<math::TruncOp>(s.div(x, y));
  Value rest = s.make<math::FmaOp>(s.neg(quotient), y, x);
  Value infinite = s.compare(P::eq, size, s.constant(x, INFINITY));
  Value isNumber = s.compare(P::slt, s.make<math::AbsFOp>(x), s.constant(x, INFINITY));
  rest = s.select(s.make<arith::AndIOp>(infinite, isNumber), x, rest);
  return s.make<math::CopySignOp>(rest, x);
}

/// x - floor(x / y) * y, which has the sign of y.
Value floorModulo(Scalars &s, Value x, Value y) {
  Value rest = remainder(s, x, y), zero = s.constant(x, 0);
  if (s.isUnsigned)
    return rest;
  Value differs = s.make<arith::XOrIOp>(s.compare(P::slt, rest, zero), s.compare(P::slt, y, zero));
  Value corrected = s.make<arith::AndIOp>(differs, s.compare(P::ne, rest, zero));
  return s.select(corrected, s.add(rest, y), rest);
}

const Binary binaries[] = {
    {"Add", 1, Numbers, BINARY(s.add(x, y))},
    {"Sub", 1, Numbers, BINARY(s.sub(x, y))},
    {"Mul", 1, Numbers, BINARY(s.mul(x, y))},
    {"Div", 1, Numbers, BINARY(s.div(x, y))},
    {"And", 1, Bools, BINARY(s.make<arith::AndIOp>(x, y))},
    {"Or", 1, Bools, BINARY(s.make<arith::OrIOp>(x, y))},
    {"Xor", 1, Bools, BINARY(s.make<arith::XOrIOp>(x, y))},
    {"BitwiseAnd", 18, Ints, BINARY(s.make<arith::AndIOp>(x, y))},
    {"BitwiseOr", 18, Ints, BINARY(s.make<arith::OrIOp>(x, y))},
    {"BitwiseXor", 18, Ints, BINARY(s.make<arith::XOrIOp>(x, y))},
    {"Equal", 1, All, BINARY(s.compare(P::eq, x, y)), Bool},
    {"Less", 1, Numbers, BINARY(s.compare(P::slt, x, y)), Bool},
    {"LessOrEqual", 12, Numbers, BINARY(s.compare(P::sle, x, y)), Bool},
    {"Greater", 1, Numbers, BINARY(s.compare(P::sgt, x, y)), Bool},
    {"GreaterOrEqual", 12, Numbers, BINARY(s.compare(P::sge, x, y)), Bool},
};

/// Operators of any number of operands, folded from the left.
const Binary variadics[] = {
    {"Min", 1, Numbers, BINARY(s.min(x, y))},
    {"Max", 1, Numbers, BINARY(s.max(x, y))},
    {"Sum", 1, Floats, BINARY(s.add(x, y))},
    {"Mean", 1, Floats, BINARY(s.add(x, y))},
};

#undef UNARY
#undef BINARY

Kinds kindOf(Type element) {
  return isa<FloatType>(element) ? Floats : element.isInteger(1) ? Bools : Ints;
}

LogicalResult checkKind(NodeContext &c, Kinds kinds, unsigned first = 0) {
  Type element = c.type(first).getElementType();
  for (unsigned i = first; i < c.size(); ++i)
    if (c.has(i) && c.type(i).getElementType() != element)
      return c.fail("its operands are " + typeName(element) + " and " +
                    typeName(c.type(i).getElementType()) + "; they must agree");
  if (!(kindOf(element) & kinds))
    return c.fail("it is not defined on " + typeName(element));
  return success();
}

/// The shape that `count` operands broadcast to; 0 stands for any number but none.
FailureOr<Shape> commonShape(NodeContext &c, unsigned count) {
  if (count ? c.size() != count : c.size() == 0)
    return c.fail("it has " + Twine(c.size()) + " operands");
  Shape shape;
  for (unsigned i = 0; i < c.size(); ++i) {
    auto wider = broadcast(shape, c.shape(i));
    if (!wider)
      return c.fail("its operands of shapes " + shapeName(shape) + " and " + shapeName(c.shape(i)) +
                    " do not broadcast");
    shape = *wider;
  }
  return shape;
}

/// The second of two operands. Before opset 7 it could be laid along the first from
/// dimension `axis` on.
FailureOr<Value> alignedSecond(NodeContext &c) {
  c.ignore({"consumed_inputs", "broadcast"});
  int64_t axis = c.intAttr("axis", -1);
  if (axis < 0) {
    if (failed(commonShape(c, 2)))
      return failure();
    return c.value(1);
  }
  Shape shape(c.shape(1));
  if (axis + c.rank(1) > c.rank(0))
    return c.fail("it cannot lay " + shapeName(shape) + " along " + shapeName(c.shape(0)) +
                  " from dimension " + Twine(axis) + " on");
  shape.append(c.rank(0) - axis - c.rank(1), 1);
  if (broadcast(c.shape(0), shape) != Shape(c.shape(0)))
    return c.fail("its operands of shapes " + shapeName(c.shape(0)) + " and " + shapeName(shape) +
                  " do not broadcast");
  return reshape(c.b, c.value(1), shape);
}

SmallVector<Value> allValues(NodeContext &c) {
  SmallVector<Value> values;
  for (unsigned i = 0; i < c.size(); ++i)
    values.push_back(c.value(i));
  return values;
}

Type resultType(NodeContext &c, Result result) {
  return result == Bool ? Type(c.b.getI1Type()) : c.type(0).getElementType();
}

Handler lowerUnary(const Unary &entry) {
  return [&entry](NodeContext &c) -> LogicalResult {
    SmallVector<double> parameters;
    for (const Attribute &attribute : entry.attributes)
      parameters.push_back(c.numberAttr(attribute.name, attribute.otherwise));
    c.ignore({"consumed_inputs"});
    if (failed(checkKind(c, entry.kinds)))
      return failure();
    c.result(0, elementwise(c.b, c.shape(0), resultType(c, entry.result), c.value(0),
                            [&](Scalars &s, ValueRange v) {
                              s.isUnsigned = c.isUnsigned(0);
                              return entry.body(s, v[0], parameters);
                            }));
    return success();
  };
}

Handler lowerBinary(const Binary &entry) {
  return [&entry](NodeContext &c) -> LogicalResult {
    FailureOr<Value> second = alignedSecond(c);
    if (failed(second) || failed(checkKind(c, entry.kinds)))
      return failure();
    auto shape = broadcast(c.shape(0), shapeOf(*second));
    c.result(0, elementwise(c.b, *shape, resultType(c, entry.result), {c.value(0), *second},
                            [&](Scalars &s, ValueRange v) {
                              s.isUnsigned = c.isUnsigned(0);
                              return entry.body(s, v[0], v[1]);
                            }));
    return success();
  };
}

Handler lowerVariadic(const Binary &entry) {
  return [&entry](NodeContext &c) -> LogicalResult {
    auto shape = commonShape(c, 0);
    if (failed(shape) || failed(checkKind(c, entry.kinds)))
      return failure();
    bool mean = c.op() == "Mean";
    c.result(0, elementwise(c.b, *shape, resultType(c, Same), allValues(c),
                            [&](Scalars &s, ValueRange v) {
                              s.isUnsigned = c.isUnsigned(0);
                              Value folded = v.front();
                              for (Value next : v.drop_front())
                                folded = entry.body(s, folded, next);
                              return mean ? scaled(s, folded, 1.0 / v.size()) : folded;
                            }));
    return success();
  };
}

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

/// Shifts by less than nothing, or by the width and more, shift everything out.
Value shifted(Scalars &s, Value x, Value by, bool left) {
  bool arithmetic = !left && !s.isUnsigned;
  int64_t width = x.getType().getIntOrFloatBitWidth();
  Value out = arithmetic ? s.make<arith::ShRSIOp>(x, s.constant(x, width - 1)) : s.constant(x, 0);
  Value moved = left         ? s.make<arith::ShLIOp>(x, by)
                : arithmetic ? s.make<arith::ShRSIOp>(x, by)
                             : s.make<arith::ShRUIOp>(x, by);
  auto inside = arith::CmpIPredicate::ult;
  return s.select(s.make<arith::CmpIOp>(inside, by, s.constant(by, width)), moved, out);
}

LogicalResult lowerBitShift(NodeContext &c) {
  auto shape = commonShape(c, 2);
  std::string direction = c.stringAttr("direction", "");
  if (failed(shape) || failed(checkKind(c, Ints)))
    return failure();
  if (direction != "LEFT" && direction != "RIGHT")
    return c.fail("its direction '" + direction + "' is neither LEFT nor RIGHT");
  bool left = direction == "LEFT";
  c.result(
      0, elementwise(c.b, *shape, resultType(c, Same), allValues(c), [&](Scalars &s, ValueRange v) {
        s.isUnsigned = c.isUnsigned(0);
        return shifted(s, v[0], v[1], left);
      }));
  return success();
}

/// base to a whole power, by squares from the lowest bit of the exponent up. A
/// negative power of an integer is its reciprocal towards zero.
Value integerPower(Scalars &s, Value base, Value exponent) {
  Type type = base.getType();
  Value one = s.constant(type, 1), result = one, square = base;
  unsigned bits = std::min(exponent.getType().getIntOrFloatBitWidth(), 6u);
  for (unsigned i = 0; i < bits; ++i) {
    Value mask = s.constant(exponent, int64_t(1) << i);
    Value isSet = s.compare(P::ne, s.make<arith::AndIOp>(exponent, mask), s.constant(exponent, 0));
    result = s.select(isSet, s.mul(result, square), result);
    square = s.mul(square, square);
  }
  return result;
}

/// x to a power; small whole powers are products.
LogicalResult lowerPow(NodeContext &c) {
  c.ignore({"broadcast"});
  auto shape = commonShape(c, 2);
  if (failed(shape))
    return failure();
  Type baseType = c.declared(0), powerType = c.declared(1);
  if (kindOf(c.type(0).getElementType()) != Floats) {
    bool whole = kindOf(c.type(1).getElementType()) == Ints;
    c.result(0, elementwise(c.b, *shape, c.type(0).getElementType(), allValues(c),
                            [&](Scalars &s, ValueRange v) {
                              if (whole)
                                return integerPower(s, v[0], v[1]);
                              Type f32 = c.b.getF32Type();
                              Value x = converted(s, v[0], baseType, f32);
                              Value power = s.make<math::PowFOp>(x, s.cast(v[1], f32));
                              return converted(s, s.make<math::RoundEvenOp>(power), f32, baseType);
                            }));
    return success();
  }
  auto exponent = dyn_cast_or_null<DenseElementsAttr>(c.constant(1));
  auto known = exponent && exponent.getNumElements() == 1 ? c.needScalar(1, "exponent") : 0.0;
  if (failed(known))
    return failure();
  if (*known == 2) {
    c.result(0, elementwise(c.b, *shape, resultType(c, Same), c.value(0),
                            [](Scalars &s, ValueRange v) { return s.mul(v[0], v[0]); }));
    return success();
  }
  c.result(0, elementwise(c.b, *shape, resultType(c, Same), {c.value(0), c.value(1)},
                          [&](Scalars &s, ValueRange v) {
                            Value power = converted(s, v[1], powerType, v[0].getType());
                            return s.make<math::PowFOp>(v[0], power);
                          }));
  return success();
}

LogicalResult lowerMod(NodeContext &c) {
  bool truncated = c.flagAttr("fmod", false);
  auto shape = commonShape(c, 2);
  if (failed(shape) || failed(checkKind(c, Numbers)))
    return failure();
  c.result(
      0, elementwise(c.b, *shape, resultType(c, Same), allValues(c), [&](Scalars &s, ValueRange v) {
        s.isUnsigned = c.isUnsigned(0);
        return truncated ? remainder(s, v[0], v[1]) : floorModulo(s, v[0], v[1]);
      }));
  return success();
}

/// Bounds are attributes before opset 11 and optional operands since.
LogicalResult lowerClip(NodeContext &c) {
  if (failed(checkKind(c, Numbers)))
    return failure();
  SmallVector<Value> operands = {c.value(0)};
  bool low = c.has(1), high = c.has(2);
  for (unsigned i : {1, 2})
    if (c.has(i)) {
      if (product(c.shape(i)) != 1)
        return c.fail("its bounds must be scalars");
      operands.push_back(reshape(c.b, c.value(i), {}));
    }
  auto least = dyn_cast_or_null<FloatAttr>(c.attr("min")),
       most = dyn_cast_or_null<FloatAttr>(c.attr("max"));
  c.result(
      0, elementwise(c.b, c.shape(0), resultType(c, Same), operands, [&](Scalars &s, ValueRange v) {
        s.isUnsigned = c.isUnsigned(0);
        Value x = v.front(), bound = v.back();
        if (low || least)
          x = s.max(x, low ? v[1] : constant(s, x, least.getValueAsDouble()));
        if (high || most)
          x = s.min(x, high ? bound : constant(s, x, most.getValueAsDouble()));
        return x;
      }));
  return success();
}

LogicalResult lowerWhere(NodeContext &c) {
  auto shape = commonShape(c, 3);
  if (failed(shape) || failed(checkKind(c, All, 1)))
    return failure();
  c.result(0, elementwise(c.b, *shape, c.type(1).getElementType(), allValues(c),
                          [](Scalars &s, ValueRange v) { return s.select(v[0], v[1], v[2]); }));
  return success();
}

} // namespace

std::optional<UnaryFunction> dojo::onnx::unaryFunction(StringRef op) {
  for (const Unary &entry : unaries) {
    if (op != entry.op || !(entry.kinds & Floats))
      continue;
    UnaryFunction function{{}, entry.body};
    for (const auto &attribute : entry.attributes)
      function.defaults.push_back(attribute.otherwise);
    return function;
  }
  return std::nullopt;
}

void dojo::onnx::registerElementwise(HandlerRegistry &registry) {
  for (const Unary &entry : unaries)
    registry.onOp(entry.op, entry.since, lowerUnary(entry));
  for (const Binary &entry : binaries)
    registry.onOp(entry.op, entry.since, lowerBinary(entry));
  for (const Binary &entry : variadics)
    registry.onOp(entry.op, entry.since, lowerVariadic(entry));
  registry.onOp("Gelu", 20, lowerGelu);
  registry.onOp("SwiGLU", 28, lowerSwiGLU);
  registry.onOp("Pow", 1, lowerPow);
  registry.onOp("PRelu", 1, lowerPRelu);
  registry.onOp("BitShift", 11, lowerBitShift);
  registry.onOp("Mod", 10, lowerMod);
  registry.onOp("Clip", 1, lowerClip);
  registry.onOp("Where", 9, lowerWhere);
}
