//===- Comparisons.cpp - comparisons, logic, bits and choices -------------===//
#include "Elementwise.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

namespace {

using P = arith::CmpIPredicate;

Value isInfinite(Scalars &s, Value x, Params a) {
  Value above = s.compare(P::eq, x, s.constant(x, INFINITY));
  Value below = s.compare(P::eq, x, s.constant(x, -INFINITY));
  return s.make<arith::OrIOp>(s.make<arith::AndIOp>(below, s.constant(below, a[0])),
                              s.make<arith::AndIOp>(above, s.constant(above, a[1])));
}

const Unary unaries[] = {
    {"Not", 1, Bools, {}, UNARY(s.make<arith::XOrIOp>(x, s.constant(x, 1)))},
    {"BitwiseNot", 18, Ints, {}, UNARY(s.make<arith::XOrIOp>(x, s.constant(x, -1)))},
    {"IsNaN", 9, Floats, {}, UNARY(s.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, x, x)), Bool},
    {"IsInf", 10, Floats, {{"detect_negative", 1}, {"detect_positive", 1}}, isInfinite, Bool},
};

const Binary binaries[] = {
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

LogicalResult lowerWhere(NodeContext &c) {
  auto shape = commonShape(c, 3);
  if (failed(shape) || failed(checkKind(c, All, 1)))
    return failure();
  c.result(0, elementwise(c.b, *shape, c.type(1).getElementType(), allValues(c),
                          [](Scalars &s, ValueRange v) { return s.select(v[0], v[1], v[2]); }));
  return success();
}

} // namespace

void dojo::onnx::registerComparisons(HandlerRegistry &registry) {
  registerUnaries(registry, unaries);
  registerBinaries(registry, binaries);
  registry.onOp("BitShift", 11, lowerBitShift);
  registry.onOp("Where", 9, lowerWhere);
}
