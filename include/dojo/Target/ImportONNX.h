//===- ImportONNX.h - ONNX files as modules of the onnx dialect -*- C++ -*-===//
//
// Reads an ONNX file into one `func.func @main` of onnx.node operations. Any
// operator imports; what the file says about types is kept as it is said. The
// file is untrusted: whatever it holds, the answer is a module or one error.
//
// Weights become dense_resource blobs. External data is mapped, never copied
// when its alignment allows, and only from files inside the model's folder.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_TARGET_IMPORTONNX_H
#define DOJO_TARGET_IMPORTONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>
#include <vector>

namespace dojo {

/// Sizes by the name of a graph input (its whole shape), of an element of one that is
/// a sequence or an optional (NAME[0], NAME[1], ...; NAME alone is such a list without
/// elements) or of a dimension parameter (one size).
using ShapeBindings = std::map<std::string, std::vector<int64_t>>;

struct ImportOptions {
  ShapeBindings shapes;
};

/// Reads `NAME=DIMS`, DIMS being positive sizes separated by `x` or `,`, into
/// `shapes`. `NAME=` alone is the shape of a scalar.
llvm::Error parseShapeBinding(llvm::StringRef text, ShapeBindings &shapes);

/// The blobs of the module keep the mapped files alive.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importOnnx(llvm::StringRef path, mlir::MLIRContext *context, const ImportOptions &options = {});

} // namespace dojo

#endif // DOJO_TARGET_IMPORTONNX_H
