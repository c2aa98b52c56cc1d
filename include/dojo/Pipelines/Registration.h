//===- Registration.h - every dialect and pass of the tools -----*- C++ -*-===//
#ifndef DOJO_PIPELINES_REGISTRATION_H
#define DOJO_PIPELINES_REGISTRATION_H

namespace mlir {
class DialectRegistry;
}

namespace dojo {

/// Adds dojo's dialects and MLIR's, which share modules, to `registry`.
void registerDialects(mlir::DialectRegistry &registry);

/// Adds dojo's dialects and MLIR's to `registry`, and registers dojo's passes
/// and MLIR's, so that people can mix them.
void registerEverything(mlir::DialectRegistry &registry);

} // namespace dojo

#endif // DOJO_PIPELINES_REGISTRATION_H
