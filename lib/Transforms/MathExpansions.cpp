//===- MathExpansions.cpp - from math operations to their expansions ------===//
#include "dojo/Transforms/MathExpansions.h"
#include "MathFunctions.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dojo::scalar;

namespace {

/// To the nearest integer, halves away from zero. Exact.
Real roundAway(Real x) {
  Real whole = truncate(x);
  Real away = copySign(x.like(1.0f), x);
  Real part = abs(x - whole);
  return copySign(whole + select(part < 0.5f, 0.0f, away), x);
}

/// 1 / sqrt(x): both instructions round correctly.
Real reciprocalRoot(Real x) { return x.like(1.0f) / sqrt(x); }

template <typename Function>
Value unary(Emitter &b, Operation *op, Function function) {
  return function(Real{&b, op->getOperand(0)}).v;
}

} // namespace

bool dojo::isNativeMathOp(Operation *op) {
  return isa<math::FmaOp, math::SqrtOp, math::AbsFOp, math::FloorOp, math::CeilOp, math::TruncOp,
             math::RoundEvenOp>(op);
}

Value dojo::expandMathOp(ImplicitLocOpBuilder &b, Operation *op) {
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp) { return unary(b, op, functions::exp); })
      .Case([&](math::Exp2Op) { return unary(b, op, functions::exp2); })
      .Case([&](math::ExpM1Op) { return unary(b, op, functions::expm1); })
      .Case([&](math::LogOp) { return unary(b, op, functions::log); })
      .Case([&](math::Log2Op) { return unary(b, op, functions::log2); })
      .Case([&](math::Log10Op) { return unary(b, op, functions::log10); })
      .Case([&](math::Log1pOp) { return unary(b, op, functions::log1p); })
      .Case([&](math::TanhOp) { return unary(b, op, functions::tanh); })
      .Case([&](math::SinhOp) { return unary(b, op, functions::sinh); })
      .Case([&](math::CoshOp) { return unary(b, op, functions::cosh); })
      .Case([&](math::ErfOp) { return unary(b, op, functions::erf); })
      .Case([&](math::SinOp) { return unary(b, op, functions::sin); })
      .Case([&](math::CosOp) { return unary(b, op, functions::cos); })
      .Case([&](math::TanOp) { return unary(b, op, functions::tan); })
      .Case([&](math::AsinOp) { return unary(b, op, functions::asin); })
      .Case([&](math::AcosOp) { return unary(b, op, functions::acos); })
      .Case([&](math::AtanOp) { return unary(b, op, functions::atan); })
      .Case([&](math::AsinhOp) { return unary(b, op, functions::asinh); })
      .Case([&](math::AcoshOp) { return unary(b, op, functions::acosh); })
      .Case([&](math::AtanhOp) { return unary(b, op, functions::atanh); })
      .Case([&](math::RsqrtOp) { return unary(b, op, reciprocalRoot); })
      .Case([&](math::RoundOp) { return unary(b, op, roundAway); })
      .Case([&](math::PowFOp pow) {
        return functions::pow(Real{&b, pow.getLhs()}, Real{&b, pow.getRhs()}).v;
      })
      .Case([&](math::CopySignOp sign) {
        return copySign(Real{&b, sign.getLhs()}, Real{&b, sign.getRhs()}).v;
      })
      .Default([](Operation *) { return Value(); });
}
