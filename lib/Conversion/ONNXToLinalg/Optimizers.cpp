//===- Optimizers.cpp - steps of training ---------------------------------===//
//
// Operators of ai.onnx.preview.training: operands are the rate R, the step T, and
// then groups of tensors: all parameters, all their gradients, all states.
//
//===----------------------------------------------------------------------===//
#include "Types.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

namespace {

/// The scalars of one element: rate, step, parameter, gradient, states; the new
/// parameter and states.
using Step = llvm::function_ref<SmallVector<Value>(Scalars &, ValueRange)>;

/// Result `which` of the step for each element.
Value updated(NodeContext &c, ValueRange operands, unsigned which, Step step) {
  return elementwise(c.b, shapeOf(operands[2]), c.b.getF32Type(), operands,
                     [&](Scalars &s, ValueRange v) {
                       SmallVector<Value> scalars(v);
                       scalars[1] = s.cast(scalars[1], s.floatType());
                       return step(s, scalars)[which];
                     });
}

/// Applies the step to each parameter and its `states` states.
LogicalResult train(NodeContext &c, unsigned states, Step step) {
  unsigned groups = states + 2, count = c.size() < 2 ? 0 : (c.size() - 2) / groups;
  if (!count || c.size() != 2 + count * groups)
    return c.fail("it has " + Twine(c.size()) + " operands, which are no rate, step and " +
                  Twine(groups) + " tensors for each parameter");
  if (product(c.shape(0)) != 1 || product(c.shape(1)) != 1)
    return c.fail("its rate or its step is no scalar");
  for (unsigned i = 0; i < count; ++i) {
    SmallVector<Value> operands = {reshape(c.b, c.value(0), {}), reshape(c.b, c.value(1), {})};
    for (unsigned group = 0; group < groups; ++group) {
      unsigned operand = 2 + group * count + i;
      if (Shape(c.shape(operand)) != Shape(c.shape(2 + i)) ||
          !c.type(operand).getElementType().isF32())
        return c.fail("its operand " + Twine(operand) + " is no tensor of floats of the shape " +
                      shapeName(c.shape(2 + i)) + " of its parameter");
      operands.push_back(c.value(operand));
    }
    for (unsigned which = 0; which <= states; ++which)
      c.result(which * count + i, updated(c, operands, which, step), c.declared(2 + i));
  }
  return success();
}

/// The gradient with that of the regularisation norm/2 * x^2.
Value regularised(Scalars &s, Value x, Value gradient, double norm) {
  return norm ? s.add(s.mul(x, s.constant(x, norm)), gradient) : gradient;
}

/// r / (1 + t * decay) * g / (sqrt(h + g^2) + epsilon) off x
LogicalResult lowerAdagrad(NodeContext &c) {
  double norm = c.floatAttr("norm_coefficient", 0), decay = c.floatAttr("decay_factor", 0),
         epsilon = c.floatAttr("epsilon", 1e-6);
  return train(c, 1, [&](Scalars &s, ValueRange v) -> SmallVector<Value> {
    Value r = v[0], t = v[1], x = v[2], h = v[4], g = regularised(s, x, v[3], norm);
    Value rate = s.div(r, s.add(s.constant(t, 1), s.mul(t, s.constant(t, decay))));
    Value squares = s.add(h, s.mul(g, g));
    Value root = s.add(s.make<math::SqrtOp>(squares), s.constant(h, epsilon));
    return {s.sub(x, s.div(s.mul(rate, g), root)), squares};
  });
}

/// v and h are running means of g and g^2, whose bias the rate makes good from step 1 on.
LogicalResult lowerAdam(NodeContext &c) {
  double alpha = c.floatAttr("alpha", 0.9), beta = c.floatAttr("beta", 0.999),
         epsilon = c.floatAttr("epsilon", 1e-6), norm = c.floatAttr("norm_coefficient", 0),
         after = c.floatAttr("norm_coefficient_post", 0);
  return train(c, 2, [&](Scalars &s, ValueRange v) -> SmallVector<Value> {
    Value r = v[0], t = v[1], x = v[2], g = regularised(s, x, v[3], norm);
    auto blend = [&](Value old, Value next, double share) {
      return s.add(s.mul(old, s.constant(old, share)), s.mul(next, s.constant(old, 1 - share)));
    };
    auto unbiased = [&](double share) {
      return s.sub(s.constant(t, 1), s.make<math::PowFOp>(s.constant(t, share), t));
    };
    Value mean = blend(v[4], g, alpha), squares = blend(v[5], s.mul(g, g), beta);
    Value corrected = s.div(s.mul(r, s.make<math::SqrtOp>(unbiased(beta))), unbiased(alpha));
    Value rate = s.select(s.compare(P::sgt, t, s.constant(t, 0)), corrected, r);
    Value root = s.add(s.make<math::SqrtOp>(squares), s.constant(x, epsilon));
    Value next = s.sub(x, s.mul(rate, s.div(mean, root)));
    return {s.mul(next, s.constant(x, 1 - after)), mean, squares};
  });
}

/// The gradient counts fully at step 0 and by beta later.
LogicalResult lowerMomentum(NodeContext &c) {
  double alpha = c.floatAttr("alpha", 0), beta = c.floatAttr("beta", 0),
         norm = c.floatAttr("norm_coefficient", 0);
  std::string mode = c.stringAttr("mode", "");
  if (mode != "standard" && mode != "nesterov")
    return c.fail("its mode '" + mode + "' is neither standard nor nesterov");
  return train(c, 1, [&](Scalars &s, ValueRange v) -> SmallVector<Value> {
    Value r = v[0], t = v[1], x = v[2], g = regularised(s, x, v[3], norm);
    Value share =
        s.select(s.compare(P::sgt, t, s.constant(t, 0)), s.constant(t, beta), s.constant(t, 1));
    auto kept = [&](Value velocity) { return s.mul(velocity, s.constant(velocity, alpha)); };
    Value velocity = s.add(kept(v[4]), s.mul(share, g));
    Value step = mode == "nesterov" ? s.add(g, kept(velocity)) : velocity;
    return {s.sub(x, s.mul(r, step)), velocity};
  });
}

LogicalResult refuseGradient(NodeContext &c) {
  return c.fail("it asks for the derivative of a part of the graph, which is not derived yet",
                "export the backward pass as nodes of the graph");
}

} // namespace

void dojo::onnx::registerOptimizers(HandlerRegistry &registry) {
  StringRef training = "ai.onnx.preview.training";
  registry.onOp("Adagrad", 1, lowerAdagrad, training);
  registry.onOp("Adam", 1, lowerAdam, training);
  registry.onOp("Momentum", 1, lowerMomentum, training);
  registry.onOp("Gradient", 1, refuseGradient, training);
}
