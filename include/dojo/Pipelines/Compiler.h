//===- Compiler.h - from an ONNX file to a program --------------*- C++ -*-===//
#ifndef DOJO_PIPELINES_COMPILER_H
#define DOJO_PIPELINES_COMPILER_H

#include "dojo/Binary/Program.h"
#include "llvm/Support/JSON.h"
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace dojo {

struct CompileOptions {
  std::string target = "d1-die";  ///< a preset or a machine file
  std::string precision = "bf16"; ///< or fp32
  /// Shapes of graph inputs, or sizes of dimension parameters, by name.
  std::vector<std::pair<std::string, std::vector<int64_t>>> shapes;
  /// The pass after which the module is printed to standard error; none when empty.
  std::string dumpAfter;
  std::string mappingFile;   ///< mappings to obey (docs/Mapping.md); none when empty
  std::string exportMapping; ///< where to write the mappings of all ops; nowhere when empty
  bool draw = false;         ///< whether to draw the map of the program
  std::string mapOp;         ///< the ONNX node whose pieces it shows; that of most work when empty
  /// Hears each warning and remark, as in "remark: node 'x': f64 is computed as f32".
  std::function<void(llvm::StringRef)> listener;
};

struct CompileResult {
  binary::Program program;
  llvm::json::Object report; ///< the compiler's, as docs/Reports.md lists it
  std::string map;           ///< SVG, if asked for
};

/// Compiles the model in the file `path`. The error names the ONNX node where one is
/// to blame, the cause, and what would help.
llvm::Expected<CompileResult> compileOnnx(llvm::StringRef path, const CompileOptions &options);

} // namespace dojo

#endif // DOJO_PIPELINES_COMPILER_H
