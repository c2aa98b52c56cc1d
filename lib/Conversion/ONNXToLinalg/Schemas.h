//===- Schemas.h - what ONNX says of each operator --------------*- C++ -*-===//
//
// The operands, results, attributes and types of every version of every
// operator, as the onnx package defines them (scripts/onnx-schemas.py). Nodes
// are held to it before their handlers see them; operators of other domains are
// not in it and are checked by their handlers alone.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_SCHEMAS_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_SCHEMAS_H

#include "dojo/Dialect/ONNX/IR/ONNX.h"
#include "llvm/ADT/StringMap.h"

namespace dojo::onnx {

/// An operator as of one opset; the texts are those of Schemas.inc.
struct Schema {
  llvm::StringRef domain, op;
  int64_t since;
  bool removed;
  llvm::StringRef operands, results, attributes, parameters;
};

/// The newest opset of the domain that the table knows; nothing for domains that it does not have.
std::optional<int64_t> newestOpset(llvm::StringRef domain);

/// What is wrong with a node, whatever the types of its operands are: its operator, the
/// numbers of operands and results, the attributes. Empty if nothing is. An operator that
/// ONNX does not have may be `handled` all the same: exporters write some into its domain.
std::string problemOf(NodeOp node, bool handled);

/// The types of one node: bound by its operands, asked for its results.
class Signature {
public:
  /// Of an operator that no schema describes, nothing is known and all fits.
  explicit Signature(NodeOp node);

  /// Takes the declared types of the operands, null for absent ones; the answer is what is
  /// wrong with them.
  std::string bind(llvm::ArrayRef<mlir::Type> operands);

  /// The declared type of a result that follows from those of the operands, or null.
  mlir::Type result(unsigned index) const;

private:
  llvm::StringRef allowed(llvm::StringRef type) const;

  const Schema *schema;
  mlir::MLIRContext *context;
  llvm::StringMap<mlir::Type> bound;
};

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_SCHEMAS_H
