//===- Format.h - the numbers and tables of the file format -----*- C++ -*-===//
//
// What the writer and the reader must agree on. A table is described once, by
// `fields`, and either archive walks that description: integers little-endian,
// strings and vectors after a 32-bit count.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_BINARY_FORMAT_H
#define DOJO_LIB_BINARY_FORMAT_H

#include "dojo/Binary/Program.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/DataExtractor.h"
#include "llvm/Support/Endian.h"
#include <type_traits>

namespace dojo::binary {

/// Registered with nobody; far above the numbers that are.
constexpr uint16_t elfMachine = 0xd1d0;

constexpr llvm::StringLiteral machineSection = ".dojo.machine";
constexpr llvm::StringLiteral entriesSection = ".dojo.entries";
constexpr llvm::StringLiteral ioSection = ".dojo.io";
constexpr llvm::StringLiteral buffersSection = ".dojo.buffers";
constexpr llvm::StringLiteral linesSection = ".dojo.lines";
/// The N-th image, from 0, is in the section of this prefix and N.
constexpr llvm::StringLiteral imagePrefix = ".dojo.dram.";

/// An image's section has its global address (Instructions.td): space 2.
constexpr uint64_t dramSpace = uint64_t(2) << 62;

template <class Archive>
void fields(Archive &archive, Label &label) {
  archive(label.name, label.address);
}
template <class Archive>
void fields(Archive &archive, Extent &extent) {
  archive(extent.dim, extent.count);
}
template <class Archive>
void fields(Archive &archive, Tensor &tensor) {
  archive(tensor.name, tensor.type, tensor.shape, tensor.address, tensor.extents);
}
template <class Archive>
void fields(Archive &archive, Buffer &buffer) {
  archive(buffer.name, buffer.address, buffer.size, buffer.begin, buffer.end, buffer.entry);
}
template <class Archive>
void fields(Archive &archive, SourceRange &range) {
  archive(range.begin, range.end, range.location);
}

class WriteArchive {
public:
  template <class... T>
  void operator()(T &...values) {
    (value(values), ...);
  }
  llvm::SmallString<0> take() { return std::move(out); }

private:
  template <class T>
  void value(T &v) {
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      char raw[sizeof(T)];
      llvm::support::endian::write<T, llvm::endianness::little>(raw, v);
      out.append(raw, raw + sizeof(T));
    } else {
      fields(*this, v);
    }
  }
  void value(std::string &text) {
    count(text.size());
    out += text;
  }
  template <class T>
  void value(std::vector<T> &list) {
    count(list.size());
    for (T &item : list)
      value(item);
  }
  void count(size_t n) {
    uint32_t narrow = n;
    value(narrow);
  }

  llvm::SmallString<0> out;
};

/// Reads until the first field that the bytes do not hold; finish() says so.
class ReadArchive {
public:
  explicit ReadArchive(llvm::ArrayRef<uint8_t> bytes) : data(bytes, true, 8), cursor(0) {}

  template <class... T>
  void operator()(T &...values) {
    (value(values), ...);
  }
  llvm::Error finish() {
    if (llvm::Error error = cursor.takeError())
      return error;
    if (cursor.tell() != data.size())
      return llvm::createStringError("%zu bytes follow the table",
                                     size_t(data.size() - cursor.tell()));
    return llvm::Error::success();
  }

private:
  template <class T>
  void value(T &v) {
    if constexpr (std::is_enum_v<T>) {
      std::underlying_type_t<T> raw{};
      value(raw);
      v = T(raw);
    } else if constexpr (std::is_integral_v<T>) {
      llvm::StringRef raw = data.getBytes(cursor, sizeof(T));
      if (raw.size() == sizeof(T))
        v = llvm::support::endian::read<T, llvm::endianness::little>(raw.data());
    } else {
      fields(*this, v);
    }
  }
  void value(std::string &text) {
    uint32_t length = 0;
    value(length);
    text = data.getBytes(cursor, length).str();
  }
  template <class T>
  void value(std::vector<T> &list) {
    uint32_t length = 0;
    value(length);
    for (uint32_t i = 0; i < length && cursor; ++i)
      value(list.emplace_back());
  }

  llvm::DataExtractor data;
  llvm::DataExtractor::Cursor cursor;
};

} // namespace dojo::binary

#endif // DOJO_LIB_BINARY_FORMAT_H
