//===- MappingFile.h - mappings as a text that people edit ------*- C++ -*-===//
//
// One line for each structured op, in the order of the module:
//     step "conv1" = #dojo.mapping<y = [d2 : 14], x = [d3 : 16], inner = d1>
// The function, the name of the ONNX node in quotes, `#1`, `#2`, ... behind the
// quotes where an op is not the first of its node, the mapping, and `, storage =
// "dram"` where the op stores its results in DRAM. Lines that are empty or start with //
// mean nothing. --dojo-export-mapping writes such files.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_LINALGTODOJO_MAPPINGFILE_H
#define DOJO_LIB_CONVERSION_LINALGTODOJO_MAPPINGFILE_H

#include "dojo/Layout/Layout.h"
#include "mlir/IR/BuiltinOps.h"

namespace dojo::ir {

/// Sets the mappings and storages of the lines on their ops. An error names the line, and the op
/// that is not there, the line that the op has already, the text that is no mapping, or
/// the rule that the mapping breaks.
mlir::LogicalResult readMappings(mlir::ModuleOp module, const Coords &grid, llvm::StringRef path);

} // namespace dojo::ir

#endif // DOJO_LIB_CONVERSION_LINALGTODOJO_MAPPINGFILE_H
