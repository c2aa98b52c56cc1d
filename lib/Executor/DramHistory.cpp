//===- DramHistory.cpp - who read and wrote which bytes of DRAM -----------===//
#include "DramHistory.h"
#include <algorithm>

namespace dojo::exec {

std::optional<DramHistory::Conflict> DramHistory::add(const DramAccess &access, IsBefore isBefore) {
  accesses.push_back(access);
  std::optional<Conflict> conflict;
  access.region.forEachRun([&](uint64_t begin, uint64_t end) {
    while (begin < end && !conflict) {
      const uint64_t number = begin / pageBytes;
      const uint64_t stop = std::min(end, (number + 1) * pageBytes);
      Page &page = pages[number];
      conflict =
          access.writes ? write(page, begin, stop, isBefore) : read(page, begin, stop, isBefore);
      begin = stop;
    }
    return !conflict;
  });
  return conflict;
}

void DramHistory::clear() {
  accesses.clear();
  pages.clear();
}

std::optional<DramHistory::Conflict>
DramHistory::lateWriter(const Page &page, uint64_t begin, uint64_t end, IsBefore isBefore) const {
  if (page.writers.empty())
    return std::nullopt;
  uint32_t before = 0;
  for (uint64_t byte = begin; byte < end; ++byte) {
    const uint32_t writer = page.writers[byte % pageBytes];
    if (!writer || writer == before || writer == newest() + 1)
      continue;
    if (!isBefore(accesses[writer - 1]))
      return Conflict{&accesses[writer - 1], byte};
    before = writer;
  }
  return std::nullopt;
}

std::optional<DramHistory::Conflict> DramHistory::read(Page &page, uint64_t begin, uint64_t end,
                                                       IsBefore isBefore) {
  if (page.readers.empty() || page.readers.back() != newest())
    page.readers.push_back(newest());
  return lateWriter(page, begin, end, isBefore);
}

std::optional<DramHistory::Conflict> DramHistory::write(Page &page, uint64_t begin, uint64_t end,
                                                        IsBefore isBefore) {
  if (auto conflict = lateWriter(page, begin, end, isBefore))
    return conflict;
  for (uint32_t reader : page.readers)
    if (!isBefore(accesses[reader]))
      if (auto byte = accesses[reader].region.common(begin, end))
        return Conflict{&accesses[reader], *byte};
  page.writers.resize(pageBytes);
  std::fill_n(page.writers.begin() + begin % pageBytes, end - begin, newest() + 1);
  return std::nullopt;
}

} // namespace dojo::exec
