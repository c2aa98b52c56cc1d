//===- Report.h - the compiler's figures ------------------------*- C++ -*-===//
#ifndef DOJO_PIPELINES_REPORT_H
#define DOJO_PIPELINES_REPORT_H

#include "dojo/Binary/Program.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

namespace dojo {

/// What --dojo-account and --dojo-place left on the module, beside the bounds and with the
/// ratios that docs/Reports.md lists.
llvm::json::Object reportOf(mlir::ModuleOp module, const binary::Program &program);

/// The picture (Report/Map.h) of the ONNX node `op`, or of the one with most
/// multiply-accumulates where that is empty. The error lists names near an unknown one.
llvm::Expected<std::string> mapOf(mlir::ModuleOp module, const binary::Program &program,
                                  llvm::StringRef op, std::string title);

} // namespace dojo

#endif // DOJO_PIPELINES_REPORT_H
