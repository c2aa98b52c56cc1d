//===- Address.h - fields of global addresses and descriptors ---*- C++ -*-===//
//
// The layout that the end of Instructions.td describes, as numbers.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_ISA_ADDRESS_H
#define DOJO_ISA_ADDRESS_H

#include <array>
#include <cstdint>

namespace dojo::isa {

/// Added to the coordinates of a node: its SRAM, its semaphores; or DRAM.
constexpr uint64_t sramSpace = 0;
constexpr uint64_t semaphoreSpace = uint64_t(1) << 62;
constexpr uint64_t dramSpace = uint64_t(2) << 62;

/// Lowest bit and width of the coordinates dy, dx, y, x.
constexpr std::array<unsigned, 4> coordShift = {56, 48, 40, 32};
constexpr std::array<unsigned, 4> coordBits = {6, 8, 8, 8};
/// Bits of the byte offset or semaphore number.
constexpr unsigned offsetBits = 32;

/// Byte offsets in a block descriptor.
constexpr int64_t descriptorRun = 0;
constexpr int64_t descriptorLevels = 4;
constexpr int64_t descriptorZeros = 8;
constexpr int64_t descriptorCounts = 16;
constexpr int64_t descriptorSrcStrides = 32;
constexpr int64_t descriptorDstStrides = 48;
constexpr unsigned maxDescriptorLevels = 4;

} // namespace dojo::isa

#endif // DOJO_ISA_ADDRESS_H
