//===- FlatCode.h - one function without its structure ----------*- C++ -*-===//
#ifndef DOJO_TARGET_D1_FLATCODE_H
#define DOJO_TARGET_D1_FLATCODE_H

#include "dojo/Dialect/D1/IR/D1.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"

namespace dojo::d1 {

/// A word whose distance waits for the address of a routine.
struct PendingCall {
  uint32_t word;
  CallOp op;
};

/// The words of a function and, by index, the operation of each.
struct FlatCode {
  std::vector<uint32_t> words;
  std::vector<mlir::Location> locations;
  std::vector<PendingCall> calls;
  std::vector<std::pair<int64_t, uint32_t>> marks;
};

llvm::Expected<FlatCode> flatten(mlir::func::FuncOp function);

/// An error that says where: "name of the location: text".
llvm::Error errorAt(mlir::Operation *op, const llvm::Twine &text);

/// The first name inside a location, or nothing.
llvm::StringRef nameOf(mlir::Location location);

} // namespace dojo::d1

#endif // DOJO_TARGET_D1_FLATCODE_H
