//===- Philox.h - counter-based random numbers ------------------*- C++ -*-===//
//
// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As
// Easy as 1, 2, 3", SC'11. A pure function: the same counter and key give the
// same numbers on every node and in every order of execution.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_FORMATS_PHILOX_H
#define DOJO_FORMATS_PHILOX_H

#include <array>
#include <cstdint>

namespace dojo::formats {

inline constexpr unsigned philoxRounds = 10;
/// Of words 0 and 2 of the counter in each round.
inline constexpr uint32_t philoxMultipliers[] = {0xd2511f53, 0xcd9e8d57};
/// What the words of the key grow by from round to round.
inline constexpr uint32_t philoxKeySteps[] = {0x9e3779b9, 0xbb67ae85};

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

} // namespace dojo::formats

#endif // DOJO_FORMATS_PHILOX_H
