//===- Emit.h - from allocated d1 code to words -----------------*- C++ -*-===//
//
// Flattens the loops and branches of routines and entries and lays them out one
// after the other, in the order of the module, from address 0.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_TARGET_D1_EMIT_H
#define DOJO_TARGET_D1_EMIT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>
#include <vector>

namespace dojo::d1 {

/// Bytes [begin, end) of the code.
struct CodeRange {
  uint32_t begin;
  uint32_t end;
};

struct CodeImage {
  std::vector<uint32_t> words;
  /// Where a node starts, by the name of the entry.
  std::map<std::string, uint32_t> entries;
  std::map<std::string, CodeRange> routines;
  /// The address of every d1.mark.
  std::map<int64_t, uint32_t> marks;
  /// Ascending ranges and the name their operations carry as location; code
  /// without a name is in none.
  std::vector<std::pair<CodeRange, std::string>> lines;
};

/// Every register must have its number. The error names the operation.
llvm::Expected<CodeImage> emitCode(mlir::ModuleOp module);

/// The bytes of one routine or entry, also before its callees are known.
llvm::Expected<uint32_t> codeBytes(mlir::func::FuncOp function);

/// Registers `dojo-translate --d1-to-assembly`.
void registerD1Translations();

} // namespace dojo::d1

#endif // DOJO_TARGET_D1_EMIT_H
