//===- Philox.cpp - counter-based random numbers --------------------------===//
#include "dojo/Formats/Philox.h"

namespace dojo::formats {
namespace {
constexpr unsigned rounds = 10;
constexpr uint64_t multiplier[] = {0xd2511f53, 0xcd9e8d57};
constexpr uint32_t keyStep[] = {0x9e3779b9, 0xbb67ae85};
} // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  for (unsigned round = 0; round < rounds; ++round) {
    uint64_t p = multiplier[0] * c[0], q = multiplier[1] * c[2];
    c = {uint32_t(q >> 32) ^ c[1] ^ key[0], uint32_t(q), uint32_t(p >> 32) ^ c[3] ^ key[1],
         uint32_t(p)};
    key = {key[0] + keyStep[0], key[1] + keyStep[1]};
  }
  return c;
}

} // namespace dojo::formats
