//===- Pipeline.cpp - the order of the structured passes ------------------===//
#include "dojo/Transforms/Pipeline.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace dojo;

void dojo::buildStructuredPipeline(mlir::OpPassManager &manager, const StructuredOptions &options) {
  auto perFunction = [&](std::unique_ptr<mlir::Pass> pass) {
    manager.addNestedPass<mlir::func::FuncOp>(std::move(pass));
  };
  perFunction(createExpandIntegers());
  perFunction(createFoldEmpty());
  manager.addPass(mlir::createCanonicalizerPass());
  manager.addPass(mlir::createCSEPass());
  // Work on weights alone in a loop becomes work in front of it.
  manager.addPass(mlir::createLoopInvariantCodeMotionPass());
  perFunction(createFuseElementwise());
  perFunction(createFoldScale());
  // Folding leaves short chains on weights.
  perFunction(createFuseElementwise());
  PrecisionOptions precision;
  precision.mode = options.precision;
  perFunction(createPrecision(precision));
  manager.addPass(createHoistWeights());
  manager.addPass(mlir::createCanonicalizerPass());
  perFunction(createExpandMath());
  manager.addPass(mlir::createCSEPass());
}

void dojo::registerStructuredPasses() {
  registerTransformsPasses();
  mlir::PassPipelineRegistration<StructuredOptions>(
      "dojo-structured", "From @main to @init and @step: fused, folded, in the chosen precision",
      buildStructuredPipeline);
}
