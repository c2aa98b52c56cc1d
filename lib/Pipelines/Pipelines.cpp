//===- Pipelines.cpp - the order of the passes ----------------------------===//
#include "dojo/Pipelines/Pipelines.h"
#include "dojo/Conversion/DojoToD1/Passes.h"
#include "dojo/Conversion/LinalgToD1/Passes.h"
#include "dojo/Conversion/LinalgToDojo/Passes.h"
#include "dojo/Conversion/ONNXToLinalg/Passes.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "dojo/Pipelines/Passes.h"
#include "dojo/Transforms/Pipeline.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace dojo;

void dojo::buildSpreadingPipeline(OpPassManager &manager) {
  manager.addPass(ir::createPartition());
  manager.addPass(ir::createExpandCollectives());
  manager.addPass(ir::createBufferize());
  manager.addPass(ir::createLocaliseMoves());
  manager.addPass(ir::createOutlineKernels());
  manager.addPass(ir::createSchedule());
}

void dojo::buildRoutinePipeline(OpPassManager &manager) {
  manager.addPass(createConvertKernelsToD1());
  manager.addPass(ir::createConvertMovesToD1());
  manager.addPass(createGenerateCode());
  manager.addPass(createBoundCode());
}

/// What follows once everything is known to fit.
static void buildFittedPipeline(OpPassManager &manager) {
  buildSpreadingPipeline(manager);
  buildRoutinePipeline(manager);
  manager.addPass(ir::createPlace());
  manager.addPass(ir::createAccount());
  manager.addPass(ir::createSynchronise());
  manager.addPass(ir::createConvertProgramToD1());
  manager.addPass(createGenerateCode());
}

void dojo::buildLoweringPipeline(OpPassManager &manager) {
  manager.addPass(createFit());
  buildFittedPipeline(manager);
}

void dojo::buildCompilerPipeline(OpPassManager &manager, const PipelineOptions &options) {
  ir::SetTargetOptions machine;
  machine.machineName = options.target;
  manager.addPass(ir::createSetTarget(machine));
  manager.addPass(createLowerONNX());
  StructuredOptions structured;
  structured.precision = options.precision;
  buildStructuredPipeline(manager, structured);
  ir::SelectMappingOptions mapping;
  mapping.mappingFile = options.mappingFile;
  manager.addPass(ir::createSelectMapping(mapping));
  manager.addPass(createFit());
  if (!options.exportMapping.empty())
    manager.addPass(ir::createExportMapping({options.exportMapping}));
  buildFittedPipeline(manager);
}

namespace {

struct CompilerOptions : PassPipelineOptions<CompilerOptions> {
  Option<std::string> target{*this, "target", llvm::cl::desc("a preset or a machine file"),
                             llvm::cl::init("d1-die")};
  Option<Precision> precision{
      *this, "precision", llvm::cl::desc("precision of contractions"),
      llvm::cl::init(Precision::BF16),
      llvm::cl::values(clEnumValN(Precision::FP32, "fp32", "f32 throughout"),
                       clEnumValN(Precision::BF16, "bf16", "bf16 operands, f32 accumulation"))};
};

} // namespace

void dojo::registerPipelines() {
  PassPipelineRegistration<>("dojo-lower", "from ops with mappings to D1 code",
                             buildLoweringPipeline);
  PassPipelineRegistration<CompilerOptions>(
      "dojo-pipeline", "from the onnx dialect to D1 code",
      [](OpPassManager &manager, const CompilerOptions &options) {
        buildCompilerPipeline(manager, {options.target, options.precision, "", ""});
      });
}
