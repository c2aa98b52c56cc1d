//===- Pipeline.h - the order of the structured passes ----------*- C++ -*-===//
#ifndef DOJO_TRANSFORMS_PIPELINE_H
#define DOJO_TRANSFORMS_PIPELINE_H

#include "dojo/Transforms/Passes.h"
#include "mlir/Pass/PassOptions.h"

namespace dojo {

struct StructuredOptions : mlir::PassPipelineOptions<StructuredOptions> {
  PassOptions::Option<Precision> precision{
      *this, "precision", llvm::cl::desc("Precision of contractions."),
      llvm::cl::init(Precision::BF16),
      llvm::cl::values(clEnumValN(Precision::FP32, "fp32", "f32 throughout"),
                       clEnumValN(Precision::BF16, "bf16", "bf16 operands, f32 accumulation"))};
};

/// From the front end's @main to @init and @step, fused, folded and in the
/// chosen precision. Differentiation, when wanted, comes before.
void buildStructuredPipeline(mlir::OpPassManager &manager, const StructuredOptions &options);

/// Registers the passes, and the pipeline as --dojo-structured.
void registerStructuredPasses();

} // namespace dojo

#endif // DOJO_TRANSFORMS_PIPELINE_H
