//===- Arithmetic.cpp - sums, powers and functions of numbers -------------===//
#include "Elementwise.h"
#include "Types.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

namespace {

using P = arith::CmpIPredicate;

Value absolute(Scalars &s, Value x) {
  return isa<FloatType>(x.getType()) ? s.make<math::AbsFOp>(x) : s.max(x, s.neg(x));
}
Value sign(Scalars &s, Value x) {
  Value zero = s.constant(x, 0);
  Value negative = s.select(s.compare(P::slt, x, zero), s.constant(x, -1), zero);
  return s.select(s.compare(P::sgt, x, zero), s.constant(x, 1), negative);
}

const Unary unaries[] = {
    {"Abs", 1, Numbers, {}, UNARY(absolute(s, x))},
    {"Neg", 1, Numbers, {}, UNARY(s.neg(x))},
    {"Sign", 9, Numbers, {}, UNARY(sign(s, x))},
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
};

const Binary binaries[] = {
    {"Add", 1, Numbers, BINARY(s.add(x, y))},
    {"Sub", 1, Numbers, BINARY(s.sub(x, y))},
    {"Mul", 1, Numbers, BINARY(s.mul(x, y))},
    {"Div", 1, Numbers, BINARY(s.div(x, y))},
};

/// Operators of any number of operands, folded from the left.
const Binary variadics[] = {
    {"Min", 1, Numbers, BINARY(s.min(x, y))},
    {"Max", 1, Numbers, BINARY(s.max(x, y))},
    {"Sum", 1, Floats, BINARY(s.add(x, y))},
    {"Mean", 1, Floats, BINARY(s.add(x, y))},
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

Handler lowerVariadic(const Binary &entry) {
  return [&entry](NodeContext &c) -> LogicalResult {
    auto shape = commonShape(c, 0);
    if (failed(shape) || failed(checkKind(c, entry.kinds)))
      return failure();
    bool mean = c.op() == "Mean";
    c.result(0, elementwise(
                    c.b, *shape, resultType(c, Same), allValues(c), [&](Scalars &s, ValueRange v) {
                      s.isUnsigned = c.isUnsigned(0);
                      Value folded = v.front();
                      for (Value next : v.drop_front())
                        folded = entry.body(s, folded, next);
                      return mean ? s.mul(folded, s.constant(folded, 1.0 / v.size())) : folded;
                    }));
    return success();
  };
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
          x = s.max(x, low ? v[1] : s.constant(x, least.getValueAsDouble()));
        if (high || most)
          x = s.min(x, high ? bound : s.constant(x, most.getValueAsDouble()));
        return x;
      }));
  return success();
}

} // namespace

void dojo::onnx::registerArithmetic(HandlerRegistry &registry) {
  registerUnaries(registry, unaries);
  registerBinaries(registry, binaries);
  for (const Binary &entry : variadics)
    registry.onOp(entry.op, entry.since, lowerVariadic(entry));
  registry.onOp("Pow", 1, lowerPow);
  registry.onOp("Mod", 10, lowerMod);
  registry.onOp("Clip", 1, lowerClip);
}
