//===- Memory.h - bytes that both sides of a comparison write ---*- C++ -*-===//
#ifndef DOJO_UNITTESTS_TARGET_D1_MEMORY_H
#define DOJO_UNITTESTS_TARGET_D1_MEMORY_H

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

namespace dojo::test {

using Vector = std::array<uint32_t, 16>;
using Accumulator = std::array<uint32_t, 64>;

constexpr uint64_t memoryBytes = 1 << 16;

struct Memory {
  std::vector<char> bytes = std::vector<char>(memoryBytes);

  template <typename T>
  T load(uint64_t address) const {
    T value;
    std::memcpy(&value, &bytes.at(address), sizeof(T));
    return value;
  }
  template <typename T>
  void store(uint64_t address, const T &value) {
    std::memcpy(&bytes.at(address + sizeof(T) - 1) - (sizeof(T) - 1), &value, sizeof(T));
  }
};

} // namespace dojo::test

#endif // DOJO_UNITTESTS_TARGET_D1_MEMORY_H
