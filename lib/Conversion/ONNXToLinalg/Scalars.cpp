//===- Scalars.cpp - arithmetic in the bodies of structured operations ----===//
#include "Build.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

static bool isFloat(Value x) { return isa<FloatType>(x.getType()); }

Value Scalars::constant(Type type, double value) {
  if (isa<FloatType>(type))
    return make<arith::ConstantOp>(b.getFloatAttr(type, value));
  return make<arith::ConstantOp>(b.getIntegerAttr(type, int64_t(value)));
}

Value Scalars::lowest(Type type) {
  if (isa<FloatType>(type))
    return constant(type, -std::numeric_limits<double>::infinity());
  if (isUnsigned)
    return constant(type, 0);
  return make<arith::ConstantOp>(
      b.getIntegerAttr(type, APInt::getSignedMinValue(type.getIntOrFloatBitWidth())));
}

Value Scalars::highest(Type type) {
  if (isa<FloatType>(type))
    return constant(type, std::numeric_limits<double>::infinity());
  if (isUnsigned)
    return constant(type, -1);
  return make<arith::ConstantOp>(
      b.getIntegerAttr(type, APInt::getSignedMaxValue(type.getIntOrFloatBitWidth())));
}

Value Scalars::add(Value x, Value y) {
  return isFloat(x) ? make<arith::AddFOp>(x, y) : make<arith::AddIOp>(x, y);
}
Value Scalars::sub(Value x, Value y) {
  return isFloat(x) ? make<arith::SubFOp>(x, y) : make<arith::SubIOp>(x, y);
}
Value Scalars::mul(Value x, Value y) {
  return isFloat(x) ? make<arith::MulFOp>(x, y) : make<arith::MulIOp>(x, y);
}
Value Scalars::div(Value x, Value y) {
  if (isFloat(x))
    return make<arith::DivFOp>(x, y);
  return isUnsigned ? make<arith::DivUIOp>(x, y) : make<arith::DivSIOp>(x, y);
}
Value Scalars::min(Value x, Value y) {
  if (isFloat(x))
    return make<arith::MinimumFOp>(x, y);
  return isUnsigned ? make<arith::MinUIOp>(x, y) : make<arith::MinSIOp>(x, y);
}
Value Scalars::max(Value x, Value y) {
  if (isFloat(x))
    return make<arith::MaximumFOp>(x, y);
  return isUnsigned ? make<arith::MaxUIOp>(x, y) : make<arith::MaxSIOp>(x, y);
}
Value Scalars::neg(Value x) { return isFloat(x) ? make<arith::NegFOp>(x) : sub(constant(x, 0), x); }
Value Scalars::exp(Value x) { return make<math::ExpOp>(x); }
Value Scalars::sigmoid(Value x) {
  Value one = constant(x, 1);
  return div(one, add(one, exp(neg(x))));
}
/// x / 2 * (1 + y).
static Value halfOf(Scalars &s, Value x, Value y) {
  Value half = s.mul(x, s.constant(x, 0.5));
  return s.make<math::FmaOp>(half, y, half);
}
Value Scalars::gelu(Value x) {
  return halfOf(*this, x, make<math::ErfOp>(mul(x, constant(x, 0.70710678118654752))));
}
Value Scalars::geluTanh(Value x) {
  Value inner = add(x, mul(mul(x, mul(x, x)), constant(x, 0.044715)));
  return halfOf(*this, x, make<math::TanhOp>(mul(inner, constant(x, 0.79788456080286536))));
}

Value Scalars::compare(arith::CmpIPredicate predicate, Value x, Value y) {
  using I = arith::CmpIPredicate;
  if (!isFloat(x) && isUnsigned)
    predicate = predicate == I::slt   ? I::ult
                : predicate == I::sle ? I::ule
                : predicate == I::sgt ? I::ugt
                : predicate == I::sge ? I::uge
                                      : predicate;
  if (!isFloat(x))
    return make<arith::CmpIOp>(predicate, x, y);
  using F = arith::CmpFPredicate;
  F ordered = predicate == I::eq    ? F::OEQ
              : predicate == I::ne  ? F::UNE
              : predicate == I::slt ? F::OLT
              : predicate == I::sle ? F::OLE
              : predicate == I::sgt ? F::OGT
                                    : F::OGE;
  return make<arith::CmpFOp>(ordered, x, y);
}

Value Scalars::select(Value condition, Value x, Value y) {
  return make<arith::SelectOp>(condition, x, y);
}

Value Scalars::cast(Value x, Type type) {
  Type from = x.getType();
  if (from == type)
    return x;
  if (type.isInteger(1))
    return compare(arith::CmpIPredicate::ne, x, constant(x, 0));
  if (isa<FloatType>(from) && isa<FloatType>(type)) {
    bool wider = type.getIntOrFloatBitWidth() > from.getIntOrFloatBitWidth();
    return wider ? make<arith::ExtFOp>(type, x) : make<arith::TruncFOp>(type, x);
  }
  if (isa<FloatType>(from))
    return make<arith::FPToSIOp>(type, x);
  if (isa<FloatType>(type))
    return isUnsigned || from.isInteger(1) ? make<arith::UIToFPOp>(type, x)
                                           : make<arith::SIToFPOp>(type, x);
  if (from.getIntOrFloatBitWidth() > type.getIntOrFloatBitWidth())
    return make<arith::TruncIOp>(type, x);
  return isUnsigned || from.isInteger(1) ? make<arith::ExtUIOp>(type, x)
                                         : make<arith::ExtSIOp>(type, x);
}
