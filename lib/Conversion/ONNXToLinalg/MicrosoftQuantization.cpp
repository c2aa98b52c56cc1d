//===- MicrosoftQuantization.cpp - com.microsoft: the QLinear family ------===//
//
// An operator of the family is the plain one between codes and codes: its operands come
// with scale and zero point each, and so does its result.
//
//===----------------------------------------------------------------------===//
#include "Microsoft.h"
#include "Quantization.h"
#include "Types.h"

using namespace mlir;
using namespace dojo::onnx;

/// The numbers behind operands `first` (codes), + 1 (scale) and + 2 (zero point).
static FailureOr<Value> realOperand(NodeContext &c, unsigned first) {
  for (unsigned i : {first + 1, first + 2})
    if (c.has(i) && product(c.shape(i)) != 1)
      return c.fail("its operand " + Twine(i) + " is no scalar", "quantize whole tensors");
  return dequantized(c.b, {c.value(first), c.value(first + 1),
                           c.has(first + 2) ? c.value(first + 2) : Value(), c.declared(first)});
}

/// Sets result 0 to codes of the scale at operand `scale` and the zero point behind it.
static LogicalResult give(NodeContext &c, Value real, unsigned scale, Type declared) {
  for (unsigned i : {scale, scale + 1})
    if (c.has(i) && product(c.shape(i)) != 1)
      return c.fail("its operand " + Twine(i) + " is no scalar", "quantize whole tensors");
  Value zero = c.has(scale + 1) ? c.value(scale + 1) : Value();
  c.result(0, quantized(c.b, real, c.value(scale), zero, declared), declared);
  return success();
}

/// The plain operator on real numbers; `plain` reads the attributes of the node.
static FailureOr<Value> applied(NodeContext &c, const Handler &plain, ArrayRef<Value> reals) {
  SmallVector<Known> operands;
  Type f32 = c.b.getF32Type();
  for (Value real : reals)
    operands.push_back({cast<RankedTensorType>(real.getType()), real, nullptr, f32});
  auto results = c.lowerAs(plain, operands);
  return failed(results) ? FailureOr<Value>(failure()) : FailureOr<Value>(results->front().value);
}

/// `count` operands of codes, then the scale and zero point of the result.
static Handler betweenCodes(unsigned count, Handler plain) {
  return [count, plain = std::move(plain)](NodeContext &c) -> LogicalResult {
    if (c.intAttr("channels_last", 0))
      return c.fail("its channels are its last dimension", "transpose its operand");
    SmallVector<Value> reals;
    for (unsigned i = 0; i < count; ++i) {
      auto real = realOperand(c, 3 * i);
      if (failed(real))
        return failure();
      reals.push_back(*real);
    }
    auto result = applied(c, plain, reals);
    return failed(result) ? failure() : give(c, *result, 3 * count, c.declared(0));
  };
}

/// Scale and zero point of the result stand first.
static Handler concatenation(Handler plain) {
  return [plain = std::move(plain)](NodeContext &c) -> LogicalResult {
    if (c.size() < 5 || c.size() % 3 != 2)
      return c.fail("it has " + Twine(c.size()) +
                    " operands, expected two and three for each part");
    SmallVector<Value> reals;
    for (unsigned i = 2; i < c.size(); i += 3) {
      auto real = realOperand(c, i);
      if (failed(real))
        return failure();
      reals.push_back(*real);
    }
    auto result = applied(c, plain, reals);
    return failed(result) ? failure() : give(c, *result, 0, c.declared(1));
  };
}

/// sums * scale, or scales along the last dimension, + bias.
static FailureOr<Value> scaled(NodeContext &c, Value sums, ArrayRef<Value> scales, unsigned bias) {
  ImplicitLocOpBuilder &b = c.b;
  SmallVector<Value> operands = {sums};
  for (Value scale : scales)
    operands.push_back(product(shapeOf(scale)) == 1 ? reshape(b, scale, {}) : scale);
  if (c.has(bias))
    operands.push_back(c.value(bias));
  Shape shape = shapeOf(sums);
  for (Value operand : operands)
    if (broadcast(shape, shapeOf(operand)) != shape)
      return c.fail("its scale or bias of shape " + shapeName(shapeOf(operand)) +
                    " does not lie along the columns of " + shapeName(shape));
  unsigned count = scales.size();
  return elementwise(b, shape, b.getF32Type(), operands, [&](Scalars &s, ValueRange v) {
    Value scale = count > 1 ? s.mul(v[1], v[2]) : v[1];
    Value x = s.mul(s.cast(v[0], s.floatType()), scale);
    return v.size() > count + 1 ? s.add(x, v.back()) : x;
  });
}

static LogicalResult giveScaled(NodeContext &c, Value sums, ArrayRef<Value> scales, unsigned bias) {
  FailureOr<Value> result = scaled(c, sums, scales, bias);
  if (failed(result))
    return failure();
  c.result(0, *result);
  return success();
}

static LogicalResult refuseProduct(NodeContext &c, unsigned right = 1) {
  return c.fail("it cannot multiply " + shapeName(c.shape(0)) + " by " + shapeName(c.shape(right)));
}

/// A is quantized as a whole where it runs.
static LogicalResult lowerDynamicQuantizeMatMul(NodeContext &c) {
  enum : unsigned { A, B, Scale, Zero, Bias };
  ImplicitLocOpBuilder &b = c.b;
  Dynamic left = dynamicallyQuantized(b, c.value(A));
  Type i32 = b.getI32Type(), u8 = b.getIntegerType(8, false);
  Value codes =
      elementwise(b, c.shape(A), i32, {left.codes, left.zero}, [&](Scalars &s, ValueRange v) {
        Value zero = s.make<arith::FPToSIOp>(i32, v[1]);
        return s.sub(converted(s, v[0], u8, i32), zero);
      });
  auto right = centred(c, B, Zero, 1);
  if (failed(right))
    return failure();
  auto sums = matmulResult(b, codes, *right);
  return sums ? giveScaled(c, *sums, {left.scale, c.value(Scale)}, Bias) : refuseProduct(c);
}

static LogicalResult lowerMatMulIntegerToFloat(NodeContext &c) {
  enum : unsigned { A, B, ScaleA, ScaleB, ZeroA, ZeroB, Bias };
  if (product(c.shape(ScaleA)) != 1)
    return c.fail("its operand 2 is no scalar", "quantize whole tensors");
  auto left = centred(c, A, ZeroA, 2), right = centred(c, B, ZeroB, 1);
  if (failed(left) || failed(right))
    return failure();
  auto sums = matmulResult(c.b, *left, *right);
  return sums ? giveScaled(c, *sums, {c.value(ScaleA), c.value(ScaleB)}, Bias) : refuseProduct(c);
}

/// alpha * (A * B + C), C being i32 in units of both scales; real numbers where the result has no
/// scale of its own.
static LogicalResult lowerQGemm(NodeContext &c) {
  enum : unsigned { A, ScaleA, ZeroA, B, ScaleB, ZeroB, C, Scale, Zero };
  ImplicitLocOpBuilder &b = c.b;
  double alpha = c.floatAttr("alpha", 1);
  bool turnsA = c.flagAttr("transA", false), turnsB = c.flagAttr("transB", false);
  if (c.rank(A) != 2 || c.rank(B) != 2)
    return refuseProduct(c, B);
  auto left = centred(c, A, ZeroA, 2), right = centred(c, B, ZeroB, turnsB ? 2 : 1);
  if (failed(left) || failed(right))
    return failure();
  auto turned = [&](Value x, bool turns) { return turns ? transpose(b, x, {1, 0}) : x; };
  auto sums = matmulResult(b, turned(*left, turnsA), turned(*right, turnsB));
  if (!sums)
    return refuseProduct(c, B);
  if (c.has(C) && broadcast(shapeOf(*sums), c.shape(C)) != shapeOf(*sums))
    return c.fail("its operand 6 of shape " + shapeName(c.shape(C)) + " does not broadcast to " +
                  shapeName(shapeOf(*sums)));
  if (c.has(C))
    sums = elementwise(b, shapeOf(*sums), b.getI32Type(), {*sums, c.value(C)},
                       [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
  Value factor =
      elementwise(b, c.shape(ScaleB), b.getF32Type(), c.value(ScaleB),
                  [&](Scalars &s, ValueRange v) { return s.mul(v[0], s.constant(v[0], alpha)); });
  auto real = scaled(c, *sums, {c.value(ScaleA), factor}, c.size());
  if (failed(real))
    return failure();
  if (c.has(Scale))
    return give(c, *real, Scale, c.declared(A));
  c.result(0, *real, b.getF32Type());
  return success();
}

/// The plain operators must be registered before.
void dojo::onnx::registerMicrosoftQuantization(HandlerRegistry &registry) {
  auto plain = [&](StringRef op) {
    return *registry.find("", op, std::numeric_limits<int64_t>::max());
  };
  registry.onOp("QLinearAdd", 1, betweenCodes(2, plain("Add")), microsoft);
  registry.onOp("QLinearMul", 1, betweenCodes(2, plain("Mul")), microsoft);
  registry.onOp("QLinearSigmoid", 1, betweenCodes(1, plain("Sigmoid")), microsoft);
  registry.onOp("QLinearLeakyRelu", 1, betweenCodes(1, plain("LeakyRelu")), microsoft);
  registry.onOp("QLinearAveragePool", 1, betweenCodes(1, plain("AveragePool")), microsoft);
  registry.onOp("QLinearGlobalAveragePool", 1, betweenCodes(1, plain("GlobalAveragePool")),
                microsoft);
  registry.onOp("QLinearConcat", 1, concatenation(plain("Concat")), microsoft);
  // Its meaning is that of the opset that an attribute names; without an axis both take the last.
  registry.onOp(
      "QLinearSoftmax", 1,
      [older = betweenCodes(1, *registry.find("", "Softmax", 12)),
       newer = betweenCodes(1, plain("Softmax"))](NodeContext &c) {
        return c.intAttr("opset", 0) < 13 && c.hasAttr("axis") ? older(c) : newer(c);
      },
      microsoft);
  registry.onOp("QGemm", 1, lowerQGemm, microsoft);
  registry.onOp("DynamicQuantizeMatMul", 1, lowerDynamicQuantizeMatMul, microsoft);
  registry.onOp("MatMulIntegerToFloat", 1, lowerMatMulIntegerToFloat, microsoft);
  // ONNX Runtime's are older than ONNX's and mean the same.
  registry.onOp("QuantizeLinear", 1, plain("QuantizeLinear"), microsoft);
  registry.onOp("DequantizeLinear", 1, plain("DequantizeLinear"), microsoft);
}
