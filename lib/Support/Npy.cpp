//===- Npy.cpp ------------------------------------------------------------===//
#include "dojo/Support/Npy.h"
#include "dojo/Support/File.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace dojo {
namespace {

constexpr llvm::StringLiteral magic = "\x93NUMPY";
constexpr unsigned headerAlign = 64;

struct TypeInfo {
  StringRef name;
  StringRef descr;
  unsigned bytes;
};
constexpr TypeInfo types[] = {{"f4", "<f4", 4}, {"f2", "<f2", 2}, {"i8", "<i8", 8},
                              {"i4", "<i4", 4}, {"i1", "|i1", 1}, {"u1", "|u1", 1},
                              {"b1", "|b1", 1}, {"i2", "<i2", 2}, {"u2", "<u2", 2},
                              {"u4", "<u4", 4}, {"u8", "<u8", 8}};

Error bad(const llvm::Twine &reason) { return llvm::createStringError(reason); }

/// The header: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}

  Error parse(NpyArray &array) {
    if (!take("{"))
      return malformed();
    bool seenType = false, seenOrder = false, seenShape = false;
    while (!take("}")) {
      StringRef key;
      if (!takeString(key) || !take(":"))
        return malformed();
      Error error = Error::success();
      if (key == "descr" && !std::exchange(seenType, true))
        error = parseType(array.type);
      else if (key == "fortran_order" && !std::exchange(seenOrder, true))
        error = parseOrder();
      else if (key == "shape" && !std::exchange(seenShape, true))
        error = parseShape(array.shape);
      else
        return malformed();
      if (error)
        return error;
      take(",");
    }
    return seenType && seenOrder && seenShape && rest.trim().empty() ? Error::success()
                                                                     : malformed();
  }

private:
  static Error malformed() { return bad("the header is no numpy header"); }

  bool take(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }
  bool takeString(StringRef &text) {
    if (!take("'"))
      return false;
    std::tie(text, rest) = rest.split('\'');
    return true;
  }

  Error parseType(NpyType &type) {
    StringRef descr;
    if (!takeString(descr))
      return bad("structured types are not read");
    const TypeInfo *found =
        llvm::find_if(types, [&](const TypeInfo &info) { return info.descr == descr; });
    if (found == std::end(types))
      return bad("type '" + descr +
                 "' is none of <f4, <f2, <i8, <i4, |i1, |u1, |b1, <i2, <u2, <u4 and <u8");
    type = NpyType(found - types);
    return Error::success();
  }
  Error parseOrder() {
    if (take("True"))
      return bad("the array is in Fortran order; save it with numpy.ascontiguousarray");
    return take("False") ? Error::success() : malformed();
  }
  Error parseShape(std::vector<int64_t> &shape) {
    if (!take("("))
      return malformed();
    while (!take(")")) {
      uint64_t dim;
      rest = rest.ltrim();
      if (rest.consumeInteger(10, dim) || dim > INT64_MAX)
        return malformed();
      shape.push_back(dim);
      take(",");
    }
    return Error::success();
  }

  StringRef rest;
};

Expected<uint64_t> dataBytes(const NpyArray &array) {
  uint64_t size = bytes(array.type);
  for (int64_t dim : array.shape) {
    std::optional<uint64_t> product = llvm::checkedMulUnsigned<uint64_t>(size, dim);
    if (!product)
      return bad("the shape is too large");
    size = *product;
  }
  return size;
}

} // namespace

StringRef name(NpyType type) { return types[unsigned(type)].name; }
unsigned bytes(NpyType type) { return types[unsigned(type)].bytes; }

Expected<NpyArray> parseNpy(StringRef bytes) {
  if (!bytes.consume_front(magic) || bytes.size() < 2)
    return bad("not a numpy file");
  unsigned version = uint8_t(bytes[0]);
  if (version != 1 && version != 2)
    return bad("numpy format version " + llvm::Twine(version) + " is neither 1 nor 2");
  bytes = bytes.drop_front(2);
  unsigned lengthBytes = version == 1 ? 2 : 4;
  if (bytes.size() < lengthBytes)
    return bad("the file is cut off inside its header");
  uint64_t length = version == 1 ? llvm::support::endian::read16le(bytes.data())
                                 : llvm::support::endian::read32le(bytes.data());
  bytes = bytes.drop_front(lengthBytes);
  if (bytes.size() < length)
    return bad("the file is cut off inside its header");
  NpyArray array;
  if (Error error = HeaderParser(bytes.take_front(length)).parse(array))
    return error;
  bytes = bytes.drop_front(length);
  Expected<uint64_t> size = dataBytes(array);
  if (!size)
    return size.takeError();
  if (*size != bytes.size())
    return bad("the header asks for " + llvm::Twine(*size) + " bytes of data, the file has " +
               llvm::Twine(bytes.size()));
  array.data = bytes.str();
  return array;
}

Expected<NpyArray> readNpy(StringRef path) {
  Expected<std::string> bytes = readFile(path);
  if (!bytes)
    return bytes.takeError();
  Expected<NpyArray> array = parseNpy(*bytes);
  if (!array)
    return llvm::createFileError(path, array.takeError());
  return array;
}

std::string printNpy(const NpyArray &array) {
  std::string shape;
  for (int64_t dim : array.shape)
    shape += llvm::formatv(shape.empty() ? "{0}," : " {0},", dim);
  if (array.shape.size() > 1)
    shape.pop_back();
  std::string header = llvm::formatv("{{'descr': '{0}', 'fortran_order': False, 'shape': ({1}), }",
                                     types[unsigned(array.type)].descr, shape);
  uint64_t prefix = magic.size() + 4;
  header.resize(llvm::alignTo(prefix + header.size() + 1, llvm::Align(headerAlign)) - prefix - 1,
                ' ');
  header += '\n';
  std::string out = magic.str() + std::string("\1\0", 2);
  out += char(header.size() & 0xff);
  out += char(header.size() >> 8);
  return out + header + array.data;
}

Error writeNpy(StringRef path, const NpyArray &array) {
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    os << printNpy(array);
    return Error::success();
  });
}

} // namespace dojo
