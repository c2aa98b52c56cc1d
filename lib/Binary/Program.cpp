//===- Program.cpp - names, look-ups and the checks of a program ----------===//
#include "dojo/Binary/Program.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using llvm::Error;
using llvm::formatv;
using llvm::StringRef;

namespace dojo::binary {
namespace {

constexpr uint64_t dipBytes = uint64_t(1) << 40;
constexpr uint64_t dramBytes = uint64_t(1) << 48;
constexpr uint64_t wordBytes = 4;

template <class... Args>
Error bad(const char *format, Args &&...args) {
  return llvm::createStringError(formatv(format, std::forward<Args>(args)...).str());
}

bool insideOneDip(uint64_t address, uint64_t size) {
  return address < dramBytes && size <= dipBytes && address % dipBytes + size <= dipBytes;
}

Error verifyName(StringRef what, StringRef name) {
  if (name.empty())
    return bad("{0} has an empty name", what);
  if (name.contains('\0'))
    return bad("the name of {0} holds a zero byte", what);
  return Error::success();
}

Error verifyLabels(StringRef what, llvm::ArrayRef<Label> labels, uint64_t codeSize) {
  llvm::StringSet<> seen;
  for (const Label &label : labels) {
    if (Error error = verifyName(what, label.name))
      return error;
    if (label.address % wordBytes || label.address >= codeSize)
      return bad("{0} '{1}' at {2:x} is no address of an instruction", what, label.name,
                 label.address);
    if (!seen.insert(label.name).second)
      return bad("{0} '{1}' occurs twice", what, label.name);
  }
  return Error::success();
}

Error verifyImages(llvm::ArrayRef<Image> images) {
  uint64_t end = 0;
  for (auto [i, image] : llvm::enumerate(images)) {
    if (!insideOneDip(image.address, image.bytes.size()))
      return bad("DRAM image {0} at {1:x} of {2} bytes is not inside one DIP", i, image.address,
                 image.bytes.size());
    if (image.address < end)
      return bad("DRAM image {0} at {1:x} overlaps the one before it or stands out of order", i,
                 image.address);
    end = image.address + image.bytes.size();
  }
  return Error::success();
}

Error verifyTensors(StringRef what, llvm::ArrayRef<Tensor> tensors) {
  llvm::StringSet<> seen;
  for (const Tensor &tensor : tensors) {
    if (Error error = verifyName(what, tensor.name))
      return error;
    if (!seen.insert(tensor.name).second)
      return bad("{0} '{1}' occurs twice", what, tensor.name);
    if (unsigned(tensor.type) >= numElementTypes)
      return bad("{0} '{1}' has the unknown element type {2}", what, tensor.name,
                 unsigned(tensor.type));
    uint64_t size = bytes(tensor.type);
    for (int64_t dim : tensor.shape) {
      bool overflow = false;
      size = llvm::SaturatingMultiply(size, uint64_t(dim), &overflow);
      if (dim < 0 || overflow)
        return bad("{0} '{1}' has a negative or too large dimension", what, tensor.name);
    }
    if (!insideOneDip(tensor.address, size))
      return bad("{0} '{1}' at {2:x} of {3} bytes is not inside one DIP", what, tensor.name,
                 tensor.address, size);
  }
  return Error::success();
}

Error verifyExtents(const Program &program) {
  for (const Tensor &input : program.inputs)
    if (!input.extents.empty())
      return bad("input '{0}' has extents, which outputs alone have", input.name);
  for (const Tensor &count : program.counts)
    if (count.type != ElementType::i32 || count.elements() != 1 || !count.extents.empty())
      return bad("count '{0}' is no single i32", count.name);
  for (const Tensor &output : program.outputs)
    for (const Extent &extent : output.extents)
      if (extent.dim >= output.shape.size() || extent.count >= program.counts.size())
        return bad("output '{0}' has an extent of dimension {1} by count {2}", output.name,
                   extent.dim, extent.count);
  return Error::success();
}

Error verifyBuffers(const Program &program) {
  for (const Buffer &buffer : program.buffers) {
    if (uint64_t(buffer.address) + buffer.size > UINT32_MAX)
      return bad("buffer '{0}' at {1:x} of {2} bytes passes 32 bits of address", buffer.name,
                 buffer.address, buffer.size);
    if (!program.entry(buffer.entry))
      return bad("buffer '{0}' names the unknown entry '{1}'", buffer.name, buffer.entry);
    if (buffer.begin % wordBytes || buffer.begin > program.code.size())
      return bad("buffer '{0}' begins at {1:x}, no address of an instruction", buffer.name,
                 buffer.begin);
    if (buffer.end % wordBytes && buffer.end != Buffer::forever)
      return bad("buffer '{0}' ends at {1:x}, no address of an instruction", buffer.name,
                 buffer.end);
  }
  return Error::success();
}

Error verifyLines(const Program &program) {
  uint32_t end = 0;
  for (const SourceRange &range : program.lines) {
    if (range.begin < end || range.end < range.begin || range.end > program.code.size())
      return bad("the line table's range {0:x} to {1:x} is out of order or outside the code",
                 range.begin, range.end);
    end = range.end;
  }
  return Error::success();
}

} // namespace

static constexpr llvm::StringLiteral names[numElementTypes] = {
    "f32", "bf16", "i32", "i8", "u8", "bool", "i64", "f16", "i16", "u16", "u32", "u64"};

StringRef name(ElementType type) { return names[unsigned(type)]; }

std::optional<ElementType> elementType(StringRef name) {
  auto *found = llvm::find(names, name);
  return found == std::end(names) ? std::nullopt : std::optional(ElementType(found - names));
}

unsigned bytes(ElementType type) {
  static constexpr unsigned sizes[numElementTypes] = {4, 2, 4, 1, 1, 1, 8, 2, 2, 2, 4, 8};
  return sizes[unsigned(type)];
}

uint64_t Tensor::elements() const {
  uint64_t n = 1;
  for (int64_t dim : shape)
    n *= dim;
  return n;
}

std::optional<uint32_t> Program::entry(StringRef name) const {
  for (const Label &label : entries)
    if (label.name == name)
      return label.address;
  return std::nullopt;
}

StringRef Program::location(uint32_t address) const {
  auto *next = llvm::partition_point(
      llvm::ArrayRef(lines), [&](const SourceRange &range) { return range.end <= address; });
  bool found = next != llvm::ArrayRef(lines).end() && next->begin <= address;
  return found ? StringRef(next->location) : StringRef();
}

Error verify(const Program &program) {
  if (program.code.size() % wordBytes || program.code.size() > INT32_MAX)
    return bad("the code's {0} bytes are no number of instructions", program.code.size());
  if (Error error = verifyLabels("entry", program.entries, program.code.size()))
    return error;
  if (Error error = verifyLabels("routine", program.routines, program.code.size()))
    return error;
  if (Error error = verifyImages(program.images))
    return error;
  if (Error error = verifyTensors("input", program.inputs))
    return error;
  if (Error error = verifyTensors("output", program.outputs))
    return error;
  if (Error error = verifyTensors("count", program.counts))
    return error;
  if (Error error = verifyExtents(program))
    return error;
  if (Error error = verifyBuffers(program))
    return error;
  return verifyLines(program);
}

} // namespace dojo::binary
