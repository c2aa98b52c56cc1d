//===- Losses.cpp - how far predictions are from their targets ------------===//
#include "Build.h"
#include "Softmax.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

/// -weight[target] * logProbability[target], the class being dimension 1; a target that
/// is to be ignored, or names no class, counts nothing.
static LogicalResult likelihoodLoss(NodeContext &c, Value logProbabilities) {
  std::string reduction = c.stringAttr("reduction", "mean");
  auto ignored = dyn_cast_or_null<IntegerAttr>(c.attr("ignore_index"));
  Shape shape(c.shape(0)), targets(c.shape(1)), expected(shape), unit(shape);
  if (shape.size() < 2)
    return c.fail("it needs scores with batch and classes and has " + shapeName(shape));
  expected.erase(expected.begin() + 1);
  unit[1] = 1;
  if (targets != expected)
    return c.fail("its targets of shape " + shapeName(targets) + " do not fit scores of " +
                  shapeName(shape));
  if (c.has(2) && Shape(c.shape(2)) != Shape{shape[1]})
    return c.fail("its weights of shape " + shapeName(c.shape(2)) + " do not fit " +
                  Twine(shape[1]) + " classes");
  if (!llvm::is_contained({"none", "sum", "mean"}, reduction))
    return c.fail("its reduction '" + reduction + "' is none of none, sum and mean");
  Type element = elementOf(logProbabilities);
  Value classes = iota(c.b, shape[1], 1, shape.size());
  SmallVector<Value> operands = {reshape(c.b, c.value(1), unit), classes};
  if (c.has(2))
    operands.push_back(along(c.b, c.value(2), 1, shape.size()));
  Value weights = elementwise(c.b, shape, element, operands, [&](Scalars &s, ValueRange v) {
    Value target = s.cast(v[0], c.b.getI32Type());
    Value chosen = s.compare(P::eq, target, v[1]);
    if (ignored) {
      Value counts = s.compare(P::ne, target, s.constant(target, ignored.getInt()));
      chosen = s.make<arith::AndIOp>(chosen, counts);
    }
    return s.select(chosen, v.size() > 2 ? v[2] : s.constant(element, 1), s.constant(element, 0));
  });
  Value losses =
      elementwise(c.b, shape, element, {logProbabilities, weights}, [](Scalars &s, ValueRange v) {
        Value zero = s.constant(v[1], 0);
        Value loss = s.neg(s.mul(v[0], v[1]));
        return s.select(s.compare(P::eq, v[1], zero), zero, loss);
      });
  Shape all = llvm::to_vector(llvm::seq<int64_t>(0, shape.size()));
  Value loss = reduce(c.b, losses, reduction == "none" ? Shape{1} : all, false, Combine::Add);
  if (reduction == "mean") {
    Value total = reduce(c.b, weights, all, false, Combine::Add);
    loss = elementwise(c.b, {}, element, {loss, total},
                       [](Scalars &s, ValueRange v) { return s.div(v[0], v[1]); });
  }
  c.result(0, loss);
  return success();
}

static LogicalResult lowerNegativeLogLikelihood(NodeContext &c) {
  return likelihoodLoss(c, c.value(0));
}

static LogicalResult lowerSoftmaxCrossEntropy(NodeContext &c) {
  if (c.rank(0) < 2)
    return c.fail("it needs scores with batch and classes and has " + shapeName(c.shape(0)));
  Value logProbabilities = logSoftmax(c.b, c.value(0), {1});
  if (c.numResults() > 1)
    c.result(1, logProbabilities);
  return likelihoodLoss(c, logProbabilities);
}

void dojo::onnx::registerLosses(HandlerRegistry &registry) {
  registry.onOp("NegativeLogLikelihoodLoss", 12, lowerNegativeLogLikelihood);
  registry.onOp("SoftmaxCrossEntropyLoss", 12, lowerSoftmaxCrossEntropy);
}
