//===- Registration.cpp - every dialect and pass of the tools -------------===//
#include "dojo/Pipelines/Registration.h"
#include "dojo/Conversion/ArithToD1/Passes.h"
#include "dojo/Conversion/DojoToD1/Passes.h"
#include "dojo/Conversion/LinalgToD1/Passes.h"
#include "dojo/Conversion/LinalgToDojo/Passes.h"
#include "dojo/Conversion/ONNXToLinalg/Passes.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/Dialect/D1/Transforms/Passes.h"
#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "dojo/Dialect/ONNX/IR/ONNX.h"
#include "dojo/Pipelines/D1Backend.h"
#include "dojo/Pipelines/Passes.h"
#include "dojo/Pipelines/Pipelines.h"
#include "dojo/Transforms/Pipeline.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

void dojo::registerDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<d1::D1Dialect, ir::DojoDialect, onnx::ONNXDialect>();
}

void dojo::registerEverything(mlir::DialectRegistry &registry) {
  registerDialects(registry);
  mlir::registerAllPasses();
  registerONNXToLinalgPasses();
  registerStructuredPasses();
  ir::registerLinalgToDojoPasses();
  ir::registerDojoTransformsPasses();
  ir::registerDojoToD1Passes();
  registerLinalgToD1Passes();
  d1::registerArithToD1Passes();
  d1::registerD1Passes();
  registerD1BackendPipeline();
  registerPipelinesPasses();
  registerPipelines();
}
