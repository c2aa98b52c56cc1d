//===- Tensors.cpp - types and tensors of ONNX files ----------------------===//
#include "Tensors.h"

#include "dojo/Dialect/ONNX/IR/ONNX.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace dojo::onnx;
using ::onnx::TensorProto;

/// Tensors up to this many elements are inline: scalars, axes, shapes.
static constexpr int64_t inlineElements = 64;
static constexpr int64_t maxRank = 32;
static constexpr int64_t maxBytes = int64_t(1) << 40;
static constexpr size_t blobAlignment = 64;

Type dojo::onnx::elementType(MLIRContext *context, int32_t type) {
  Builder b(context);
  switch (type) {
  case TensorProto::FLOAT:
    return b.getF32Type();
  case TensorProto::DOUBLE:
    return b.getF64Type();
  case TensorProto::FLOAT16:
    return b.getF16Type();
  case TensorProto::BFLOAT16:
    return b.getBF16Type();
  case TensorProto::BOOL:
    return b.getI1Type();
  case TensorProto::INT2:
    return b.getIntegerType(2);
  case TensorProto::INT4:
    return b.getIntegerType(4);
  case TensorProto::INT8:
    return b.getI8Type();
  case TensorProto::INT16:
    return b.getI16Type();
  case TensorProto::INT32:
    return b.getI32Type();
  case TensorProto::INT64:
    return b.getI64Type();
  case TensorProto::UINT2:
    return b.getIntegerType(2, false);
  case TensorProto::UINT4:
    return b.getIntegerType(4, false);
  case TensorProto::UINT8:
    return b.getIntegerType(8, false);
  case TensorProto::UINT16:
    return b.getIntegerType(16, false);
  case TensorProto::UINT32:
    return b.getIntegerType(32, false);
  case TensorProto::UINT64:
    return b.getIntegerType(64, false);
  case TensorProto::COMPLEX64:
    return ComplexType::get(b.getF32Type());
  case TensorProto::COMPLEX128:
    return ComplexType::get(b.getF64Type());
  case TensorProto::FLOAT8E4M3FN:
    return Float8E4M3FNType::get(context);
  case TensorProto::FLOAT8E4M3FNUZ:
    return Float8E4M3FNUZType::get(context);
  case TensorProto::FLOAT8E5M2:
    return Float8E5M2Type::get(context);
  case TensorProto::FLOAT8E5M2FNUZ:
    return Float8E5M2FNUZType::get(context);
  case TensorProto::FLOAT8E8M0:
    return Float8E8M0FNUType::get(context);
  case TensorProto::FLOAT6E2M3:
    return Float6E2M3FNType::get(context);
  case TensorProto::FLOAT6E3M2:
    return Float6E3M2FNType::get(context);
  case TensorProto::FLOAT4E2M1:
    return Float4E2M1FNType::get(context);
  case TensorProto::STRING:
    return StringType::get(context);
  default:
    return {};
  }
}

/// The type of the elements of a list: tensors by their element type alone.
static Type listElement(MLIRContext *context, const ::onnx::TypeProto &type) {
  Type element = valueType(context, type);
  auto tensor = dyn_cast<TensorType>(element);
  return tensor ? tensor.getElementType() : element;
}

Type dojo::onnx::valueType(MLIRContext *context, const ::onnx::TypeProto &type) {
  if (type.has_sequence_type())
    return SequenceType::get(context, listElement(context, type.sequence_type().elem_type()));
  if (type.has_optional_type())
    return OptionalType::get(context, listElement(context, type.optional_type().elem_type()));
  Type element;
  if (type.has_tensor_type())
    element = elementType(context, type.tensor_type().elem_type());
  if (!element)
    return AnyType::get(context);
  if (!type.tensor_type().has_shape())
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> shape;
  for (const auto &dim : type.tensor_type().shape().dim())
    shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value()
                                                                : ShapedType::kDynamic);
  return RankedTensorType::get(shape, element);
}

llvm::Expected<RankedTensorType> TensorReader::tensorType(const TensorProto &tensor,
                                                          StringRef name) {
  Type element = elementType(context, tensor.data_type());
  if (!element)
    return error("tensor '%s' has the unknown element type %d", name.str().c_str(),
                 int(tensor.data_type()));
  if (tensor.dims_size() > maxRank)
    return error("tensor '%s' has %d dimensions; at most %d are supported", name.str().c_str(),
                 tensor.dims_size(), int(maxRank));
  int64_t bytes = 16;
  for (int64_t dim : tensor.dims())
    if (dim < 0 || llvm::MulOverflow(bytes, std::max<int64_t>(dim, 1), bytes) || bytes > maxBytes)
      return error("tensor '%s' has an impossible shape: a dimension of %lld", name.str().c_str(),
                   (long long)dim);
  return RankedTensorType::get(SmallVector<int64_t>(tensor.dims().begin(), tensor.dims().end()),
                               element);
}

/// Bytes of `type` in a file: elements narrower than a byte are packed.
static size_t storedBytes(RankedTensorType type) {
  Type element = type.getElementType();
  size_t scale = 1;
  if (auto complex = dyn_cast<ComplexType>(element)) {
    element = complex.getElementType();
    scale = 2;
  }
  if (element.isInteger(1))
    return type.getNumElements();
  return llvm::divideCeil(type.getNumElements() * scale * element.getIntOrFloatBitWidth(), 8);
}

/// Appends the `typed` values of a field, `width` bytes each.
template <typename Field>
static void append(const Field &field, size_t width, SmallVectorImpl<char> &out) {
  for (const auto &value : field)
    out.append(reinterpret_cast<const char *>(&value),
               reinterpret_cast<const char *>(&value) + std::min(width, sizeof(value)));
}

/// The bytes of a tensor whose values stand in the typed fields.
static void typedBytes(const TensorProto &tensor, size_t width, SmallVectorImpl<char> &out) {
  switch (tensor.data_type()) {
  case TensorProto::FLOAT:
  case TensorProto::COMPLEX64:
    return append(tensor.float_data(), 4, out);
  case TensorProto::DOUBLE:
  case TensorProto::COMPLEX128:
    return append(tensor.double_data(), 8, out);
  case TensorProto::INT64:
    return append(tensor.int64_data(), 8, out);
  case TensorProto::UINT32:
  case TensorProto::UINT64:
    return append(tensor.uint64_data(), width, out);
  default:
    return append(tensor.int32_data(), width, out);
  }
}

static ElementsAttr inlineTensor(RankedTensorType type, ArrayRef<char> bytes) {
  if (!type.getElementType().isInteger(1))
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  SmallVector<bool> bits(bytes.begin(), bytes.end());
  return DenseElementsAttr::get(type, bits);
}

llvm::Expected<std::shared_ptr<llvm::MemoryBuffer>> TensorReader::map(StringRef location,
                                                                      StringRef name) {
  namespace path = llvm::sys::path;
  auto &file = files[location];
  if (file)
    return file;
  bool climbs =
      llvm::is_contained(llvm::make_range(path::begin(location), path::end(location)), "..");
  if (location.empty() || path::is_absolute(location) || climbs || location.contains('\0'))
    return error("tensor '%s' names the external data '%s'; a relative path inside the model's "
                 "folder is expected",
                 name.str().c_str(), location.str().c_str());
  SmallString<256> wanted(folder), real, realFolder;
  path::append(wanted, location);
  if (std::error_code code = llvm::sys::fs::real_path(wanted, real))
    return error("external data '%s' of tensor '%s' cannot be opened: %s", location.str().c_str(),
                 name.str().c_str(), code.message().c_str());
  if (std::error_code code = llvm::sys::fs::real_path(folder, realFolder))
    return error("the model's folder cannot be opened: %s", code.message().c_str());
  StringRef rest = real;
  if (!rest.consume_front(realFolder) || !(rest.starts_with("/") || realFolder.ends_with("/")))
    return error("external data '%s' of tensor '%s' is a link that leaves the model's folder",
                 location.str().c_str(), name.str().c_str());
  auto buffer =
      llvm::MemoryBuffer::getFile(real, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return error("external data '%s' of tensor '%s' cannot be opened: %s", location.str().c_str(),
                 name.str().c_str(), buffer.getError().message().c_str());
  file = std::move(*buffer);
  return file;
}

llvm::Expected<AsmResourceBlob> TensorReader::external(const TensorProto &tensor, size_t size,
                                                       size_t alignment, StringRef name) {
  StringRef location;
  uint64_t offset = 0, length = size;
  for (const auto &entry : tensor.external_data()) {
    bool bad = false;
    if (entry.key() == "location")
      location = entry.value();
    else if (entry.key() == "offset")
      bad = StringRef(entry.value()).getAsInteger(10, offset);
    else if (entry.key() == "length")
      bad = StringRef(entry.value()).getAsInteger(10, length);
    if (bad)
      return error("tensor '%s': the %s '%s' of its external data is no number", name.str().c_str(),
                   entry.key().c_str(), entry.value().c_str());
  }
  auto file = map(location, name);
  if (!file)
    return file.takeError();
  StringRef bytes = (*file)->getBuffer();
  if (length != size || offset > bytes.size() || length > bytes.size() - offset)
    return error(
        "tensor '%s' needs %llu bytes; its external data is %llu bytes from offset %llu of "
        "'%s', which has %llu",
        name.str().c_str(), (unsigned long long)size, (unsigned long long)length,
        (unsigned long long)offset, location.str().c_str(), (unsigned long long)bytes.size());
  ArrayRef<char> data(bytes.data() + offset, length);
  size_t actual = blobAlignment;
  while (actual > 1 && reinterpret_cast<uintptr_t>(data.data()) % actual)
    actual /= 2;
  if (actual < alignment)
    return HeapAsmResourceBlob::allocateAndCopyWithAlign(data, blobAlignment);
  return UnmanagedAsmResourceBlob::allocateWithAlign(
      data, actual, [keep = *file](void *, size_t, size_t) mutable { keep.reset(); });
}

llvm::Expected<ElementsAttr> TensorReader::read(TensorProto &tensor, StringRef name) {
  auto type = tensorType(tensor, name);
  if (!type)
    return type.takeError();
  auto wrongSize = [&](size_t has, size_t needs, const char *unit) {
    return error("tensor '%s' needs %llu %s and has %llu", name.str().c_str(),
                 (unsigned long long)needs, unit, (unsigned long long)has);
  };
  if (tensor.data_type() == TensorProto::STRING) {
    SmallVector<StringRef> strings(tensor.string_data().begin(), tensor.string_data().end());
    if (int64_t(strings.size()) != type->getNumElements())
      return wrongSize(strings.size(), type->getNumElements(), "strings");
    return DenseStringElementsAttr::get(*type, strings);
  }
  size_t size = storedBytes(*type);
  size_t width = type->getNumElements() ? std::max<size_t>(1, size / type->getNumElements()) : 1;
  auto blobAttr = [&](AsmResourceBlob blob) -> ElementsAttr {
    auto &manager = DenseResourceElementsHandle::getManagerInterface(context);
    return DenseResourceElementsAttr::get(*type, manager.insert(name, std::move(blob)));
  };
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    auto blob = external(tensor, size, width, name);
    if (!blob)
      return blob.takeError();
    return blobAttr(std::move(*blob));
  }
  SmallVector<char> typed;
  if (!tensor.has_raw_data())
    typedBytes(tensor, width, typed);
  ArrayRef<char> bytes = typed;
  if (tensor.has_raw_data())
    bytes = ArrayRef<char>(tensor.raw_data().data(), tensor.raw_data().size());
  if (bytes.size() != size)
    return wrongSize(bytes.size(), size, "bytes");
  Type element = type->getElementType();
  bool wholeBytes =
      element.isInteger(1) || (element.isIntOrFloat() && element.getIntOrFloatBitWidth() >= 8);
  bool mayInline =
      wholeBytes && type->getNumElements() > 0 && type->getNumElements() <= inlineElements;
  ElementsAttr result =
      mayInline ? inlineTensor(*type, bytes)
                : blobAttr(HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, blobAlignment));
  std::string().swap(*tensor.mutable_raw_data());
  return result;
}
