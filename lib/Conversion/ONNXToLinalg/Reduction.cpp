//===- Reduction.cpp - operators that fold dimensions ---------------------===//
#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

namespace {

using Scalar = Value (*)(Scalars &s, Value x);

/// result = last(fold over the axes of first(x)); axes are an operand from
/// opset `axesOperand` on, an attribute before.
struct Reduction {
  const char *op;
  int64_t axesOperand;
  Combine how;
  Scalar first = nullptr, last = nullptr;
  bool mean = false;
};

Value square(Scalars &s, Value x) { return s.mul(x, x); }
Value absolute(Scalars &s, Value x) { return s.max(x, s.neg(x)); }
Value exponent(Scalars &s, Value x) { return s.exp(x); }
Value logarithm(Scalars &s, Value x) { return s.make<math::LogOp>(x); }
Value root(Scalars &s, Value x) { return s.make<math::SqrtOp>(x); }

const Reduction reductions[] = {
    {"ReduceSum", 13, Combine::Add},
    {"ReduceMean", 18, Combine::Add, nullptr, nullptr, true},
    {"ReduceProd", 18, Combine::Mul},
    {"ReduceMax", 18, Combine::Max},
    {"ReduceMin", 18, Combine::Min},
    {"ReduceL1", 18, Combine::Add, absolute},
    {"ReduceL2", 18, Combine::Add, square, root},
    {"ReduceSumSquare", 18, Combine::Add, square},
    {"ReduceLogSum", 18, Combine::Add, nullptr, logarithm},
    {"ReduceLogSumExp", 18, Combine::Add, exponent, logarithm},
};

/// The axes of the node; nothing when it is to return its operand.
FailureOr<std::optional<Shape>> readAxes(NodeContext &c, bool operand) {
  Shape axes = operand ? Shape() : c.intsAttr("axes");
  bool noop = c.flagAttr("noop_with_empty_axes", false);
  if (operand && c.has(1)) {
    auto given = c.needInts(1, "axes");
    if (failed(given))
      return failure();
    if (c.rank(1) != 1)
      return c.fail("its axes of shape " + shapeName(c.shape(1)) + " are no list");
    axes = *given;
  }
  if (axes.empty()) {
    if (noop)
      return std::optional<Shape>();
    return std::optional<Shape>(llvm::to_vector(llvm::seq<int64_t>(0, c.rank(0))));
  }
  auto positive = c.axes(axes, c.rank(0));
  if (failed(positive))
    return failure();
  return std::optional<Shape>(*positive);
}

Value map(ImplicitLocOpBuilder &b, Value x, function_ref<Value(Scalars &, Value)> body) {
  return elementwise(b, shapeOf(x), elementOf(x), x,
                     [&](Scalars &s, ValueRange v) { return body(s, v[0]); });
}

Handler lowerReduction(const Reduction &entry, bool operand) {
  return [&entry, operand](NodeContext &c) -> LogicalResult {
    bool keep = c.flagAttr("keepdims", true);
    auto axes = readAxes(c, operand);
    if (failed(axes))
      return failure();
    Type element = c.type(0).getElementType();
    bool isBool = element.isInteger(1), isUnsigned = c.isUnsigned(0) || isBool;
    if ((isBool && (entry.how == Combine::Add || entry.how == Combine::Mul)) ||
        (isa<IntegerType>(element) && (entry.last || entry.mean || entry.first == exponent)))
      return c.fail("it is not supported on " + typeName(element), "cast to float32");
    Value x = c.value(0);
    auto first = [&](Scalars &s, ValueRange v) { return entry.first(s, v[0]); };
    double count = 1;
    if (!*axes) {
      x = entry.first ? map(c.b, x, entry.first) : x;
    } else {
      for (int64_t axis : **axes)
        count *= c.shape(0)[axis];
      x = reduce(c.b, x, **axes, keep, entry.how, entry.first ? Body(first) : nullptr, isUnsigned);
    }
    if (entry.mean && count != 1)
      x = map(c.b, x, [&](Scalars &s, Value v) { return s.div(v, s.constant(v, count)); });
    if (entry.last)
      x = map(c.b, x, entry.last);
    c.result(0, x);
    return success();
  };
}

} // namespace

void dojo::onnx::registerReductions(HandlerRegistry &registry) {
  for (const Reduction &entry : reductions) {
    registry.onOp(entry.op, 1, lowerReduction(entry, false));
    registry.onOp(entry.op, entry.axesOperand, lowerReduction(entry, true));
  }
}
