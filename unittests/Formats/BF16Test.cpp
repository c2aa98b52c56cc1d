//===- BF16Test.cpp -------------------------------------------------------===//
//
// The reference is LLVM's APFloat, a software implementation of its own.
//
//===----------------------------------------------------------------------===//
#include "dojo/Formats/BF16.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"
#include <random>

using namespace dojo::formats;
using llvm::APFloat;

namespace {

uint16_t referenceToBF16(float value) {
  APFloat big(value);
  bool losesInfo;
  big.convert(APFloat::BFloat(), APFloat::rmNearestTiesToEven, &losesInfo);
  return big.bitcastToAPInt().getZExtValue();
}

TEST(BF16, EveryCodeWidensToTheNumberOfItsFields) {
  for (uint32_t code = 0; code < 0x10000; ++code) {
    int exponent = (code >> 7) & 0xff, mantissa = code & 0x7f;
    double sign = code & 0x8000 ? -1 : 1;
    float value = widenBF16(code);
    if (exponent == 0xff && mantissa)
      EXPECT_TRUE(std::isnan(value)) << code;
    else if (exponent == 0xff)
      EXPECT_EQ(value, sign * INFINITY) << code;
    else if (exponent)
      EXPECT_EQ(value, sign * std::ldexp(128 + mantissa, exponent - 134)) << code;
    else
      EXPECT_EQ(value, sign * std::ldexp(mantissa, -133)) << code;
    EXPECT_EQ(llvm::bit_cast<uint32_t>(value), code << 16);
  }
}

TEST(BF16, AroundEveryCodeAndEveryTieRoundingIsToNearestEven) {
  for (uint32_t code = 0; code < 0x10000; ++code)
    for (uint32_t low : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      float value = llvm::bit_cast<float>(code << 16 | low);
      EXPECT_EQ(toBF16(value), std::isnan(value) ? bf16NaN : referenceToBF16(value)) << value;
    }
}

TEST(BF16, RandomNumbersAreRoundedToNearestEven) {
  std::mt19937 random(5);
  for (int i = 0; i < 1000000; ++i) {
    float value = llvm::bit_cast<float>(uint32_t(random()));
    ASSERT_EQ(toBF16(value), std::isnan(value) ? bf16NaN : referenceToBF16(value)) << value;
  }
}

TEST(BF16, StochasticRoundingGoesUpAsOftenAsTheFractionSays) {
  for (uint32_t bits : {0x3f800000u, 0x3f800001u, 0xbf804000u, 0x00008000u, 0x7f7fc000u}) {
    float value = llvm::bit_cast<float>(bits);
    uint32_t lower = bits >> 16, ups = 0;
    for (uint32_t random = 0; random < 0x10000; ++random) {
      uint32_t code = toBF16Stochastic(value, random);
      ASSERT_TRUE(code == lower || code == lower + 1) << value;
      ups += code == lower + 1;
    }
    EXPECT_EQ(ups, bits & 0xffff) << value;
  }
}

TEST(BF16, StochasticRoundingKeepsWhatIsExactAndWhatIsNoNumber) {
  for (uint32_t code = 0; code < 0x10000; ++code) {
    float value = widenBF16(code);
    EXPECT_EQ(toBF16Stochastic(value, 0xffff), std::isnan(value) ? bf16NaN : code);
  }
}

} // namespace
