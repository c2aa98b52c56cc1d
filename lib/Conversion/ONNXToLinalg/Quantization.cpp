//===- Quantization.cpp - numbers in few bits with scale and zero point ---===//
#include "Quantization.h"
#include "Types.h"
#include "Window.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

/// A scale or zero point so that it broadcasts to the data: one value, one for each
/// place of an axis, or one for each block of places.
static FailureOr<Value> spread(NodeContext &c, unsigned operand) {
  int64_t axis = c.intAttr("axis", 1), block = c.intAttr("block_size", 0), rank = c.rank(0);
  Value value = c.value(operand);
  if (product(c.shape(operand)) == 1)
    return reshape(c.b, value, {});
  auto positive = c.axis(axis, rank);
  if (failed(positive))
    return failure();
  if (!block && c.rank(operand) == 1 && c.shape(operand)[0] == c.shape(0)[*positive])
    return along(c.b, value, *positive, rank);
  Shape shape(c.shape(operand));
  if (!block || int64_t(shape.size()) != rank || shape[*positive] * block < c.shape(0)[*positive])
    return c.fail("its operand " + Twine(operand) + " of shape " + shapeName(shape) +
                  " does not fit data of " + shapeName(c.shape(0)));
  Shape unit(shape), wide(shape), joined(shape);
  unit.insert(unit.begin() + *positive + 1, 1);
  wide.insert(wide.begin() + *positive + 1, block);
  joined[*positive] *= block;
  Value repeated = elementwise(c.b, wide, elementOf(value), reshape(c.b, value, unit),
                               [](Scalars &, ValueRange v) { return v[0]; });
  repeated = reshape(c.b, repeated, joined);
  return slice(c.b, repeated, Shape(rank, 0), c.shape(0), Shape(rank, 1));
}

static Value asFloat(Scalars &s, Value x, Type declared) {
  return converted(s, x, declared, s.floatType());
}

Value dojo::onnx::saturated(Scalars &s, Value whole, Type declared) {
  int64_t bits = declared.getIntOrFloatBitWidth();
  bool isUnsigned = declared.isUnsignedInteger();
  double low = isUnsigned ? 0 : -double(int64_t(1) << (bits - 1));
  double high = double((int64_t(1) << (isUnsigned ? bits : bits - 1)) - 1);
  Value clamped = s.min(s.max(whole, s.constant(whole, low)), s.constant(whole, high));
  Type computed = computedType(declared);
  Value word = s.make<arith::FPToSIOp>(s.integerType(32), clamped);
  return computed.isInteger(32) ? word : s.make<arith::TruncIOp>(computed, word);
}

static LogicalResult lowerQuantize(NodeContext &c) {
  bool saturate = c.flagAttr("saturate", true);
  int64_t code = c.intAttr("output_dtype", 0);
  c.ignore({"precision", "axis", "block_size"});
  Type declared = c.has(2) ? c.declared(2)
                  : code   ? declaredType(c.b.getContext(), code)
                           : Type(c.b.getIntegerType(8, false));
  if (!declared || !computedType(declared) || declared.getIntOrFloatBitWidth() > 16)
    return c.fail("it quantizes to a type that is none of those of 16 bits and less");
  auto scale = spread(c, 1);
  if (failed(scale))
    return failure();
  SmallVector<Value> operands = {c.value(0), *scale};
  if (c.has(2)) {
    auto zero = spread(c, 2);
    if (failed(zero))
      return failure();
    operands.push_back(*zero);
  }
  Type from = c.declared(0), scaleType = c.declared(1);
  Value result =
      elementwise(c.b, c.shape(0), computedType(declared), operands, [&](Scalars &s, ValueRange v) {
        Value ratio = s.div(asFloat(s, v[0], from), asFloat(s, v[1], scaleType));
        if (isa<FloatType>(declared))
          return converted(s, ratio, s.floatType(), declared, saturate);
        Value whole = s.make<math::RoundEvenOp>(ratio);
        if (v.size() > 2)
          whole = s.add(whole, asFloat(s, v[2], declared));
        return saturated(s, whole, declared);
      });
  c.result(0, result, declared);
  return success();
}

static LogicalResult lowerDequantize(NodeContext &c) {
  int64_t code = c.intAttr("output_dtype", 0);
  c.ignore({"axis", "block_size"});
  Type declared = code ? declaredType(c.b.getContext(), code) : c.declared(1);
  if (!declared || !computedType(declared))
    return c.fail("it dequantizes to a type that no node computes");
  auto scale = spread(c, 1);
  if (failed(scale))
    return failure();
  SmallVector<Value> operands = {c.value(0), *scale};
  bool shifts = c.has(2) && isa<IntegerType>(c.declared(2));
  if (shifts) {
    auto zero = spread(c, 2);
    if (failed(zero))
      return failure();
    operands.push_back(*zero);
  }
  Type from = c.declared(0), scaleType = c.declared(1);
  c.result(0,
           elementwise(c.b, c.shape(0), computedType(declared), operands,
                       [&](Scalars &s, ValueRange v) {
                         Value x = asFloat(s, v[0], from);
                         if (shifts)
                           x = s.sub(x, asFloat(s, v[2], from));
                         x = s.mul(x, asFloat(s, v[1], scaleType));
                         return converted(s, x, s.floatType(), declared);
                       }),
           declared);
  return success();
}

Dynamic dojo::onnx::dynamicallyQuantized(ImplicitLocOpBuilder &b, Value x) {
  Type f32 = b.getF32Type(), u8 = b.getIntegerType(8, false);
  Shape all = llvm::to_vector(llvm::seq<int64_t>(0, shapeOf(x).size()));
  Value most = reduce(b, x, all, false, Combine::Max);
  Value least = reduce(b, x, all, false, Combine::Min);
  auto bounds = [](Scalars &s, ValueRange v) {
    return std::pair{s.max(v[0], s.constant(v[0], 0)), s.min(v[1], s.constant(v[1], 0))};
  };
  Value scale = elementwise(b, {}, f32, {most, least}, [&](Scalars &s, ValueRange v) {
    auto [high, low] = bounds(s, v);
    Value range = s.sub(high, low);
    Value none = s.compare(arith::CmpIPredicate::eq, range, s.constant(range, 0));
    return s.div(s.select(none, s.constant(range, 1), range), s.constant(range, 255));
  });
  Value zero = elementwise(b, {}, f32, {most, least, scale}, [&](Scalars &s, ValueRange v) {
    auto [high, low] = bounds(s, v);
    Value place = s.neg(s.div(low, v[2]));
    Value inside = s.min(s.max(place, s.constant(place, 0)), s.constant(place, 255));
    return s.make<math::RoundEvenOp>(inside);
  });
  Value codes =
      elementwise(b, shapeOf(x), computedType(u8), {x, scale, zero}, [&](Scalars &s, ValueRange v) {
        Value whole = s.make<math::RoundEvenOp>(s.div(v[0], v[1]));
        return saturated(s, s.add(whole, v[2]), u8);
      });
  return {codes, scale, zero};
}

static LogicalResult lowerDynamicQuantize(NodeContext &c) {
  Type f32 = c.b.getF32Type(), u8 = c.b.getIntegerType(8, false);
  Dynamic result = dynamicallyQuantized(c.b, c.value(0));
  c.result(0, result.codes, u8);
  c.result(1, result.scale, f32);
  c.result(2,
           elementwise(c.b, {}, computedType(u8), result.zero,
                       [&](Scalars &s, ValueRange v) { return saturated(s, v[0], u8); }),
           u8);
  return success();
}

Value dojo::onnx::dequantized(ImplicitLocOpBuilder &b, const Codes &x) {
  SmallVector<Value> operands = {x.codes, reshape(b, x.scale, {})};
  if (x.zero)
    operands.push_back(reshape(b, x.zero, {}));
  return elementwise(b, shapeOf(x.codes), b.getF32Type(), operands, [&](Scalars &s, ValueRange v) {
    Value real = asFloat(s, v[0], x.declared);
    return s.mul(v.size() > 2 ? s.sub(real, asFloat(s, v[2], x.declared)) : real, v[1]);
  });
}

Value dojo::onnx::quantized(ImplicitLocOpBuilder &b, Value real, Value scale, Value zero,
                            Type declared) {
  SmallVector<Value> operands = {real, reshape(b, scale, {})};
  if (zero)
    operands.push_back(reshape(b, zero, {}));
  return elementwise(b, shapeOf(real), computedType(declared), operands,
                     [&](Scalars &s, ValueRange v) {
                       Value whole = s.make<math::RoundEvenOp>(s.div(v[0], v[1]));
                       if (v.size() > 2)
                         whole = s.add(whole, asFloat(s, v[2], declared));
                       return saturated(s, whole, declared);
                     });
}

FailureOr<Value> dojo::onnx::centred(NodeContext &c, unsigned operand, unsigned zeroPoint,
                                     int64_t axis) {
  Type i32 = c.b.getI32Type(), declared = c.declared(operand);
  SmallVector<Value> operands = {c.value(operand)};
  Shape shape(c.shape(operand));
  if (c.has(zeroPoint)) {
    Shape zero(c.shape(zeroPoint));
    if (zero.size() == 1 && zero[0] != 1 && shape.size() > 1)
      zero.append(axis - 1, 1);
    if (product(zero) == 1)
      zero = {};
    if (broadcast(shape, zero) != shape)
      return c.fail("its zero point of shape " + shapeName(c.shape(zeroPoint)) + " does not fit " +
                    shapeName(shape));
    operands.push_back(reshape(c.b, c.value(zeroPoint), zero));
  }
  return elementwise(c.b, shape, i32, operands, [&](Scalars &s, ValueRange v) {
    Value x = converted(s, v[0], declared, i32);
    return v.size() > 1 ? s.sub(x, converted(s, v[1], c.declared(zeroPoint), i32)) : x;
  });
}

static FailureOr<Value> integerProduct(NodeContext &c, unsigned x, unsigned xZero, unsigned y,
                                       unsigned yZero) {
  auto left = centred(c, x, xZero, 2), right = centred(c, y, yZero, 1);
  if (failed(left) || failed(right))
    return failure();
  auto result = matmulResult(c.b, *left, *right);
  if (!result)
    return c.fail("it cannot multiply " + shapeName(c.shape(x)) + " by " + shapeName(c.shape(y)));
  return *result;
}

static LogicalResult lowerMatMulInteger(NodeContext &c) {
  auto result = integerProduct(c, 0, 2, 1, 3);
  if (failed(result))
    return failure();
  c.result(0, *result, c.b.getI32Type());
  return success();
}

/// Sums of products as numbers of few bits: sums * x scale * y scale / scale + zero point.
/// Operands `x`, `y`, `scale` and `zero`; a y scale may lie along dimension 1.
static LogicalResult requantize(NodeContext &c, Value sums, unsigned x, unsigned y, unsigned scale,
                                unsigned zero) {
  for (unsigned i : {x, y, scale, zero})
    if (product(c.shape(i)) != 1 &&
        (i != y || shapeOf(sums).size() < 3 || Shape(c.shape(i)) != Shape{shapeOf(sums)[1]}))
      return c.fail("its operand " + Twine(i) + " is no scalar", "quantize whole tensors");
  Type declared = c.declared(zero);
  auto scalar = [&](unsigned i) { return reshape(c.b, c.value(i), {}); };
  Value yScale =
      product(c.shape(y)) == 1 ? scalar(y) : along(c.b, c.value(y), 1, shapeOf(sums).size());
  c.result(0,
           elementwise(c.b, shapeOf(sums), computedType(declared),
                       {sums, scalar(x), yScale, scalar(scale), scalar(zero)},
                       [&](Scalars &s, ValueRange v) {
                         Value sum = s.cast(v[0], s.floatType());
                         auto real = [&](unsigned i) { return s.cast(v[i], s.floatType()); };
                         Value factor = s.div(s.mul(real(1), real(2)), real(3));
                         Value y = s.add(s.mul(sum, factor), asFloat(s, v[4], declared));
                         return saturated(s, s.make<math::RoundEvenOp>(y), declared);
                       }),
           declared);
  return success();
}

static LogicalResult lowerQLinearMatMul(NodeContext &c) {
  auto sums = integerProduct(c, 0, 2, 3, 5);
  return failed(sums) ? failure() : requantize(c, *sums, 1, 4, 6, 7);
}

/// Data and weights less their zero points; padding is added behind, so that it is zero.
static FailureOr<Value> integerConvolution(NodeContext &c, unsigned x, unsigned xZero, unsigned w,
                                           unsigned wZero, unsigned bias) {
  if (c.has(xZero) && product(c.shape(xZero)) != 1)
    return c.fail("its zero point of shape " + shapeName(c.shape(xZero)) + " does not fit " +
                  shapeName(c.shape(x)));
  auto data = centred(c, x, xZero, 1), weights = centred(c, w, wZero, c.rank(w));
  if (failed(data) || failed(weights))
    return failure();
  return convolution(c, *data, *weights, bias);
}

static LogicalResult lowerConvInteger(NodeContext &c) {
  auto sums = integerConvolution(c, 0, 2, 1, 3, c.size());
  if (failed(sums))
    return failure();
  c.result(0, *sums, c.b.getI32Type());
  return success();
}

static LogicalResult lowerQLinearConv(NodeContext &c) {
  auto sums = integerConvolution(c, 0, 2, 3, 5, 8);
  return failed(sums) ? failure() : requantize(c, *sums, 1, 4, 6, 7);
}

void dojo::onnx::registerQuantization(HandlerRegistry &registry) {
  registry.onOp("QuantizeLinear", 10, lowerQuantize);
  registry.onOp("DequantizeLinear", 10, lowerDequantize);
  registry.onOp("DynamicQuantizeLinear", 11, lowerDynamicQuantize);
  registry.onOp("MatMulInteger", 10, lowerMatMulInteger);
  registry.onOp("QLinearMatMul", 10, lowerQLinearMatMul);
  registry.onOp("ConvInteger", 10, lowerConvInteger);
  registry.onOp("QLinearConv", 10, lowerQLinearConv);
}
