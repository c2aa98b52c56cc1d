//===- Philox.cpp - counter-based random numbers --------------------------===//
#include "dojo/Formats/Philox.h"

namespace dojo::formats {
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  for (unsigned round = 0; round < philoxRounds; ++round) {
    uint64_t p = uint64_t(philoxMultipliers[0]) * c[0], q = uint64_t(philoxMultipliers[1]) * c[2];
    c = {uint32_t(q >> 32) ^ c[1] ^ key[0], uint32_t(q), uint32_t(p >> 32) ^ c[3] ^ key[1],
         uint32_t(p)};
    key = {key[0] + philoxKeySteps[0], key[1] + philoxKeySteps[1]};
  }
  return c;
}

} // namespace dojo::formats
