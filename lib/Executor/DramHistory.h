//===- DramHistory.h - who read and wrote which bytes of DRAM ---*- C++ -*-===//
//
// Every transfer of an entry that reads or writes DRAM. A page that nobody has
// written keeps the list of its readers alone, as all pages of weights do; one that
// somebody has written knows the last writer of each byte.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_DRAMHISTORY_H
#define DOJO_LIB_EXECUTOR_DRAMHISTORY_H

#include "Descriptor.h"
#include "VectorClocks.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <optional>
#include <vector>

namespace dojo::exec {

struct DramAccess {
  unsigned node;
  /// The code address that reports name.
  uint32_t place;
  bool writes;
  Region region;
  /// The segment of the node in which the transfer has ended; 0 while it flies.
  Epoch ended = 0;
};

class DramHistory {
public:
  struct Conflict {
    const DramAccess *other;
    uint64_t byte;
  };
  using IsBefore = llvm::function_ref<bool(const DramAccess &earlier)>;

  /// Adds an access; the conflict with an earlier one, at least one of the two a
  /// write, that is not before it.
  std::optional<Conflict> add(const DramAccess &access, IsBefore isBefore);
  /// The number of the access that was added last.
  uint32_t newest() const { return uint32_t(accesses.size() - 1); }
  void end(uint32_t access, Epoch epoch) { accesses[access].ended = epoch; }
  void clear();

private:
  static constexpr uint64_t pageBytes = 4096;
  struct Page {
    std::vector<uint32_t> readers;
    /// Of each byte, the number of its last writer plus one; empty if there is none.
    std::vector<uint32_t> writers;
  };

  std::optional<Conflict> read(Page &page, uint64_t begin, uint64_t end, IsBefore isBefore);
  std::optional<Conflict> write(Page &page, uint64_t begin, uint64_t end, IsBefore isBefore);
  std::optional<Conflict> lateWriter(const Page &page, uint64_t begin, uint64_t end,
                                     IsBefore isBefore) const;

  std::vector<DramAccess> accesses;
  llvm::DenseMap<uint64_t, Page> pages;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_DRAMHISTORY_H
