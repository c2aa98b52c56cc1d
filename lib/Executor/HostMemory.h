//===- HostMemory.h - zeroed pages that cost nothing until used -*- C++ -*-===//
#ifndef DOJO_LIB_EXECUTOR_HOSTMEMORY_H
#define DOJO_LIB_EXECUTOR_HOSTMEMORY_H

#include "llvm/Support/Error.h"
#include <utility>

namespace dojo::exec {

class HostMemory {
public:
  HostMemory() = default;
  HostMemory(HostMemory &&other) noexcept { swap(other); }
  HostMemory &operator=(HostMemory &&other) noexcept {
    swap(other);
    return *this;
  }
  ~HostMemory();

  static llvm::Expected<HostMemory> allocate(uint64_t bytes);

  char *data() const { return base; }

private:
  void swap(HostMemory &other) {
    std::swap(base, other.base);
    std::swap(bytes, other.bytes);
  }

  char *base = nullptr;
  uint64_t bytes = 0;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_HOSTMEMORY_H
