//===- StateSpace.cpp - operators that carry a state along a sequence -----===//
#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

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

void dojo::onnx::registerStateSpace(HandlerRegistry &registry) {
  registry.onOp("CausalConvWithState", 27, lowerCausalConv);
}
