//===- HostCode.h - bytes of x86-64 as they are written ---------*- C++ -*-===//
#ifndef DOJO_LIB_EXECUTOR_HOSTCODE_H
#define DOJO_LIB_EXECUTOR_HOSTCODE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <cstdint>
#include <vector>

namespace dojo::exec {

/// Code that keeps the node in rbx, the first Op of its block in rbp and the budget with which
/// the block began in r13; rax, rcx, rdx, rsi and rdi are free.
class HostCode {
public:
  uint32_t here() const { return bytes.size(); }

  void emit(llvm::ArrayRef<uint8_t> code) { bytes.insert(bytes.end(), code.begin(), code.end()); }

  /// An instruction that ends in a number.
  template <class T>
  void emit(llvm::ArrayRef<uint8_t> code, T value) {
    emit(code);
    bytes.resize(bytes.size() + sizeof(T));
    llvm::support::endian::write<T>(bytes.data() + bytes.size() - sizeof(T), value,
                                    llvm::endianness::little);
  }

  /// An instruction that ends in the distance to another place of this code, or to a function.
  void emitTo(llvm::ArrayRef<uint8_t> code, uint32_t index) {
    emit<uint32_t>(code, 0);
    inner.emplace_back(here(), index);
  }
  void emitTo(llvm::ArrayRef<uint8_t> code, const void *function) {
    emit<uint32_t>(code, 0);
    outer.emplace_back(here(), function);
  }

  /// Fills in the distances for code that will stand at `base`: inside it to places[index].
  /// False where a function is too far.
  bool link(const char *base, llvm::ArrayRef<uint32_t> places) {
    for (auto [end, index] : inner)
      write(end, int64_t(places[index]) - end);
    for (auto [end, function] : outer) {
      const int64_t distance = static_cast<const char *>(function) - (base + end);
      if (!llvm::isInt<32>(distance))
        return false;
      write(end, distance);
    }
    return true;
  }

  std::vector<uint8_t> bytes;

private:
  void write(uint32_t end, int64_t distance) {
    llvm::support::endian::write32le(bytes.data() + end - sizeof(uint32_t), uint32_t(distance));
  }

  std::vector<std::pair<uint32_t, uint32_t>> inner;
  std::vector<std::pair<uint32_t, const void *>> outer;
};

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_HOSTCODE_H
