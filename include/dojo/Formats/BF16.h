//===- BF16.h - bfloat16 ----------------------------------------*- C++ -*-===//
//
// The upper half of an FP32: 1 sign, 8 exponent and 7 mantissa bits. Denormals
// are numbers like all others. A NaN is rounded to 0x7fc0, whatever its sign
// and payload; widening copies bits.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_FORMATS_BF16_H
#define DOJO_FORMATS_BF16_H

#include <cstdint>
#include <cstring>

namespace dojo::formats {

constexpr uint16_t bf16NaN = 0x7fc0;

inline float widenBF16(uint16_t bits) {
  uint32_t wide = uint32_t(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

/// To the nearest BF16, ties to even; beyond the largest one to infinity.
inline uint16_t toBF16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  uint32_t isOdd = (bits >> 16) & 1;
  return value != value ? bf16NaN : uint16_t((bits + 0x7fff + isOdd) >> 16);
}

/// To one of the two neighbours: a value that lies n / 2^16 of the way from the
/// one nearer to zero is rounded away from it by n of the 2^16 `random` numbers.
inline uint16_t toBF16Stochastic(float value, uint16_t random) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return value != value ? bf16NaN : uint16_t((bits + random) >> 16);
}

} // namespace dojo::formats

#endif // DOJO_FORMATS_BF16_H
