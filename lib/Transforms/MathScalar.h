//===- MathScalar.h - f32 and i32 expressions as C++ expressions -*- C++ -*-===//
#ifndef DOJO_LIB_TRANSFORMS_MATHSCALAR_H
#define DOJO_LIB_TRANSFORMS_MATHSCALAR_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace dojo::scalar {

using Emitter = mlir::ImplicitLocOpBuilder;

struct Bool {
  Emitter *b;
  mlir::Value v;
};

struct Int {
  Emitter *b;
  mlir::Value v;
  Int like(int32_t value) const {
    return {b, mlir::arith::ConstantOp::create(*b, b->getI32IntegerAttr(value))};
  }
};

struct Real {
  Emitter *b;
  mlir::Value v;
  Real like(float value) const {
    return {b, mlir::arith::ConstantOp::create(*b, b->getF32FloatAttr(value))};
  }
};

#define DOJO_BINARY(TYPE, SCALAR, SYMBOL, OP)                                                      \
  inline TYPE operator SYMBOL(TYPE x, TYPE y) {                                                    \
    return {x.b, mlir::arith::OP::create(*x.b, x.v, y.v)};                                         \
  }                                                                                                \
  inline TYPE operator SYMBOL(TYPE x, SCALAR y) { return x SYMBOL x.like(y); }
DOJO_BINARY(Real, float, +, AddFOp)
DOJO_BINARY(Real, float, -, SubFOp)
DOJO_BINARY(Real, float, *, MulFOp)
DOJO_BINARY(Real, float, /, DivFOp)
DOJO_BINARY(Int, int32_t, +, AddIOp)
DOJO_BINARY(Int, int32_t, -, SubIOp)
DOJO_BINARY(Int, int32_t, &, AndIOp)
DOJO_BINARY(Int, int32_t, |, OrIOp)
DOJO_BINARY(Int, int32_t, ^, XOrIOp)
DOJO_BINARY(Int, int32_t, <<, ShLIOp)
DOJO_BINARY(Int, int32_t, >>, ShRSIOp)
#undef DOJO_BINARY

inline Bool compare(mlir::arith::CmpFPredicate how, Real x, Real y) {
  return {x.b, mlir::arith::CmpFOp::create(*x.b, how, x.v, y.v)};
}
inline Bool operator<(Real x, Real y) { return compare(mlir::arith::CmpFPredicate::OLT, x, y); }
inline Bool operator<(Int x, int32_t y) {
  return {x.b,
          mlir::arith::CmpIOp::create(*x.b, mlir::arith::CmpIPredicate::slt, x.v, x.like(y).v)};
}
inline Bool operator<(Real x, float y) { return x < x.like(y); }
inline Bool operator>(Real x, float y) {
  return compare(mlir::arith::CmpFPredicate::OGT, x, x.like(y));
}
inline Bool operator==(Real x, Real y) { return compare(mlir::arith::CmpFPredicate::OEQ, x, y); }
inline Bool operator==(Real x, float y) { return x == x.like(y); }
inline Bool operator==(Int x, int32_t y) {
  return {x.b, mlir::arith::CmpIOp::create(*x.b, mlir::arith::CmpIPredicate::eq, x.v, x.like(y).v)};
}
inline Bool isNaN(Real x) { return compare(mlir::arith::CmpFPredicate::UNO, x, x); }

inline Bool operator&(Bool x, Bool y) { return {x.b, mlir::arith::AndIOp::create(*x.b, x.v, y.v)}; }
inline Bool operator|(Bool x, Bool y) { return {x.b, mlir::arith::OrIOp::create(*x.b, x.v, y.v)}; }

inline Real select(Bool c, Real x, Real y) {
  return {c.b, mlir::arith::SelectOp::create(*c.b, c.v, x.v, y.v)};
}
inline Real select(Bool c, float x, Real y) { return select(c, y.like(x), y); }
inline Int select(Bool c, Int x, Int y) {
  return {c.b, mlir::arith::SelectOp::create(*c.b, c.v, x.v, y.v)};
}

inline Real operator-(Real x) { return {x.b, mlir::arith::NegFOp::create(*x.b, x.v)}; }
inline Real abs(Real x) { return {x.b, mlir::math::AbsFOp::create(*x.b, x.v)}; }
inline Real sqrt(Real x) { return {x.b, mlir::math::SqrtOp::create(*x.b, x.v)}; }
inline Real nearest(Real x) { return {x.b, mlir::math::RoundEvenOp::create(*x.b, x.v)}; }
inline Real floor(Real x) { return {x.b, mlir::math::FloorOp::create(*x.b, x.v)}; }
inline Real truncate(Real x) { return {x.b, mlir::math::TruncOp::create(*x.b, x.v)}; }
inline Real fma(Real x, Real y, Real z) {
  return {x.b, mlir::math::FmaOp::create(*x.b, x.v, y.v, z.v)};
}
inline Real fma(Real x, float y, Real z) { return fma(x, x.like(y), z); }
/// x clamped to [low, high]; NaN stays NaN.
inline Real clamp(Real x, float low, float high) {
  mlir::Value atLeast = mlir::arith::MaximumFOp::create(*x.b, x.v, x.like(low).v);
  return {x.b, mlir::arith::MinimumFOp::create(*x.b, atLeast, x.like(high).v)};
}

inline Int bits(Real x) {
  return {x.b, mlir::arith::BitcastOp::create(*x.b, x.b->getI32Type(), x.v)};
}
inline Real fromBits(Int x) {
  return {x.b, mlir::arith::BitcastOp::create(*x.b, x.b->getF32Type(), x.v)};
}
inline Int toInt(Real x) {
  return {x.b, mlir::arith::FPToSIOp::create(*x.b, x.b->getI32Type(), x.v)};
}
inline Real toReal(Int x) {
  return {x.b, mlir::arith::SIToFPOp::create(*x.b, x.b->getF32Type(), x.v)};
}
inline Real copySign(Real magnitude, Real sign) {
  return fromBits((bits(magnitude) & 0x7fffffff) | (bits(sign) & INT32_MIN));
}
/// The coefficients from the highest power down, by Horner's rule in fma.
inline Real polynomial(Real x, llvm::ArrayRef<float> coefficients) {
  Real sum = x.like(coefficients.front());
  for (float c : coefficients.drop_front())
    sum = fma(sum, x, x.like(c));
  return sum;
}

} // namespace dojo::scalar

#endif // DOJO_LIB_TRANSFORMS_MATHSCALAR_H
