//===- Memory.h - access to a node's own SRAM -------------------*- C++ -*-===//
//
// A null result means that the node has faulted. Writes into the code are
// refused: it is decoded once.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_MEMORY_H
#define DOJO_LIB_EXECUTOR_MEMORY_H

#include "Mesh.h"
#include <algorithm>
#include <cstring>

namespace dojo::exec {

[[gnu::cold]] void faultOutside(Node &node, llvm::StringRef verb, uint64_t address, uint64_t size);
[[gnu::cold]] void faultDead(Node &node, llvm::StringRef verb, uint64_t address, uint64_t size,
                             uint64_t first);

/// A strict run has allowed the node to touch these bytes.
inline void note(Node &node, uint64_t address, uint64_t size) {
  if (node.history)
    node.history->mark(address, size);
}

/// Lives begin and end at the instruction; false when the node has faulted.
inline bool passLives(Node &node, const Op *pc) {
  const uint32_t index = uint32_t(pc - node.code);
  if (node.history)
    return node.mesh->races->pass(node, index);
  node.mesh->shadow->pass(node.number, index, [](const binary::Buffer &, bool) {});
  return true;
}

template <bool strict>
inline const char *readable(Node &node, uint64_t address, uint64_t size) {
  if (__builtin_expect(address > node.sramBytes - size, false)) {
    faultOutside(node, "reads", address, size);
    return nullptr;
  }
  node.touch(address + size);
  if constexpr (strict) {
    uint64_t first = readablePrefix(node.shadow + address, size);
    if (first != size) {
      faultDead(node, "reads", address, size, first);
      return nullptr;
    }
    note(node, address, size);
  }
  return node.sram + address;
}

template <bool strict>
inline char *writable(Node &node, uint64_t address, uint64_t size) {
  if (__builtin_expect(address < node.codeBytes || address > node.sramBytes - size, false)) {
    faultOutside(node, "writes", address, size);
    return nullptr;
  }
  node.touch(address + size);
  node.tables->panels.stores.mark(address, size);
  if constexpr (strict) {
    uint64_t first = writablePrefix(node.shadow + address, size);
    if (first != size) {
      faultDead(node, "writes", address, size, first);
      return nullptr;
    }
    note(node, address, size);
    memset(node.shadow + address, Shadow::defined, size);
  }
  return node.sram + address;
}

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_MEMORY_H
