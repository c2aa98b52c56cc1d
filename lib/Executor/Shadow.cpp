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

void Shadow::pass(unsigned node, uint32_t index,
                  llvm::function_ref<void(const binary::Buffer &, bool)> each) {
  auto *at = llvm::partition_point(llvm::ArrayRef(marks),
                                   [&](const Mark &mark) { return mark.index < index; });
  for (; at != llvm::ArrayRef(marks).end() && at->index == index; ++at) {
    const binary::Buffer &row = program.buffers[at->row];
    const uint8_t value = at->begins ? undefined : dead;
    uint8_t *state = states(node) + row.address;
    for (uint8_t *end = state + row.size; state != end; ++state)
      *state = (*state & flags) | value;
    live[node][at->row] = at->begins;
    each(row, at->begins);
  }
}

void Shadow::setFlag(unsigned node, uint64_t begin, uint64_t end, uint8_t flag) {
  for (uint8_t *state = states(node); begin < end; ++begin)
    state[begin] |= flag;
}

void Shadow::clearFlag(unsigned node, uint64_t begin, uint64_t end, uint8_t flag) {
  for (uint8_t *state = states(node); begin < end; ++begin)
    state[begin] &= ~flag;
}

const binary::Buffer *Shadow::rowAt(unsigned node, uint64_t byte, bool &isLive) const {
  const binary::Buffer *other = nullptr;
  isLive = false;
  for (auto [i, row] : llvm::enumerate(program.buffers)) {
    if (byte < row.address || byte - row.address >= row.size)
      continue;
    other = &row;
    if ((isLive = live[node][i]))
      break;
  }
  return other;
}

std::string Shadow::describe(unsigned node, uint64_t byte) const {
  bool isLive;
  const binary::Buffer *row = rowAt(node, byte, isLive);
  std::string text = formatv("the byte at {0:x}", byte);
  return isLive ? formatv("{0} of buffer '{1}'", text, row->name).str() : text;
}

std::string Shadow::explain(unsigned node, uint64_t byte) const {
  bool isLive;
  const binary::Buffer *row = rowAt(node, byte, isLive);
  if (!row)
    return formatv("the byte at {0:x} belongs to no buffer", byte).str();
  if (isLive)
    return formatv("the byte at {0:x} of buffer '{1}' was never written", byte, row->name).str();
  return formatv("buffer '{0}' is not live at the byte at {1:x}", row->name, byte).str();
}

} // namespace dojo::exec
