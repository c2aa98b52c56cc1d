//===- Casts.cpp - operators that change element types --------------------===//
#include "Types.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

using namespace mlir;
using namespace dojo::onnx;

static LogicalResult castTo(NodeContext &c, Type declared) {
  bool saturate = c.flagAttr("saturate", true);
  std::string mode = c.stringAttr("round_mode", "up");
  if (!llvm::is_contained({"up", "down", "nearest"}, StringRef(mode)))
    return c.fail("its round_mode '" + mode + "' is none of up, down and nearest");
  ScaleRounding rounding = mode == "up"     ? ScaleRounding::Up
                           : mode == "down" ? ScaleRounding::Down
                                            : ScaleRounding::Nearest;
  Type computed = declared ? computedType(declared) : Type();
  if (!computed || !computedType(c.declared(0)))
    return c.fail("it casts " + typeName(c.declared(0)) + " to a type that no node computes",
                  "floats, integers and bool are computed");
  if (declared == c.declared(0)) {
    c.forward(0, 0);
    return success();
  }
  Value result = elementwise(c.b, c.shape(0), computed, c.value(0), [&](Scalars &s, ValueRange v) {
    return converted(s, v[0], c.declared(0), declared, saturate, rounding);
  });
  c.result(0, result, declared);
  return success();
}

static LogicalResult lowerCast(NodeContext &c) {
  return castTo(c, declaredType(c.b.getContext(), c.intAttr("to", 0)));
}

static LogicalResult lowerCastLike(NodeContext &c) { return castTo(c, c.declared(1)); }

/// The same bits as another type of the same width.
static LogicalResult lowerBitCast(NodeContext &c) {
  Type to = declaredType(c.b.getContext(), c.intAttr("to", 0)), from = c.declared(0);
  // A bool is a byte of 0 or 1.
  if (from.isInteger(1) && to && to.isInteger() && to.getIntOrFloatBitWidth() == 8)
    return castTo(c, to);
  if (!to || !computedType(to) || to.getIntOrFloatBitWidth() != from.getIntOrFloatBitWidth() ||
      from.isF64() || to.isF64())
    return c.fail("it reads the bits of " + typeName(from) +
                  " as a type of another width, or as float64");
  Value stored = encoded(c.b, c.value(0), from);
  Type element = outsideType(to).element;
  if (elementOf(stored) != element)
    stored = elementwise(c.b, c.shape(0), element, stored, [&](Scalars &s, ValueRange v) {
      return s.make<arith::BitcastOp>(element, v[0]);
    });
  c.result(0, decoded(c.b, stored, to), to);
  return success();
}

void dojo::onnx::registerCasts(HandlerRegistry &registry) {
  registry.onOp("Cast", 6, lowerCast);
  registry.onOp("CastLike", 15, lowerCastLike);
  registry.onOp("BitCast", 1, lowerBitCast);
}
