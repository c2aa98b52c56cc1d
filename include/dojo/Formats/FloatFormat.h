//===- FloatFormat.h - small floating-point formats -------------*- C++ -*-===//
//
// FP16 and the configurable formats of Tesla's CFloat paper, described by their
// fields and converted from and to FP32. A normal number is 1.m * 2^(E - bias).
//
// What the paper says: the widths and biases; CFloat8 and SHP have no infinity
// and no NaN, the all-ones exponent is an ordinary one; overflow, infinity and
// NaN become SHP's largest number; the four flags; nearest and stochastic
// rounding. Our choices: CFloat8 clamps as SHP does; ties go to even; a NaN has
// no sign; UHP has infinity and NaN at the all-ones exponent, flushes denormals
// (the paper counts only normal numbers and zero as supported), and turns
// negative numbers into an invalid zero.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_FORMATS_FLOATFORMAT_H
#define DOJO_FORMATS_FLOATFORMAT_H

#include <cstdint>

namespace dojo::formats {

/// What E = 0 with a mantissa means. The paper prints 0.m * 2^-bias, which
/// leaves a gap below the smallest normal number, yet speaks of gradual
/// underflow, which is 0.m * 2^(1 - bias); gradual is our default.
enum class Denormals : uint8_t { gradual, asPrinted, flushed };

struct FloatFormat {
  bool isSigned;
  unsigned exponentBits;
  unsigned mantissaBits;
  int bias;
  Denormals denormals;
  /// The all-ones exponent is for infinity and NaN; else numbers clamp.
  bool hasInfinity;
};

constexpr int maxCFloatBias = 63;

constexpr FloatFormat fp16{true, 5, 10, 15, Denormals::gradual, true};
constexpr FloatFormat cfloat16UHP{false, 6, 10, 31, Denormals::flushed, true};

/// Biases are from 0 to maxCFloatBias.
constexpr FloatFormat cfloat8_1_4_3(int bias, Denormals denormals = Denormals::gradual) {
  return {true, 4, 3, bias, denormals, false};
}
constexpr FloatFormat cfloat8_1_5_2(int bias, Denormals denormals = Denormals::gradual) {
  return {true, 5, 2, bias, denormals, false};
}
constexpr FloatFormat cfloat16SHP(int bias, Denormals denormals = Denormals::gradual) {
  return {true, 5, 10, bias, denormals, false};
}

/// Sticky: conversions set them and never clear them.
struct Flags {
  bool invalid = false;   ///< the operand was a NaN, or negative without a sign to hold it
  bool denormal = false;  ///< the operand was a denormal
  bool overflow = false;  ///< rounded, the value was beyond the largest finite number
  bool underflow = false; ///< the value was below the smallest normal number and lost bits
};

/// The number that `bits` stand for; every one is an FP32. NaN is the quiet NaN.
float widen(const FloatFormat &format, uint16_t bits, Flags &flags);

/// To the nearest number of the format, ties to the even code.
uint16_t narrow(const FloatFormat &format, float value, Flags &flags);

/// To one of the two neighbours: a value that lies n / 2^16 of the way from the
/// one nearer to zero, n cut to an integer, is rounded away from zero by n of
/// the 2^16 `random` numbers.
uint16_t narrowStochastic(const FloatFormat &format, float value, uint16_t random, Flags &flags);

} // namespace dojo::formats

#endif // DOJO_FORMATS_FLOATFORMAT_H
