//===- Arrays.cpp ---------------------------------------------------------===//
#include "dojo/Executor/Arrays.h"
#include "dojo/Formats/BF16.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include <cstring>

using dojo::binary::ElementType;
using llvm::Error;
using llvm::Expected;
using llvm::formatv;

namespace dojo::exec {
namespace {

/// The type that numpy holds a program's elements in.
NpyType arrayType(ElementType type) {
  switch (type) {
  case ElementType::f32:
  case ElementType::bf16:
    return NpyType::f4;
  case ElementType::i32:
    return NpyType::i4;
  case ElementType::i8:
    return NpyType::i1;
  case ElementType::u8:
    return NpyType::u1;
  case ElementType::boolean:
    return NpyType::b1;
  case ElementType::i64:
    return NpyType::i8;
  case ElementType::f16:
    return NpyType::f2;
  case ElementType::i16:
    return NpyType::i2;
  case ElementType::u16:
    return NpyType::u2;
  case ElementType::u32:
    return NpyType::u4;
  case ElementType::u64:
    return NpyType::u8;
  }
  llvm_unreachable("every element type has a case");
}

/// Converts element by element.
template <class From, class To, class F>
void mapElements(llvm::StringRef from, std::vector<char> &to, F convert) {
  size_t count = from.size() / sizeof(From);
  to.resize(count * sizeof(To));
  for (size_t i = 0; i < count; ++i) {
    From value;
    memcpy(&value, from.data() + i * sizeof(From), sizeof(From));
    To converted = convert(value);
    memcpy(to.data() + i * sizeof(To), &converted, sizeof(To));
  }
}

} // namespace

std::string typeText(ElementType type, llvm::ArrayRef<int64_t> shape) {
  std::string text;
  for (int64_t dim : shape)
    text += formatv("{0}x", dim);
  return text + binary::name(type).str();
}

Expected<Tensor> toTensor(const NpyArray &array, const binary::Tensor &wanted) {
  Tensor tensor = {wanted.name, wanted.type, array.shape, {}};
  if (array.shape != wanted.shape || array.type != arrayType(wanted.type)) {
    std::string shape;
    for (int64_t dim : array.shape)
      shape += formatv("{0}x", dim);
    return llvm::createStringError(
        formatv("input '{0}' is a numpy array {1}{2}, the program takes {3}", wanted.name, shape,
                name(array.type), typeText(wanted.type, wanted.shape))
            .str());
  }
  if (wanted.type == ElementType::bf16) {
    mapElements<float, uint16_t>(array.data, tensor.data, formats::toBF16);
    return tensor;
  }
  tensor.data.assign(array.data.begin(), array.data.end());
  return tensor;
}

NpyArray toArray(const Tensor &tensor) {
  NpyArray array = {arrayType(tensor.type), tensor.shape, {}};
  llvm::StringRef bytes(tensor.data.data(), tensor.data.size());
  if (tensor.type != ElementType::bf16) {
    array.data = bytes.str();
    return array;
  }
  std::vector<char> wide;
  mapElements<uint16_t, float>(bytes, wide, formats::widenBF16);
  array.data.assign(wide.begin(), wide.end());
  return array;
}

Expected<std::vector<Tensor>> readInputs(const binary::Program &program,
                                         llvm::ArrayRef<std::string> options) {
  std::vector<Tensor> tensors;
  llvm::StringSet<> seen;
  for (llvm::StringRef option : options) {
    auto [name, file] = option.split('=');
    if (name.empty() || file.empty())
      return llvm::createStringError("input '" + option + "' is not of the form NAME=FILE.npy");
    if (!seen.insert(name).second)
      return llvm::createStringError("input '" + name + "' is given twice");
    auto wanted = llvm::find_if(
        program.inputs, [name = name](const binary::Tensor &input) { return input.name == name; });
    if (wanted == program.inputs.end()) {
      tensors.push_back({name.str(), {}, {}, {}});
      continue;
    }
    Expected<NpyArray> array = readNpy(file);
    if (!array)
      return array.takeError();
    Expected<Tensor> tensor = toTensor(*array, *wanted);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

Error writeOutputs(llvm::ArrayRef<Tensor> outputs, llvm::StringRef directory) {
  if (std::error_code code = llvm::sys::fs::create_directories(directory))
    return llvm::createFileError(directory, code);
  llvm::StringSet<> used;
  for (const Tensor &tensor : outputs) {
    std::string base = tensor.name;
    for (char &c : base)
      if (!llvm::isAlnum(c) && !llvm::StringRef("-_.").contains(c))
        c = '_';
    std::string file = base;
    for (unsigned i = 2; !used.insert(file).second; ++i)
      file = formatv("{0}_{1}", base, i);
    llvm::SmallString<128> path(directory);
    llvm::sys::path::append(path, file + ".npy");
    if (Error error = writeNpy(path, toArray(tensor)))
      return error;
  }
  return Error::success();
}

} // namespace dojo::exec
