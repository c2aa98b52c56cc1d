//===- Registration.cpp - every dialect and pass of the tools -------------===//
#include "dojo/Pipelines/Registration.h"
#include "dojo/Conversion/ArithToD1/Passes.h"
#include "dojo/Dialect/D1/Transforms/Passes.h"
#include "dojo/Pipelines/D1Backend.h"
#include "dojo/Conversion/LinalgToD1/Passes.h"
#include "dojo/Conversion/LinalgToDojo/Passes.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "dojo/Transforms/Pipeline.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

void dojo::registerEverything(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  d1::registerArithToD1Passes();
  d1::registerD1Passes();
  registerD1BackendPipeline();
  registry.insert<d1::D1Dialect, ir::DojoDialect>();
  registerStructuredPasses();
  ir::registerLinalgToDojoPasses();
  ir::registerDojoTransformsPasses();
  registerLinalgToD1Passes();
}
