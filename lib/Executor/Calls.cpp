//===- Calls.cpp - host code for instruction after instruction ------------===//
#include "Calls.h"
#include "Mesh.h"
#include "ScalarCode.h"
#include "llvm/ADT/STLExtras.h"

namespace dojo::exec {
namespace {

/// The node stops at node.pc, in the block that began at `first` with this budget.
void stop(Node &node, const Op *first, int64_t budget) { node.budget = budget - (node.pc - first); }

class Writer {
public:
  Writer(llvm::MutableArrayRef<Op> code, llvm::ArrayRef<Call> calls)
      : code(code), calls(calls), places(code.size() + 1), entries(code.size()) {}

  void write();
  llvm::sys::OwningMemoryBlock load();

private:
  bool leads(uint32_t index) const { return leaders[index]; }
  void findLeaders();
  uint32_t block(uint32_t first);
  void call(uint32_t first, uint32_t index);
  void leave(uint32_t index);
  void enter(uint32_t first);
  void restore() { host.emit({0x41, 0x5d, 0x5d, 0x5b}); } // pop r13, rbp, rbx

  llvm::MutableArrayRef<Op> code;
  llvm::ArrayRef<Call> calls;
  HostCode host;
  std::vector<bool> leaders;
  /// Where each op's block stands inside; the last is where nodes stop.
  std::vector<uint32_t> places;
  /// Where handlers enter the op's block; 0 is none.
  std::vector<uint32_t> entries;
};

/// Blocks begin where branches go, and behind what does not simply go on.
void Writer::findLeaders() {
  leaders.assign(code.size() + 1, false);
  leaders[0] = true;
  for (uint32_t i = 0; i + 1 < code.size(); ++i) {
    if (calls[i].kind == Call::plain || calls[i].kind == Call::mayStop)
      continue;
    leaders[i + 1] = true;
    if (calls[i].kind == Call::none)
      leaders[i] = true;
    if (calls[i].kind == Call::branch)
      leaders[i + code[i].imm] = true;
  }
  leaders[code.size() - 1] = true;
}

/// Does what op `index` of a block means, or calls it.
void Writer::call(uint32_t first, uint32_t index) {
  const Call &call = calls[index];
  const uint32_t target = index + code[index].imm;
  if (writeArithmetic(host, call.opcode, code[index]) ||
      writeBranch(host, call.opcode, code[index], target))
    return;
  host.emit({0x48, 0x89, 0xdf}); // mov rdi, rbx
  const uint32_t distance = (index - first) * sizeof(Op);
  host.emit<uint32_t>({0x48, 0x8d, 0xb5}, distance); // lea rsi, [rbp + distance]
  host.emitTo({0xe8}, call.function);                // call
  if (call.kind == Call::plain)
    return;
  host.emit({0x84, 0xc0}); // test al, al
  if (call.kind == Call::branch)
    host.emitTo({0x0f, 0x85}, target); // jnz
  else
    host.emitTo({0x0f, 0x84}, uint32_t(code.size())); // jz
}

/// Goes on with the handler of an op.
void Writer::leave(uint32_t index) {
  host.emit({0x48, 0x89, 0xdf});                                                // mov rdi, rbx
  host.emit<uint64_t>({0x48, 0xbe}, reinterpret_cast<uintptr_t>(&code[index])); // mov rsi
  host.emit({0x4c, 0x89, 0xea});                                                // mov rdx, r13
  restore();
  host.emitTo({0xe9}, reinterpret_cast<const void *>(code[index].run)); // jmp
}

/// Writes the block that begins at `first`; where the next one begins.
uint32_t Writer::block(uint32_t first) {
  if (calls[first].kind == Call::none) {
    places[first] = host.here();
    leave(first);
    return first + 1;
  }
  uint32_t end = first + 1;
  while (!leads(end))
    ++end;
  const uint32_t length = end - first;
  places[first] = host.here();
  // The handlers know what to do where the budget ends.
  host.emit<uint32_t>({0x49, 0x81, 0xfd}, length); // cmp r13, length
  host.emit({0x7f, 0});                            // jg over what leave() writes
  const uint32_t before = host.here();
  leave(first);
  host.bytes[before - 1] = uint8_t(host.here() - before);
  host.emit<uint64_t>({0x48, 0xbd}, reinterpret_cast<uintptr_t>(&code[first])); // mov rbp
  for (uint32_t i = first; i < end; ++i) {
    const bool branches = calls[i].kind == Call::branch;
    if (branches)
      host.emit<uint32_t>({0x49, 0x81, 0xed}, length); // sub r13, length
    call(first, i);
    if (i + 1 == end && !branches)
      host.emit<uint32_t>({0x49, 0x81, 0xed}, length);
  }
  return end;
}

/// Lets handlers enter the block.
void Writer::enter(uint32_t first) {
  entries[first] = host.here();
  host.emit({0x53, 0x55, 0x41, 0x55});             // push rbx, rbp, r13
  host.emit({0x48, 0x89, 0xfb, 0x49, 0x89, 0xd5}); // mov rbx, rdi; mov r13, rdx
  host.emitTo({0xe9}, first);                      // jmp
}

void Writer::write() {
  findLeaders();
  for (uint32_t next = 0; next < code.size();)
    next = block(next);
  for (uint32_t i = 0; i < code.size(); ++i)
    if (leads(i) && calls[i].kind != Call::none)
      enter(i);
  places[code.size()] = host.here();
  host.emit({0x48, 0x89, 0xdf, 0x48, 0x89, 0xee, 0x4c, 0x89, 0xea}); // node, first, budget
  host.emitTo({0xe8}, reinterpret_cast<const void *>(&stop));
  restore();
  host.emit({0xc3}); // ret
}

/// Room for the code, below this library and as near as there is any, so that calls reach.
llvm::sys::OwningMemoryBlock allocate(size_t bytes) {
  using llvm::sys::Memory;
  const uintptr_t library = reinterpret_cast<uintptr_t>(&stop);
  for (uintptr_t distance = uintptr_t(1) << 26; distance < uintptr_t(1) << 31; distance *= 2) {
    std::error_code error;
    const llvm::sys::MemoryBlock near(reinterpret_cast<void *>(library - distance), 0);
    llvm::sys::OwningMemoryBlock memory(
        Memory::allocateMappedMemory(bytes, &near, Memory::MF_READ | Memory::MF_WRITE, error));
    const uintptr_t base = reinterpret_cast<uintptr_t>(memory.base());
    if (!error && std::max(base, library) - std::min(base, library) < uintptr_t(1) << 30)
      return memory;
  }
  return {};
}

/// Puts the code where it can run and tells the ops.
llvm::sys::OwningMemoryBlock Writer::load() {
  using llvm::sys::Memory;
  llvm::sys::OwningMemoryBlock memory = allocate(host.bytes.size());
  char *base = static_cast<char *>(memory.base());
  if (!base || !host.link(base, places))
    return {};
  llvm::copy(host.bytes, base);
  if (Memory::protectMappedMemory(memory.getMemoryBlock(), Memory::MF_READ | Memory::MF_EXEC))
    return {};
  for (auto [op, entry] : llvm::zip(code, entries))
    if (entry)
      op.run = reinterpret_cast<Handler>(base + entry);
  return memory;
}

} // namespace

Calls Calls::create(llvm::MutableArrayRef<Op> code, llvm::ArrayRef<Call> calls) {
  Calls made;
#if defined(__x86_64__) && !defined(_WIN32)
  Writer writer(code, calls);
  writer.write();
  made.memory = writer.load();
#endif
  return made;
}

} // namespace dojo::exec
