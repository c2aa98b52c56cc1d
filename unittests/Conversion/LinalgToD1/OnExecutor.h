//===- OnExecutor.h - a routine through back end and executor ---*- C++ -*-===//
#ifndef DOJO_UNITTESTS_ONEXECUTOR_H
#define DOJO_UNITTESTS_ONEXECUTOR_H

#include "mlir/IR/BuiltinOps.h"
#include <cstdint>
#include <string>

namespace dojo::testing {

/// Compiles the only routine of `module`, runs it on one node whose SRAM holds
/// `memory` and has the buffers at the offsets `arguments`, and puts back what is
/// there afterwards. Returns the first error, or "".
std::string runOnExecutor(mlir::ModuleOp module, llvm::ArrayRef<int64_t> arguments,
                          llvm::MutableArrayRef<uint8_t> memory);

} // namespace dojo::testing

#endif // DOJO_UNITTESTS_ONEXECUTOR_H
