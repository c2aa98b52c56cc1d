//===- Tensors.h - types and tensors of ONNX files --------------*- C++ -*-===//
//
// Turns TypeProto and TensorProto into types and attributes. Tensors of a few
// elements are inline attributes; larger ones are blobs that are never hashed.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_TARGET_ONNX_TENSORS_H
#define DOJO_LIB_TARGET_ONNX_TENSORS_H

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "onnx/onnx-ml.pb.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

namespace dojo::onnx {

template <typename... Args>
llvm::Error error(const char *format, const Args &...args) {
  return llvm::createStringError(std::errc::invalid_argument, format, args...);
}

/// The element type of TensorProto::DataType `type`, or null.
mlir::Type elementType(mlir::MLIRContext *context, int32_t type);

/// The type of a value; `!onnx.any` for what is no tensor, sequence or optional.
mlir::Type valueType(mlir::MLIRContext *context, const ::onnx::TypeProto &type);

class TensorReader {
public:
  /// External data is looked up in `folder` only.
  TensorReader(mlir::MLIRContext *context, llvm::StringRef folder)
      : context(context), folder(folder) {}

  /// Releases the bytes that `tensor` holds. `name` is for errors.
  llvm::Expected<mlir::ElementsAttr> read(::onnx::TensorProto &tensor, llvm::StringRef name);

private:
  llvm::Expected<mlir::RankedTensorType> tensorType(const ::onnx::TensorProto &tensor,
                                                    llvm::StringRef name);
  llvm::Expected<std::shared_ptr<llvm::MemoryBuffer>> map(llvm::StringRef location,
                                                          llvm::StringRef name);
  llvm::Expected<mlir::AsmResourceBlob> external(const ::onnx::TensorProto &tensor, size_t size,
                                                 size_t alignment, llvm::StringRef name);

  mlir::MLIRContext *context;
  std::string folder;
  llvm::StringMap<std::shared_ptr<llvm::MemoryBuffer>> files;
};

} // namespace dojo::onnx

#endif // DOJO_LIB_TARGET_ONNX_TENSORS_H
