//===- Shadow.cpp - lives of SRAM bytes -----------------------------------===//
#include "Shadow.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cstring>
#include <tuple>

using llvm::Error;
using llvm::Expected;
using llvm::formatv;

namespace dojo::exec {
namespace {

constexpr uint32_t wordBytes = sizeof(uint32_t);

bool hasEnd(const binary::Buffer &row, const binary::Program &program) {
  return row.end < program.code.size();
}

bool livesAlways(const binary::Buffer &row, const binary::Program &program) {
  return program.entry(row.entry) == row.begin && !hasEnd(row, program);
}

} // namespace

Shadow::Shadow(const binary::Program &program, uint64_t sramBytes)
    : program(program), sramBytes(sramBytes) {
  for (auto [i, row] : llvm::enumerate(program.buffers)) {
    if (livesAlways(row, program))
      continue;
    marks.push_back({row.begin / wordBytes, true, uint32_t(i)});
    if (hasEnd(row, program))
      marks.push_back({row.end / wordBytes, false, uint32_t(i)});
  }
  llvm::sort(marks, [](const Mark &a, const Mark &b) {
    return std::tie(a.index, a.begins, a.row) < std::tie(b.index, b.begins, b.row);
  });
}

Expected<std::unique_ptr<Shadow>> Shadow::create(const binary::Program &program, unsigned nodes,
                                                 uint64_t sramBytes) {
  for (const binary::Buffer &row : program.buffers)
    if (uint64_t(row.address) + row.size > sramBytes)
      return llvm::createStringError(
          formatv("buffer '{0}' at {1:x} of {2} bytes does not fit the {3} bytes of SRAM", row.name,
                  row.address, row.size, sramBytes)
              .str());
  auto shadow = std::unique_ptr<Shadow>(new Shadow(program, sramBytes));
  Expected<HostMemory> memory = HostMemory::allocate(nodes * sramBytes);
  if (!memory)
    return memory.takeError();
  shadow->memory = std::move(*memory);
  for (unsigned node = 0; node < nodes; ++node) {
    uint8_t *states = shadow->states(node);
    auto &live = shadow->live.emplace_back(program.buffers.size());
    for (auto [i, row] : llvm::enumerate(program.buffers))
      if (livesAlways(row, program)) {
        memset(states + row.address, undefined, row.size);
        live[i] = true;
      }
    memset(states, defined, program.code.size());
  }
  return std::move(shadow);
}

bool Shadow::marked(uint32_t index) const {
  auto *at = llvm::partition_point(llvm::ArrayRef(marks),
                                   [&](const Mark &mark) { return mark.index < index; });
  return at != llvm::ArrayRef(marks).end() && at->index == index;
}

void Shadow::pass(unsigned node, uint32_t index) {
  auto *at = llvm::partition_point(llvm::ArrayRef(marks),
                                   [&](const Mark &mark) { return mark.index < index; });
  for (; at != llvm::ArrayRef(marks).end() && at->index == index; ++at) {
    const binary::Buffer &row = program.buffers[at->row];
    memset(states(node) + row.address, at->begins ? undefined : dead, row.size);
    live[node][at->row] = at->begins;
  }
}

std::string Shadow::explain(unsigned node, uint64_t byte) const {
  auto holds = [&](const binary::Buffer &row) {
    return byte >= row.address && byte - row.address < row.size;
  };
  const binary::Buffer *other = nullptr;
  for (auto [i, row] : llvm::enumerate(program.buffers)) {
    if (!holds(row))
      continue;
    if (live[node][i])
      return formatv("the byte at {0:x} of buffer '{1}' was never written", byte, row.name).str();
    other = &row;
  }
  if (!other)
    return formatv("the byte at {0:x} belongs to no buffer", byte).str();
  return formatv("buffer '{0}' is not live at the byte at {1:x}", other->name, byte).str();
}

} // namespace dojo::exec
