//===- Shadow.h - which bytes of SRAM a program may touch -------*- C++ -*-===//
//
// Every byte of every node is dead, live but never written, or written. The
// buffer table says when bytes come to life and die; the rest follows from the
// accesses. Where races are looked for (Races.h), bytes that a transfer in flight
// writes or reads are flagged too.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_SHADOW_H
#define DOJO_LIB_EXECUTOR_SHADOW_H

#include "HostMemory.h"
#include "dojo/Binary/Program.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstring>

namespace dojo::exec {

class Shadow {
public:
  enum State : uint8_t { dead = 0, undefined = 1, defined = 3 };
  /// Flags beside the state: a transfer writes the byte, which nobody else may read or
  /// write; one reads it, and nobody may write it.
  static constexpr uint8_t arriving = 4, leaving = 8, flags = arriving | leaving;

  /// The code is live and written; so is the life of rows that live always,
  /// but for the writing.
  static llvm::Expected<std::unique_ptr<Shadow>> create(const binary::Program &program,
                                                        unsigned nodes, uint64_t sramBytes);

  /// The states of a node's bytes.
  uint8_t *states(unsigned node) const {
    return reinterpret_cast<uint8_t *>(memory.data()) + node * sramBytes;
  }

  /// Whether lives begin or end at the instruction of number `index`.
  bool marked(uint32_t index) const;
  /// Ends, then begins the lives that the instruction marks; calls `each` with the
  /// bytes of each, which keep their flags.
  void pass(unsigned node, uint32_t index,
            llvm::function_ref<void(const binary::Buffer &, bool begins)> each);

  void setFlag(unsigned node, uint64_t begin, uint64_t end, uint8_t flag);
  void clearFlag(unsigned node, uint64_t begin, uint64_t end, uint8_t flag);

  /// "the byte at 0x8000 of buffer 'b'", as long as a buffer that is live has it.
  std::string describe(unsigned node, uint64_t byte) const;
  /// Why the byte of that node, without flags, may not be read or written.
  std::string explain(unsigned node, uint64_t byte) const;

private:
  Shadow(const binary::Program &program, uint64_t sramBytes);

  /// The row that holds the byte, a live one if there is one; null if none does.
  const binary::Buffer *rowAt(unsigned node, uint64_t byte, bool &isLive) const;

  struct Mark {
    uint32_t index;
    bool begins;
    uint32_t row;
  };

  const binary::Program &program;
  uint64_t sramBytes;
  std::vector<Mark> marks;
  /// For each node, whether each row is live.
  std::vector<std::vector<bool>> live;
  HostMemory memory;
};

/// The number of leading bytes whose state has the value `wanted` in the bits of `mask`.
template <uint8_t mask, uint8_t wanted>
inline uint64_t prefixOf(const uint8_t *states, uint64_t size) {
  constexpr uint64_t each = 0x0101010101010101;
  uint64_t n = 0;
  for (uint64_t words[8]; n + sizeof(words) <= size; n += sizeof(words)) {
    memcpy(words, states + n, sizeof(words));
    uint64_t other = 0;
    for (uint64_t word : words)
      other |= (word & each * mask) ^ each * wanted;
    if (other)
      break;
  }
  for (uint64_t word; n + sizeof(word) <= size; n += sizeof(word)) {
    memcpy(&word, states + n, sizeof(word));
    if ((word & each * mask) != each * wanted)
      break;
  }
  while (n < size && (states[n] & mask) == wanted)
    ++n;
  return n;
}

/// The number of leading bytes that may be read, or written.
inline uint64_t readablePrefix(const uint8_t *states, uint64_t size) {
  return prefixOf<Shadow::defined | Shadow::arriving, Shadow::defined>(states, size);
}
inline uint64_t writablePrefix(const uint8_t *states, uint64_t size) {
  return prefixOf<Shadow::undefined | Shadow::flags, Shadow::undefined>(states, size);
}

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_SHADOW_H
