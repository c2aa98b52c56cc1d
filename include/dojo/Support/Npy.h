//===- Npy.h - numpy's array files ------------------------------*- C++ -*-===//
//
// Versions 1 and 2 of the .npy format: a header in Python syntax, then dense
// little-endian data in C order.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_SUPPORT_NPY_H
#define DOJO_SUPPORT_NPY_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace dojo {

enum class NpyType : uint8_t { f4, f2, i8, i4, i1, u1, b1, i2, u2, u4, u8 };

/// As numpy's type strings without the byte order: "f4", "i8", ...
llvm::StringRef name(NpyType type);
unsigned bytes(NpyType type);

struct NpyArray {
  NpyType type = NpyType::f4;
  std::vector<int64_t> shape;
  std::string data;
};

/// Refuses other types, big-endian and Fortran-order arrays, and files whose
/// length does not agree with their header.
llvm::Expected<NpyArray> parseNpy(llvm::StringRef bytes);
llvm::Expected<NpyArray> readNpy(llvm::StringRef path);

/// Version 1, as numpy itself writes it.
std::string printNpy(const NpyArray &array);
llvm::Error writeNpy(llvm::StringRef path, const NpyArray &array);

} // namespace dojo

#endif // DOJO_SUPPORT_NPY_H
