//===- FloatFormatTest.cpp ------------------------------------------------===//
//
// The reference writes down every number of a format from its definition, in
// double, and finds the nearest one in the list.
//
//===----------------------------------------------------------------------===//
#include "dojo/Formats/FloatFormat.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace dojo::formats;

namespace {

double power(int exponent) { return std::pow(2.0, exponent); }

/// The value of exponent field E and mantissa field m, by the definition.
double define(const FloatFormat &f, int E, int m) {
  double fraction = m / power(f.mantissaBits);
  if (E > 0)
    return (1 + fraction) * power(E - f.bias);
  switch (f.denormals) {
  case Denormals::gradual:
    return fraction * power(1 - f.bias);
  case Denormals::asPrinted:
    return fraction * power(-f.bias);
  case Denormals::flushed:
    return 0;
  }
  return NAN;
}

/// All magnitudes of the format by code, and one beyond the largest.
struct Reference {
  explicit Reference(const FloatFormat &f) : f(f) {
    int exponents = (1 << f.exponentBits) - (f.hasInfinity ? 1 : 0);
    for (int E = 0; E < exponents; ++E)
      for (int m = 0; m < 1 << f.mantissaBits; ++m)
        values.push_back(define(f, E, m));
    values.push_back(define(f, exponents, 0));
  }

  uint32_t largestFinite() const { return values.size() - 2; }
  double smallestNormal() const { return define(f, 1, 0); }
  uint32_t signBit() const { return f.isSigned ? 1u << (f.exponentBits + f.mantissaBits) : 0; }

  struct Result {
    uint32_t code;
    bool overflow;
    bool underflow;
  };

  /// The nearest code to a finite value above zero.
  Result nearest(double value) const {
    FloatFormat unflushed = f;
    if (f.denormals == Denormals::flushed)
      unflushed.denormals = Denormals::gradual;
    auto valueOf = [&](uint32_t code) {
      return code < 1u << f.mantissaBits ? define(unflushed, 0, code) : values[code];
    };
    uint32_t low = 0, high = values.size() - 1;
    while (high - low > 1) {
      uint32_t middle = (low + high) / 2;
      (valueOf(middle) <= value ? low : high) = middle;
    }
    double toLow = value - valueOf(low), toHigh = valueOf(high) - value;
    uint32_t code = toLow < toHigh || (toLow == toHigh && low % 2 == 0) ? low : high;
    bool overflow = code > largestFinite();
    if (overflow)
      code = f.hasInfinity ? values.size() - 1 : largestFinite();
    if (values[code] == 0)
      code = 0;
    return {code, overflow, value < smallestNormal() && values[code] != value};
  }

  FloatFormat f;
  std::vector<double> values;
};

void expectSameFlags(const Flags &flags, bool invalid, bool denormal, bool overflow,
                     bool underflow) {
  EXPECT_EQ(flags.invalid, invalid);
  EXPECT_EQ(flags.denormal, denormal);
  EXPECT_EQ(flags.overflow, overflow);
  EXPECT_EQ(flags.underflow, underflow);
}

void checkWidening(const FloatFormat &f) {
  Reference reference(f);
  unsigned width = f.isSigned + f.exponentBits + f.mantissaBits;
  for (uint32_t code = 0; code < 1u << width; ++code) {
    Flags flags;
    float value = widen(f, code, flags);
    uint32_t magnitude = code & ~reference.signBit();
    bool isNegative = code & reference.signBit();
    bool isNaN = magnitude > reference.largestFinite() + 1;
    if (isNaN)
      ASSERT_TRUE(std::isnan(value)) << code;
    else if (magnitude > reference.largestFinite())
      ASSERT_EQ(value, isNegative ? -INFINITY : INFINITY) << code;
    else
      ASSERT_EQ(value, (isNegative ? -1 : 1) * reference.values[magnitude]) << code;
    if (!isNaN)
      ASSERT_EQ(std::signbit(value), isNegative) << code;
    expectSameFlags(flags, isNaN, magnitude > 0 && magnitude < 1u << f.mantissaBits, false, false);
  }
}

void checkNarrowing(const FloatFormat &f, const Reference &reference, float magnitude) {
  for (float value : {magnitude, -magnitude}) {
    Flags flags;
    uint32_t code = narrow(f, value, flags);
    bool isDenormal = std::fpclassify(value) == FP_SUBNORMAL;
    if (value < 0 && !f.isSigned) {
      EXPECT_EQ(code, 0u);
      expectSameFlags(flags, true, isDenormal, false, false);
      continue;
    }
    Reference::Result expected = reference.nearest(magnitude);
    ASSERT_EQ(code, expected.code | (value < 0 ? reference.signBit() : 0))
        << value << " bias " << f.bias;
    expectSameFlags(flags, false, isDenormal, expected.overflow, expected.underflow);
  }
}

/// Every code, every middle between two, and the FP32 neighbours of both.
void checkNarrowing(const FloatFormat &f) {
  Reference reference(f);
  FloatFormat unflushed = f;
  if (f.denormals == Denormals::flushed)
    unflushed.denormals = Denormals::gradual;
  const std::vector<double> values = Reference(unflushed).values;
  for (size_t code = 0; code + 1 < values.size(); ++code)
    for (double point : {values[code], (values[code] + values[code + 1]) / 2}) {
      float middle = point;
      if (middle > 0) {
        checkNarrowing(f, reference, std::nextafter(middle, 0.0f));
        checkNarrowing(f, reference, middle);
      }
      checkNarrowing(f, reference, std::nextafter(middle, INFINITY));
    }
  checkNarrowing(f, reference, std::numeric_limits<float>::max());
}

const Denormals signedDenormals[] = {Denormals::gradual, Denormals::asPrinted, Denormals::flushed};

TEST(CFloat8, EveryCodeOfEveryBiasHasItsDefinedValue) {
  for (int bias = 0; bias <= maxCFloatBias; ++bias)
    for (Denormals denormals : signedDenormals) {
      checkWidening(cfloat8_1_4_3(bias, denormals));
      checkWidening(cfloat8_1_5_2(bias, denormals));
    }
}

TEST(CFloat8, EveryBiasRoundsToTheNearest) {
  for (int bias = 0; bias <= maxCFloatBias; ++bias)
    for (Denormals denormals : signedDenormals) {
      checkNarrowing(cfloat8_1_4_3(bias, denormals));
      checkNarrowing(cfloat8_1_5_2(bias, denormals));
    }
}

TEST(CFloat8, RangesAreThoseOfThePaper) {
  Flags flags;
  EXPECT_EQ(widen(cfloat8_1_4_3(0), 0x08, flags), 0x1.0p1f);
  EXPECT_EQ(widen(cfloat8_1_4_3(0), 0x7f, flags), 0x1.ep15f);
  EXPECT_EQ(widen(cfloat8_1_4_3(63), 0x08, flags), 0x1.0p-62f);
  EXPECT_EQ(widen(cfloat8_1_4_3(63), 0x7f, flags), 0x1.ep-48f);
  EXPECT_EQ(widen(cfloat8_1_5_2(0), 0x7f, flags), 0x1.cp31f);
  EXPECT_EQ(widen(cfloat8_1_5_2(63), 0x04, flags), 0x1.0p-62f);
  EXPECT_EQ(widen(cfloat8_1_5_2(63), 0x7f, flags), 0x1.cp-32f);
  expectSameFlags(flags, false, false, false, false);
}

TEST(CFloat16, EveryCodeOfEveryBiasHasItsDefinedValue) {
  for (int bias = 0; bias <= maxCFloatBias; ++bias)
    for (Denormals denormals : signedDenormals)
      checkWidening(cfloat16SHP(bias, denormals));
  checkWidening(cfloat16UHP);
}

TEST(CFloat16, RoundsToTheNearest) {
  for (Denormals denormals : signedDenormals)
    for (int bias : {0, 1, 15, 31, 62, 63})
      checkNarrowing(cfloat16SHP(bias, denormals));
  checkNarrowing(cfloat16UHP);
}

TEST(CFloat16, InfinityAndNaNAreClampedInSHPAndKeptInUHP) {
  struct Case {
    float value;
    uint16_t shp, uhp;
    bool invalid, overflow;
  } cases[] = {{INFINITY, 0x7fff, 0xfc00, false, true},
               {NAN, 0x7fff, 0xfe00, true, false},
               {-NAN, 0x7fff, 0xfe00, true, false}};
  for (const Case &c : cases) {
    Flags flags;
    EXPECT_EQ(narrow(cfloat16SHP(15), c.value, flags), c.shp);
    expectSameFlags(flags, c.invalid, false, c.overflow, false);
    flags = {};
    EXPECT_EQ(narrow(cfloat16UHP, c.value, flags), c.uhp);
    expectSameFlags(flags, c.invalid, false, false, false);
  }
  Flags flags;
  EXPECT_EQ(narrow(cfloat16SHP(15), -INFINITY, flags), 0xffff);
  EXPECT_EQ(narrow(cfloat16UHP, -INFINITY, flags), 0);
  EXPECT_TRUE(flags.invalid);
}

TEST(FP16, EveryCodeAndEveryTieAgreeWithTheDefinition) {
  checkWidening(fp16);
  checkNarrowing(fp16);
}

TEST(FP16, RandomNumbersAgreeWithAPFloat) {
  std::mt19937 random(6);
  for (int i = 0; i < 1000000; ++i) {
    // Exponents around the range of FP16.
    float value = llvm::bit_cast<float>(uint32_t(random() & 0x807fffff) |
                                        uint32_t(100 + random() % 45) << 23);
    llvm::APFloat big(value);
    bool losesInfo;
    big.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    Flags flags;
    ASSERT_EQ(narrow(fp16, value, flags), big.bitcastToAPInt().getZExtValue()) << value;
  }
}

TEST(FP16, NaNIsQuietAndWithoutSign) {
  Flags flags;
  EXPECT_EQ(narrow(fp16, -NAN, flags), 0x7e00);
  EXPECT_EQ(narrow(fp16, -INFINITY, flags), 0xfc00);
  expectSameFlags(flags, true, false, false, false);
}

TEST(Flags, AreSticky) {
  Flags flags;
  narrow(cfloat8_1_4_3(7), 1e30f, flags);
  narrow(cfloat8_1_4_3(7), 1.0f, flags);
  expectSameFlags(flags, false, false, true, false);
  narrow(cfloat8_1_4_3(7), 1e-30f, flags);
  narrow(cfloat8_1_4_3(7), 1e-40f, flags);
  expectSameFlags(flags, false, true, true, true);
}

TEST(StochasticRounding, GoesUpAsOftenAsTheFractionSays) {
  // 1 + n / 2^19 lies n / 2^16 of the way from 1 to the next CFloat8_1_4_3.
  for (uint32_t n : {0u, 1u, 0x1234u, 0x8000u, 0xffffu}) {
    float value = 1 + std::ldexp(float(n), -19);
    uint32_t ups = 0;
    for (uint32_t random = 0; random < 0x10000; ++random) {
      Flags flags;
      uint32_t code = narrowStochastic(cfloat8_1_4_3(7), -value, random, flags);
      ASSERT_TRUE(code == 0xb8 || code == 0xb9) << code;
      ups += code == 0xb9;
    }
    EXPECT_EQ(ups, n);
  }
}

TEST(StochasticRounding, CutsFractionsBelowTheRandomBits) {
  Flags flags;
  EXPECT_EQ(narrowStochastic(cfloat8_1_4_3(7), 1 + 0x1p-20f, 0xffff, flags), 0x38);
  EXPECT_EQ(narrowStochastic(cfloat8_1_4_3(7), 1 + 0x1p-19f, 0xffff, flags), 0x39);
}

TEST(StochasticRounding, KeepsWhatIsExactAndClampsWhatIsNot) {
  for (uint32_t code = 0; code < 0x100; ++code) {
    Flags flags;
    float value = widen(cfloat8_1_5_2(16), code, flags);
    EXPECT_EQ(narrowStochastic(cfloat8_1_5_2(16), value, 0xffff, flags), code);
    EXPECT_FALSE(flags.overflow);
  }
  Flags flags;
  EXPECT_EQ(narrowStochastic(cfloat8_1_5_2(16), 1e30f, 0, flags), 0x7f);
  EXPECT_TRUE(flags.overflow);
}

} // namespace
