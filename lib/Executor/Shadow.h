//===- Shadow.h - which bytes of SRAM a program may touch -------*- C++ -*-===//
//
// Strict memory: every byte of every node is dead, live but never written, or
// written. The buffer table says when bytes come to life and die; the rest
// follows from the accesses.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_SHADOW_H
#define DOJO_LIB_EXECUTOR_SHADOW_H

#include "HostMemory.h"
#include "dojo/Binary/Program.h"
#include <cstring>

namespace dojo::exec {

class Shadow {
public:
  enum State : uint8_t { dead, undefined, defined };

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
  /// Ends, then begins the lives that the instruction marks.
  void pass(unsigned node, uint32_t index);

  /// Why the byte of that node may not be read or written.
  std::string explain(unsigned node, uint64_t byte) const;

private:
  Shadow(const binary::Program &program, uint64_t sramBytes);

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

/// The number of leading bytes that may be read, or written.
inline uint64_t readablePrefix(const uint8_t *states, uint64_t size) {
  constexpr uint64_t eight = 0x0101010101010101 * Shadow::defined;
  uint64_t n = 0;
  for (uint64_t word; n + sizeof(word) <= size; n += sizeof(word)) {
    memcpy(&word, states + n, sizeof(word));
    if (word != eight)
      break;
  }
  while (n < size && states[n] == Shadow::defined)
    ++n;
  return n;
}
inline uint64_t writablePrefix(const uint8_t *states, uint64_t size) {
  const void *first = memchr(states, Shadow::dead, size);
  return first ? static_cast<const uint8_t *>(first) - states : size;
}

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_SHADOW_H
