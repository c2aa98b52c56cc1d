//===- MathCircular.cpp - circular functions and their inverses -----------===//
//
// Polynomials of sin and cos are those N. Juffa published for machines with
// fma; those of atan and asin are minimax fits to (f(x) - x) / x^3 in x^2.
//
//===----------------------------------------------------------------------===//
#include "MathFunctions.h"

using namespace dojo::scalar;
using namespace dojo::scalar::functions;

namespace {

constexpr float halfPi = 1.57079633f, halfPiLow = -4.37113883e-8f;

/// x = n * pi/2 + r. The three parts of pi/2 are good for |x| up to 1e5.
struct CircleReduction {
  explicit CircleReduction(Real x) : r(x), quadrant{x.b, {}} {
    Real n = nearest(x * 0.636619772368f);
    r = fma(n, -1.57079601e+0f, x);
    r = fma(n, -3.13916473e-7f, r);
    r = fma(n, -5.39030253e-15f, r);
    quadrant = toInt(clamp(n, -0x1p30f, 0x1p30f));
  }
  Real r;
  Int quadrant;
};

Real sinOnQuadrant(Real r) {
  Real square = r * r;
  Real p = polynomial(square, {2.86567956e-6f, -1.98559923e-4f, 8.33338592e-3f, -1.66666672e-1f});
  return fma(p, r * square, r);
}

Real cosOnQuadrant(Real r) {
  Real square = r * r;
  return polynomial(square, {2.44677067e-5f, -1.38877297e-3f, 4.16666567e-2f, -0.5f, 1.0f});
}

/// sin(r + quadrant * pi/2).
Real sinAt(Real r, Int quadrant) {
  Real value = select((quadrant & 1) == 0, sinOnQuadrant(r), cosOnQuadrant(r));
  return fromBits(bits(value) ^ ((quadrant & 2) << 30));
}

} // namespace

Real functions::sin(Real x) {
  CircleReduction at(x);
  return select(x == 0.0f, x, sinAt(at.r, at.quadrant));
}

Real functions::cos(Real x) {
  CircleReduction at(x);
  return sinAt(at.r, at.quadrant + 1);
}

Real functions::tan(Real x) {
  CircleReduction at(x);
  Real ratio = sinOnQuadrant(at.r) / cosOnQuadrant(at.r);
  Real result = select((at.quadrant & 1) == 0, ratio, -(at.r.like(1.0f) / ratio));
  return select(x == 0.0f, x, result);
}

namespace {

/// asin(x) for 0 <= x <= 1/2, with square = x^2 exact or nearly so.
Real asinNear(Real x, Real square) {
  Real p = polynomial(square, {3.756486750e-2f, 1.440287031e-2f, 3.181753223e-2f, 4.451573137e-2f,
                               7.500510847e-2f, 1.666665987e-1f});
  return fma(p, x * square, x);
}

/// acos(x) / 2 for 1/2 <= x <= 1: asin(sqrt((1 - x) / 2)).
Real halfAcosFar(Real x) {
  Real square = fma(x, -0.5f, x.like(0.5f));
  return asinNear(sqrt(square), square);
}

} // namespace

Real functions::asin(Real x) {
  Real t = abs(x);
  Real far = fma(halfAcosFar(t), -2.0f, t.like(halfPiLow)) + halfPi;
  return copySign(select(t > 0.5f, far, asinNear(t, t * t)), x);
}

Real functions::acos(Real x) {
  Real t = abs(x);
  Real far = halfAcosFar(t) * 2.0f;
  Real farNegative = (far.like(2.0f * halfPiLow) - far) + 2.0f * halfPi;
  Real nearSigned = copySign(asinNear(t, t * t), x);
  Real near = (nearSigned.like(halfPiLow) - nearSigned) + halfPi;
  return select(t > 0.5f, select(x < 0.0f, farNegative, far), near);
}

/// For |x| > 1: pi/2 - atan(1 / |x|).
Real functions::atan(Real x) {
  Real t = abs(x);
  Bool large = t > 1.0f;
  Real r = select(large, t.like(1.0f) / t, t);
  Real square = r * r;
  Real p = polynomial(square, {-1.793665758e-3f, 1.091481099e-2f, -3.117824656e-2f, 5.795801844e-2f,
                               -8.403476818e-2f, 1.095219558e-1f, -1.426424375e-1f, 1.999854850e-1f,
                               -3.333329910e-1f});
  Real near = fma(p, r * square, r);
  Real far = (near.like(halfPiLow) - near) + halfPi;
  return copySign(select(large, far, near), x);
}
