//===- Pipelines.h - the order of the passes --------------------*- C++ -*-===//
#ifndef DOJO_PIPELINES_PIPELINES_H
#define DOJO_PIPELINES_PIPELINES_H

#include "dojo/Transforms/Passes.h"
#include <string>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace dojo {

struct PipelineOptions {
  std::string target = "d1-die";
  Precision precision = Precision::BF16;
  std::string mappingFile;
  std::string exportMapping;
};

/// The whole road from the onnx dialect to D1 code on numbered registers.
void buildCompilerPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);

/// Its part from ops that have mappings on.
void buildLoweringPipeline(mlir::OpPassManager &manager);

/// The first phases of that: one program on buffers in order, its loads scheduled; then
/// kernels and moves as routines of exact code bytes. Placement follows.
void buildSpreadingPipeline(mlir::OpPassManager &manager);
void buildRoutinePipeline(mlir::OpPassManager &manager);

/// Registers them as `--dojo-pipeline` and `--dojo-lower`.
void registerPipelines();

} // namespace dojo

#endif // DOJO_PIPELINES_PIPELINES_H
