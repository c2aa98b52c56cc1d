//===- MathExponential.cpp - exponentials, logarithms and their kin -------===//
//
// Polynomials of exp and log are those of S. Moshier's Cephes (single
// precision); the quotient of erf is a minimax fit to erf(x) / x in x^2.
//
//===----------------------------------------------------------------------===//
#include "MathFunctions.h"

using namespace dojo::scalar;
using namespace dojo::scalar::functions;

namespace {

constexpr float ln2High = 0.693359375f, ln2Low = -2.12194440e-4f;
constexpr float ln2 = 0.69314718056f, log2OfE = 1.44269504089f;

/// 2^n for -126 <= n <= 127.
Real powerOfTwo(Int n) { return fromBits((n + 127) << 23); }

/// x * 2^n for |n| <= 252, rounded once unless the result is denormal.
Real scale(Real x, Int n) {
  Int half = n >> 1;
  return x * powerOfTwo(half) * powerOfTwo(n - half);
}

/// e^r - 1 - r for |r| <= ln(2)/2.
Real expTail(Real r) {
  return polynomial(r, {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f,
                        1.6666665459e-1f, 5.0000001201e-1f}) *
         (r * r);
}

/// x = n * ln(2) + r with |r| <= ln(2)/2.
struct ExpReduction {
  explicit ExpReduction(Real x) : whole(nearest(x * log2OfE)), r(x), n(toInt(whole)) {
    r = fma(whole, -ln2Low, fma(whole, -ln2High, x));
  }
  Real whole, r;
  Int n;
};

/// x = m * 2^e with sqrt(1/2) <= m < sqrt(2), for positive finite x.
struct Decomposition {
  explicit Decomposition(Real x) : m(x), e(x) {
    constexpr float smallestNormal = 0x1p-126f;
    Bool denormal = x < smallestNormal;
    Int word = bits(select(denormal, x * 0x1p23f, x));
    Int exponent = (word - 0x3f3504f3) >> 23;
    m = fromBits(word - (exponent << 23));
    e = toReal(exponent) - select(denormal, 23.0f, x.like(0.0f));
  }
  Real m, e;
};

/// ln(1 + f) - f for sqrt(1/2) <= 1 + f <= sqrt(2).
Real logTail(Real f) {
  Real p = polynomial(f, {7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f,
                          1.4249322787e-1f, -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f,
                          3.3333331174e-1f});
  Real square = f * f;
  return fma(square, -0.5f, f * square * p);
}

/// `finite` where x is positive and finite, else what a logarithm is there.
Real logCases(Real x, Real finite) {
  Real notPositive = select(x == 0.0f, -inf, x.like(notANumber));
  return select(x > 0.0f, select(x == inf, inf, finite), notPositive);
}

/// A sum of two f32, `low` below half an ulp of `high`.
struct Pair {
  Real high, low;
};

/// Exact for |x| >= |y| or x = 0.
Pair quickSum(Real x, Real y) {
  Real sum = x + y;
  return {sum, y - (sum - x)};
}

Pair product(Real x, Real y) {
  Real high = x * y;
  return {high, fma(x, y, -high)};
}

/// ln(x) for positive finite x to about 2^-33: with s = (m - 1) / (m + 1) in
/// two parts, ln(m) = 2 s + s^3 (2/3 + 2/5 s^2 + 2/7 s^4 + ...).
Pair logPair(Real x) {
  Decomposition at(x);
  Real top = at.m - 1.0f, bottom = at.m + 1.0f;
  Real bottomLow = at.m - (bottom - 1.0f);
  Real s = top / bottom;
  Real sLow = (fma(-s, bottom, top) - s * bottomLow) / bottom;
  Real square = s * s;
  Real series = polynomial(
      square, {0.2392828464508f, 0.28518211841583f, 0.400005877017974f, 0.66666668653488f});
  Pair cube = product(s * square, series);
  Pair logM = quickSum(s * 2.0f, cube.high);
  Real logMLow = logM.low + (cube.low + sLow * 2.0f);
  Pair whole = quickSum(at.e * ln2High, logM.high);
  Pair swapped = quickSum(logM.high, at.e * ln2High);
  Bool zero = at.e == 0.0f;
  Real high = select(zero, swapped.high, whole.high), low = select(zero, swapped.low, whole.low);
  return quickSum(high, low + fma(at.e, ln2Low, logMLow));
}

/// |x|^y for finite |x| > 0: e^(y ln|x|), the exponent in two parts.
Real positivePower(Real magnitude, Real y) {
  Pair log = logPair(magnitude);
  Real bounded = clamp(y, -0x1p40f, 0x1p40f);
  Pair exponent = product(bounded, log.high);
  Real low = clamp(fma(bounded, log.low, exponent.low), -0.25f, 0.25f);
  Real e = exp(exponent.high);
  return select(e == inf, inf, fma(e, low, e));
}

} // namespace

Real functions::exp(Real x) {
  ExpReduction at(clamp(x, -104.0f, 89.0f));
  return scale(expTail(at.r) + at.r + 1.0f, at.n);
}

/// x - round(x) is exact.
Real functions::exp2(Real x) {
  Real bounded = clamp(x, -151.0f, 129.0f);
  Real whole = nearest(bounded);
  Real r = (bounded - whole) * ln2;
  return scale(expTail(r) + r + 1.0f, toInt(whole));
}

/// e^x - 1 = 2 (t (e^r - 1) + t - 1/2), t = 2^(n-1).
Real functions::expm1(Real x) {
  ExpReduction at(clamp(x, -18.0f, 89.0f));
  Real t = powerOfTwo(at.n - 1);
  Real result = fma(t, expTail(at.r) + at.r, t - 0.5f) * 2.0f;
  return select(x == 0.0f, x, result);
}

Real functions::log(Real x) {
  Decomposition at(x);
  Real f = at.m - 1.0f;
  Real low = fma(at.e, ln2Low, logTail(f));
  return logCases(x, fma(at.e, ln2High, f + low));
}

/// e + ln(m) / ln(2), the product kept in two parts.
Real functions::log2(Real x) {
  Decomposition at(x);
  Real f = at.m - 1.0f;
  Real fraction = fma(logTail(f), log2OfE, f * (log2OfE - 1.0f)) + f;
  return logCases(x, at.e + fraction);
}

/// ln(x) / ln(10), the factor in two parts.
Real functions::log10(Real x) {
  constexpr float high = 0.434294492f, low = -1.01030694e-8f;
  Real natural = log(x);
  Real correction = select(abs(natural) == inf, 0.0f, natural * low);
  return fma(natural, high, correction);
}

/// With u = 1 + x rounded: ln(u) + (x - (u - 1)) / u.
Real functions::log1p(Real x) {
  Real u = x + 1.0f;
  Real lost = (x - (u - 1.0f)) / u;
  Real result = log(u) + select((u > 0.0f) & (u < inf), lost, u.like(0.0f));
  return select(x == 0.0f, x, result);
}

/// With t = e^(2|x|) - 1: t / (t + 2).
Real functions::tanh(Real x) {
  Real t = expm1(clamp(abs(x), 0.0f, 10.0f) * 2.0f);
  return copySign(t / (t + 2.0f), x);
}

/// sinh x = (t + t / (t + 1)) / 2 with t = e^|x| - 1, and e^(|x|-1) near overflow.
Real functions::sinh(Real x) {
  Real magnitude = abs(x);
  Real t = expm1(magnitude);
  Real small = (t + t / (t + 1.0f)) * 0.5f;
  Real half = exp(magnitude * 0.5f);
  return copySign(select(magnitude > 88.0f, half * 0.5f * half, small), x);
}

Real functions::cosh(Real x) {
  Real half = exp(abs(x) * 0.5f);
  Real e = exp(abs(x));
  return select(abs(x) > 88.0f, half * 0.5f * half, fma(e, 0.5f, e.like(0.5f) / e));
}

/// x P(x^2) / Q(x^2) up to where erf rounds to 1.
Real functions::erf(Real x) {
  Real t = clamp(x, -3.9192059f, 3.9192059f), square = t * t;
  Real top = polynomial(
      square, {2.0507546e-6f, 2.84889e-4f, 3.7644713e-3f, 5.274532e-2f, 1.9037554e-1f, 1.1283791f});
  Real bottom = polynomial(
      square, {3.8098933e-5f, 1.1623168e-3f, 1.4966905e-2f, 1.1409695e-1f, 5.020487e-1f, 1.0f});
  return t * top / bottom;
}

/// With the cases of C's pow.
Real functions::pow(Real x, Real y) {
  Real magnitude = abs(x);
  Real result = positivePower(magnitude, y);
  result = select(magnitude == 0.0f, select(y < 0.0f, inf, y.like(0.0f)), result);
  result = select(magnitude == inf, select(y < 0.0f, 0.0f, y.like(inf)), result);
  Bool whole = floor(y) == y;
  Real half = y * 0.5f;
  Bool odd = (floor(half) < half) & whole;
  Bool negative = bits(x) < 0;
  Real ofNegative = select(
      odd, -result, select(whole, result, select((x < 0.0f) & (x > -inf), notANumber, result)));
  result = select(negative, ofNegative, result);
  result = select(isNaN(x) | isNaN(y), notANumber, result);
  return select((x == 1.0f) | (y == 0.0f), 1.0f, result);
}

/// ln(x + sqrt(x^2 + 1)) = log1p(x + x^2 / (1 + sqrt(x^2 + 1))); ln(2 x) far out.
Real functions::asinh(Real x) {
  Real t = abs(x), square = t * t;
  Real near = log1p(t + square / (sqrt(square + 1.0f) + 1.0f));
  return copySign(select(t > 0x1p14f, log(t) + ln2, near), x);
}

/// With t = x - 1: log1p(t + sqrt(t^2 + 2 t)); ln(2 x) far out.
Real functions::acosh(Real x) {
  Real t = x - 1.0f;
  Real near = log1p(t + sqrt(fma(t, t, t * 2.0f)));
  return select(x < 1.0f, notANumber, select(x > 0x1p14f, log(x) + ln2, near));
}

/// log1p(2 x / (1 - x)) / 2.
Real functions::atanh(Real x) {
  Real t = abs(x);
  return copySign(log1p(t * 2.0f / (t.like(1.0f) - t)) * 0.5f, x);
}
