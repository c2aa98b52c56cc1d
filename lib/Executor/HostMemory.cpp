//===- HostMemory.cpp -----------------------------------------------------===//
#include "HostMemory.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Errno.h"
#include <cerrno>
#include <sys/mman.h>

namespace dojo::exec {
namespace {

constexpr uint64_t mostHuge = uint64_t(1) << 30;

} // namespace

llvm::Expected<HostMemory> HostMemory::allocate(uint64_t bytes) {
  HostMemory memory;
  if (!bytes)
    return memory;
  void *base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    return llvm::createStringError("the host has no room for " + llvm::Twine(bytes) +
                                   " bytes of the machine's memory: " + llvm::sys::StrError(errno));
  // Nodes far apart write to each other: with small pages most accesses would miss the
  // host's table of them. A larger memory would become resident for little use.
  if (bytes <= mostHuge)
    madvise(base, bytes, MADV_HUGEPAGE);
  memory.base = static_cast<char *>(base);
  memory.bytes = bytes;
  return memory;
}

HostMemory::~HostMemory() {
  if (base)
    munmap(base, bytes);
}

} // namespace dojo::exec
