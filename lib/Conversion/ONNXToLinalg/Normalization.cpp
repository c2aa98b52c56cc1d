//===- Normalization.cpp - scale and shift, softmax -----------------------===//
#include "Normalization.h"
#include "Softmax.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

static Value inverseRoot(Scalars &s, Value variance, double epsilon) {
  Value root = s.make<math::SqrtOp>(s.add(variance, s.constant(variance, epsilon)));
  return s.div(s.constant(root, 1), root);
}

/// Whether there is data with channels, and four values for each channel.
static LogicalResult checkChannels(NodeContext &c) {
  if (c.rank(0) < 2)
    return c.fail("it needs data with batch and channels and has " + shapeName(c.shape(0)));
  Shape channels = {c.shape(0)[1]};
  for (unsigned i = 1; i < 5; ++i)
    if (!c.has(i) || Shape(c.shape(i)) != channels)
      return c.fail("its operand " + Twine(i) + " must have one value for each of " +
                    Twine(channels[0]) + " channels");
  return success();
}

/// x * scale + (bias - mean * scale) for each channel, where
/// scale = gamma / sqrt(variance + epsilon) is work on weights alone.
static LogicalResult lowerBatchNormalization(NodeContext &c) {
  double epsilon = c.floatAttr("epsilon", 1e-5);
  c.ignore({"momentum", "is_test", "consumed_inputs"});
  if (c.intAttr("spatial", 1) != 1)
    return c.fail("its attribute 'spatial' is not 1");
  if (failed(checkChannels(c)))
    return failure();
  int64_t rank = c.rank(0);
  Shape channels = {c.shape(0)[1]};
  Type element = c.type(0).getElementType();
  Value gamma = c.value(1), bias = c.value(2), mean = c.value(3), variance = c.value(4);
  Value scale =
      elementwise(c.b, channels, element, {gamma, variance}, [&](Scalars &s, ValueRange v) {
        return s.mul(v[0], inverseRoot(s, v[1], epsilon));
      });
  Value shift =
      elementwise(c.b, channels, element, {bias, mean, scale},
                  [](Scalars &s, ValueRange v) { return s.sub(v[0], s.mul(v[1], v[2])); });
  c.result(0, elementwise(c.b, c.shape(0), element,
                          {c.value(0), along(c.b, scale, 1, rank), along(c.b, shift, 1, rank)},
                          [](Scalars &s, ValueRange v) { return s.add(s.mul(v[0], v[1]), v[2]); }));
  return success();
}

/// Channels are normalised by the batch's own mean and variance, which also move the running
/// statistics: new = old * momentum + batch * (1 - momentum).
static LogicalResult lowerTrainingBatchNormalization(NodeContext &c) {
  double epsilon = c.floatAttr("epsilon", 1e-5), momentum = c.floatAttr("momentum", 0.9);
  if (failed(checkChannels(c)))
    return failure();
  int64_t rank = c.rank(0);
  Shape channels = {c.shape(0)[1]}, axes = {0};
  llvm::append_range(axes, llvm::seq<int64_t>(2, rank));
  double count = product(c.shape(0)) / double(channels[0]);
  if (count < 1)
    return c.fail("its batch of " + shapeName(c.shape(0)) + " is empty and has no statistics");
  Type element = c.type(0).getElementType();
  auto alongChannels = [&](unsigned i) {
    return along(c.b, castTo(c.b, c.value(i), element), 1, rank);
  };
  Standard standard = standardise(c.b, c.value(0), axes, epsilon, Mean::Refined);
  c.result(0, scaleAndShift(c.b, standard.values, alongChannels(1), alongChannels(2)),
           c.declared(0));
  auto running = [&](unsigned result, unsigned before, Value batch, double divisor) {
    Type kept = c.type(before).getElementType();
    Value now = castTo(c.b, reshape(c.b, batch, channels), kept);
    c.result(result,
             elementwise(c.b, channels, kept, {c.value(before), now},
                         [&](Scalars &s, ValueRange v) {
                           Value old = s.mul(v[0], s.constant(v[0], momentum));
                           return s.add(old,
                                        s.mul(v[1], s.constant(v[1], (1 - momentum) / divisor)));
                         }),
             c.declared(before));
  };
  running(1, 3, standard.mean, 1);
  running(2, 4, standard.squares, count);
  return success();
}

/// From opset 14 on an attribute tells training, which alone gives running statistics.
static LogicalResult lowerEitherBatchNormalization(NodeContext &c) {
  if (c.flagAttr("training_mode", false))
    return lowerTrainingBatchNormalization(c);
  if (c.numResults() > 1)
    return c.fail("it gives running statistics and is not in training mode");
  return lowerBatchNormalization(c);
}

namespace {
/// x minus its maximum along some axes, exponents of it, and their sum.
struct SoftmaxParts {
  Value shifted, exponents, sum;
};
} // namespace

static SoftmaxParts softmaxParts(ImplicitLocOpBuilder &b, Value x, ArrayRef<int64_t> axes) {
  Shape shape = shapeOf(x);
  Type element = elementOf(x);
  Value largest = reduce(b, x, axes, true, Combine::Max);
  Value shifted = elementwise(b, shape, element, {x, largest},
                              [](Scalars &s, ValueRange v) { return s.sub(v[0], v[1]); });
  Value exponents =
      elementwise(b, shape, element, shifted, [](Scalars &s, ValueRange v) { return s.exp(v[0]); });
  return {shifted, exponents, reduce(b, exponents, axes, true, Combine::Add)};
}

/// Before opset 13 all dimensions from `axis` on are normalised together.
static FailureOr<Shape> softmaxAxes(NodeContext &c, bool together) {
  auto axis = c.axis(c.intAttr("axis", together ? 1 : -1), c.rank(0));
  if (failed(axis))
    return failure();
  return llvm::to_vector(llvm::seq<int64_t>(*axis, together ? c.rank(0) : *axis + 1));
}

Value dojo::onnx::softmax(ImplicitLocOpBuilder &b, Value x, ArrayRef<int64_t> axes) {
  SoftmaxParts parts = softmaxParts(b, x, axes);
  return elementwise(b, shapeOf(x), elementOf(x), {parts.exponents, parts.sum},
                     [](Scalars &s, ValueRange v) { return s.div(v[0], v[1]); });
}

Value dojo::onnx::logSoftmax(ImplicitLocOpBuilder &b, Value x, ArrayRef<int64_t> axes) {
  SoftmaxParts parts = softmaxParts(b, x, axes);
  Value log = elementwise(b, shapeOf(parts.sum), elementOf(parts.sum), parts.sum,
                          [](Scalars &s, ValueRange v) { return s.make<math::LogOp>(v[0]); });
  return elementwise(b, shapeOf(x), elementOf(x), {parts.shifted, log},
                     [](Scalars &s, ValueRange v) { return s.sub(v[0], v[1]); });
}

template <Value (*function)(ImplicitLocOpBuilder &, Value, ArrayRef<int64_t>)>
static Handler alongAxes(bool together) {
  return [together](NodeContext &c) -> LogicalResult {
    auto axes = softmaxAxes(c, together);
    if (failed(axes))
      return failure();
    c.result(0, function(c.b, c.value(0), *axes));
    return success();
  };
}

Standard dojo::onnx::standardise(ImplicitLocOpBuilder &b, Value x, ArrayRef<int64_t> axes,
                                 double epsilon, Mean kind) {
  Shape shape = shapeOf(x);
  Type element = elementOf(x);
  double count = 1;
  for (int64_t axis : axes)
    count *= shape[axis];
  auto average = [&](Value sum, Body body) {
    return elementwise(b, shapeOf(sum), element, sum, [&](Scalars &s, ValueRange v) {
      return body(s, s.div(v[0], s.constant(v[0], count)));
    });
  };
  auto meanOf = [&](Value values) {
    return average(reduce(b, values, axes, true, Combine::Add),
                   [](Scalars &, ValueRange v) { return v[0]; });
  };
  auto around = [&](Value values, Value mean) {
    return elementwise(b, shape, element, {values, mean},
                       [](Scalars &s, ValueRange v) { return s.sub(v[0], v[1]); });
  };
  Value mean = meanOf(x), centred = around(x, mean);
  if (kind == Mean::Refined) {
    // Of an x near the mean, x - mean is exact: only what the mean lacks is subtracted again.
    Value rest = meanOf(centred);
    centred = around(centred, rest);
    mean = elementwise(b, shapeOf(mean), element, {mean, rest},
                       [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
  }
  Value squares = reduce(b, centred, axes, true, Combine::Add,
                         [](Scalars &s, ValueRange v) { return s.mul(v[0], v[0]); });
  Value inverse =
      average(squares, [&](Scalars &s, ValueRange v) { return inverseRoot(s, v[0], epsilon); });
  Value values = elementwise(b, shape, element, {centred, inverse},
                             [](Scalars &s, ValueRange v) { return s.mul(v[0], v[1]); });
  return {values, mean, inverse, squares};
}

RootMeanSquare dojo::onnx::rootMeanSquare(ImplicitLocOpBuilder &b, Value x, ArrayRef<int64_t> axes,
                                          double epsilon) {
  double count = 1;
  for (int64_t axis : axes)
    count *= shapeOf(x)[axis];
  Value squares = reduce(b, x, axes, true, Combine::Add,
                         [](Scalars &s, ValueRange v) { return s.mul(v[0], v[0]); });
  Value inverse =
      elementwise(b, shapeOf(squares), elementOf(x), squares, [&](Scalars &s, ValueRange v) {
        return inverseRoot(s, s.div(v[0], s.constant(v[0], count)), epsilon);
      });
  Value values = elementwise(b, shapeOf(x), elementOf(x), {x, inverse},
                             [](Scalars &s, ValueRange v) { return s.mul(v[0], v[1]); });
  return {values, inverse};
}

Value dojo::onnx::scaleAndShift(ImplicitLocOpBuilder &b, Value x, Value scale, Value bias) {
  SmallVector<Value> operands = {x, scale};
  if (bias)
    operands.push_back(bias);
  return elementwise(b, shapeOf(x), elementOf(x), operands, [](Scalars &s, ValueRange v) {
    return v.size() > 2 ? s.make<math::FmaOp>(v[0], v[1], v[2]) : s.mul(v[0], v[1]);
  });
}

static LogicalResult lowerLayerNormalization(NodeContext &c) {
  double epsilon = c.floatAttr("epsilon", 1e-5);
  auto axis = c.axis(c.intAttr("axis", -1), c.rank(0));
  if (failed(axis))
    return failure();
  if (c.intAttr("stash_type", 1) != 1)
    return c.fail("its attribute 'stash_type' is not 1 (float32)");
  Shape shape(c.shape(0));
  for (unsigned i = 1; i < 3; ++i)
    if (c.has(i) && broadcast(shape, c.shape(i)) != shape)
      return c.fail("its operand " + Twine(i) + " of shape " + shapeName(c.shape(i)) +
                    " does not broadcast to " + shapeName(shape));
  Shape axes = llvm::to_vector(llvm::seq<int64_t>(*axis, c.rank(0)));
  Standard standard =
      standardise(c.b, c.value(0), axes, epsilon, axes.size() > 1 ? Mean::Refined : Mean::Single);
  if (c.numResults() > 1)
    c.result(1, standard.mean);
  if (c.numResults() > 2)
    c.result(2, standard.inverse);
  c.result(0, scaleAndShift(c.b, standard.values, c.value(1), c.has(2) ? c.value(2) : Value()));
  return success();
}

static LogicalResult lowerInstanceNormalization(NodeContext &c) {
  double epsilon = c.floatAttr("epsilon", 1e-5);
  int64_t rank = c.rank(0);
  if (rank < 3)
    return c.fail("it needs data with batch, channels and space and has " + shapeName(c.shape(0)));
  for (unsigned i = 1; i < 3; ++i)
    if (!c.has(i) || c.rank(i) != 1 || c.shape(i)[0] != c.shape(0)[1])
      return c.fail("its operand " + Twine(i) + " must have one value for each channel");
  Standard standard = standardise(c.b, c.value(0), llvm::to_vector(llvm::seq<int64_t>(2, rank)),
                                  epsilon, Mean::Refined);
  c.result(0, scaleAndShift(c.b, standard.values, along(c.b, c.value(1), 1, rank),
                            along(c.b, c.value(2), 1, rank)));
  return success();
}

/// x / sqrt(mean(x^2) + epsilon) * scale over the dimensions from `axis` on.
static LogicalResult lowerRMSNormalization(NodeContext &c) {
  double epsilon = c.floatAttr("epsilon", 1e-5);
  c.ignore({"stash_type"});
  auto axis = c.axis(c.intAttr("axis", -1), c.rank(0));
  if (failed(axis))
    return failure();
  Shape shape(c.shape(0));
  if (broadcast(shape, c.shape(1)) != shape)
    return c.fail("its scale of shape " + shapeName(c.shape(1)) + " does not broadcast to " +
                  shapeName(shape));
  Shape axes = llvm::to_vector(llvm::seq<int64_t>(*axis, c.rank(0)));
  RootMeanSquare root = rootMeanSquare(c.b, c.value(0), axes, epsilon);
  c.result(0, scaleAndShift(c.b, root.values, castTo(c.b, c.value(1), elementOf(root.values)), {}));
  if (c.numResults() > 1)
    c.result(1, root.inverse);
  return success();
}

/// x over its 1- or 2-norm along one dimension; zero where the norm is.
static LogicalResult lowerLpNormalization(NodeContext &c) {
  auto axis = c.axis(c.intAttr("axis", -1), c.rank(0));
  int64_t p = c.intAttr("p", 2);
  if (failed(axis))
    return failure();
  if (p != 1 && p != 2)
    return c.fail("its attribute 'p' is " + Twine(p) + ", neither 1 nor 2");
  Value sum = reduce(c.b, c.value(0), *axis, true, Combine::Add, [&](Scalars &s, ValueRange v) {
    return p == 1 ? s.make<math::AbsFOp>(v[0]) : s.mul(v[0], v[0]);
  });
  c.result(0, elementwise(c.b, c.shape(0), c.type(0).getElementType(), {c.value(0), sum},
                          [&](Scalars &s, ValueRange v) {
                            Value norm = p == 1 ? v[1] : s.make<math::SqrtOp>(v[1]);
                            Value zero = s.constant(norm, 0);
                            Value isZero = s.compare(arith::CmpIPredicate::eq, norm, zero);
                            return s.select(isZero, zero, s.div(v[0], norm));
                          }));
  return success();
}

static LogicalResult lowerMeanVarianceNormalization(NodeContext &c) {
  auto axes = c.axes(c.intsAttr("axes", {0, 2, 3}), c.rank(0));
  if (failed(axes))
    return failure();
  c.result(0, standardise(c.b, c.value(0), *axes, 1e-9, Mean::Refined).values);
  return success();
}

/// Channels in groups; scale and bias for each channel, or (before opset 21) each group.
static LogicalResult lowerGroupNormalization(NodeContext &c) {
  double epsilon = c.floatAttr("epsilon", 1e-5);
  int64_t groups = c.intAttr("num_groups", 0), rank = c.rank(0);
  c.ignore({"stash_type"});
  if (rank < 3 || groups < 1 || c.shape(0)[1] % groups)
    return c.fail("its " + Twine(groups) + " groups do not divide the channels of " +
                  shapeName(c.shape(0)));
  Shape shape(c.shape(0)), grouped = {shape[0], groups, product(shape) / (shape[0] * groups)};
  Value values =
      standardise(c.b, reshape(c.b, c.value(0), grouped), {2}, epsilon, Mean::Refined).values;
  bool perGroup = product(c.shape(1)) == groups && shape[1] != groups;
  if (!perGroup && product(c.shape(1)) != shape[1])
    return c.fail("its scale has " + Twine(product(c.shape(1))) + " values for " + Twine(shape[1]) +
                  " channels");
  if (!perGroup)
    values = reshape(c.b, values, shape);
  int64_t valueRank = perGroup ? 3 : rank;
  Value scaled = scaleAndShift(c.b, values, along(c.b, c.value(1), 1, valueRank),
                               along(c.b, c.value(2), 1, valueRank));
  c.result(0, reshape(c.b, scaled, shape));
  return success();
}

/// x / (bias + alpha / size * sum of squares over neighbouring channels)^beta
static LogicalResult lowerLRN(NodeContext &c) {
  double alpha = c.floatAttr("alpha", 1e-4), beta = c.floatAttr("beta", 0.75),
         bias = c.floatAttr("bias", 1);
  int64_t size = c.intAttr("size", 0), rank = c.rank(0);
  if (size < 1 || rank < 2)
    return c.fail("it needs channels and a size, and has " + shapeName(c.shape(0)) + " and " +
                  Twine(size));
  Type element = c.type(0).getElementType();
  Value squares = elementwise(c.b, c.shape(0), element, c.value(0),
                              [](Scalars &s, ValueRange v) { return s.mul(v[0], v[0]); });
  Shape low(rank, 0), high(rank, 0), starts(rank, 0), ones(rank, 1);
  low[1] = (size - 1) / 2;
  high[1] = size - 1 - low[1];
  Value zero = Scalars(c.b, c.b.getLoc()).constant(element, 0);
  Value padded = pad(c.b, squares, low, high, zero), sum;
  for (int64_t i = 0; i < size; ++i) {
    starts[1] = i;
    Value window = slice(c.b, padded, starts, c.shape(0), ones);
    sum = sum ? elementwise(c.b, c.shape(0), element, {sum, window},
                            [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); })
              : window;
  }
  c.result(
      0, elementwise(c.b, c.shape(0), element, {c.value(0), sum}, [&](Scalars &s, ValueRange v) {
        Value scale = s.add(s.mul(v[1], s.constant(v[1], alpha / size)), s.constant(v[1], bias));
        return s.div(v[0], s.make<math::PowFOp>(scale, s.constant(v[1], beta)));
      }));
  return success();
}

void dojo::onnx::registerNormalization(HandlerRegistry &registry) {
  registry.onOp("BatchNormalization", 1, lowerBatchNormalization);
  registry.onOp("BatchNormalization", 14, lowerEitherBatchNormalization);
  registry.onOp("InstanceNormalization", 1, lowerInstanceNormalization);
  registry.onOp("LayerNormalization", 17, lowerLayerNormalization);
  registry.onOp("RMSNormalization", 23, lowerRMSNormalization);
  // As ONNX Runtime's optimizer writes it, into ONNX's own domain.
  registry.onOp("SimplifiedLayerNormalization", 1, lowerRMSNormalization);
  registry.onOp("LpNormalization", 1, lowerLpNormalization);
  registry.onOp("MeanVarianceNormalization", 9, lowerMeanVarianceNormalization);
  registry.onOp("GroupNormalization", 18, lowerGroupNormalization);
  registry.onOp("LRN", 1, lowerLRN);
  registry.onOp("Softmax", 1, alongAxes<softmax>(true));
  registry.onOp("Softmax", 13, alongAxes<softmax>(false));
  registry.onOp("LogSoftmax", 1, alongAxes<logSoftmax>(true));
  registry.onOp("LogSoftmax", 13, alongAxes<logSoftmax>(false));
}
