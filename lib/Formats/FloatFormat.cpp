//===- FloatFormat.cpp - small floating-point formats ---------------------===//
//
// Magnitudes are handled as codes without sign: consecutive codes are
// consecutive numbers, so rounding chooses between a code and the next one.
//
//===----------------------------------------------------------------------===//
#include "dojo/Formats/FloatFormat.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace dojo::formats {
namespace {

uint32_t firstNormal(const FloatFormat &f) { return 1u << f.mantissaBits; }
uint32_t topExponent(const FloatFormat &f) {
  return ((1u << f.exponentBits) - 1) << f.mantissaBits;
}
uint32_t largestFinite(const FloatFormat &f) {
  return f.hasInfinity ? topExponent(f) - 1 : topExponent(f) + firstNormal(f) - 1;
}
uint32_t signBit(const FloatFormat &f) {
  return f.isSigned ? 1u << (f.exponentBits + f.mantissaBits) : 0;
}
/// The weight of a denormal's leading zero, as a power of two.
int denormalExponent(const FloatFormat &f) {
  return f.denormals == Denormals::asPrinted ? -f.bias : 1 - f.bias;
}

/// The number of a code, the exponents going on without end. Exact.
double magnitude(const FloatFormat &f, uint32_t code) {
  uint32_t mantissa = code & (firstNormal(f) - 1);
  int exponent = int(code >> f.mantissaBits);
  int mantissaBits = int(f.mantissaBits);
  if (exponent == 0)
    return std::ldexp(mantissa, denormalExponent(f) - mantissaBits);
  return std::ldexp(firstNormal(f) + mantissa, exponent - f.bias - mantissaBits);
}

/// The greatest code whose number is not above `value`, which is above zero.
uint32_t truncate(const FloatFormat &f, double value) {
  int exponent = std::ilogb(value);
  int mantissaBits = int(f.mantissaBits);
  if (exponent + f.bias < 1)
    return std::min(uint32_t(std::ldexp(value, mantissaBits - denormalExponent(f))),
                    firstNormal(f) - 1);
  return (uint32_t(exponent + f.bias - 1) << mantissaBits) +
         uint32_t(std::ldexp(value, mantissaBits - exponent));
}

/// Rounds a finite magnitude above zero; `roundsUp` decides from the code below
/// and the distances from there to the value and to the next code.
template <typename RoundsUp>
uint32_t roundMagnitude(const FloatFormat &f, double value, Flags &flags, RoundsUp roundsUp) {
  uint32_t code = truncate(f, value);
  double below = magnitude(f, code);
  code += roundsUp(code, value - below, magnitude(f, code + 1) - below);
  if (code < firstNormal(f) && f.denormals == Denormals::flushed)
    code = 0;
  bool isTiny = value < magnitude(f, firstNormal(f));
  flags.underflow |= isTiny && magnitude(f, code) != value;
  return code;
}

template <typename RoundsUp>
uint16_t narrowWith(const FloatFormat &f, float value, Flags &flags, RoundsUp roundsUp) {
  if (std::isnan(value)) {
    flags.invalid = true;
    return f.hasInfinity ? topExponent(f) + firstNormal(f) / 2 : largestFinite(f);
  }
  flags.denormal |= std::fpclassify(value) == FP_SUBNORMAL;
  if (std::signbit(value) && !f.isSigned) {
    flags.invalid |= value != 0;
    return 0;
  }
  uint32_t sign = std::signbit(value) ? signBit(f) : 0;
  if (value == 0)
    return sign;
  if (std::isinf(value)) {
    flags.overflow |= !f.hasInfinity;
    return sign | (f.hasInfinity ? topExponent(f) : largestFinite(f));
  }
  uint32_t code = roundMagnitude(f, std::fabs(double(value)), flags, roundsUp);
  if (code > largestFinite(f)) {
    flags.overflow = true;
    code = f.hasInfinity ? topExponent(f) : largestFinite(f);
  }
  return sign | code;
}

} // namespace

float widen(const FloatFormat &f, uint16_t bits, Flags &flags) {
  uint32_t code = bits & ~signBit(f);
  float sign = bits & signBit(f) ? -1.0f : 1.0f;
  if (code > largestFinite(f)) {
    if (code == topExponent(f))
      return sign * std::numeric_limits<float>::infinity();
    flags.invalid = true;
    return std::numeric_limits<float>::quiet_NaN();
  }
  bool isDenormal = code != 0 && code < firstNormal(f);
  flags.denormal |= isDenormal;
  if (isDenormal && f.denormals == Denormals::flushed)
    return sign * 0.0f;
  return sign * float(magnitude(f, code));
}

uint16_t narrow(const FloatFormat &f, float value, Flags &flags) {
  return narrowWith(f, value, flags, [](uint32_t code, double part, double step) {
    return 2 * part > step || (2 * part == step && code % 2 == 1);
  });
}

uint16_t narrowStochastic(const FloatFormat &f, float value, uint16_t random, Flags &flags) {
  return narrowWith(f, value, flags, [random](uint32_t, double part, double step) {
    return uint32_t(std::ldexp(part, 16) / step) + random > 0xffff;
  });
}

} // namespace dojo::formats
