//===- D1Backend.cpp - from scf and arith to allocated d1 code ------------===//
#include "dojo/Pipelines/D1Backend.h"
#include "dojo/Conversion/ArithToD1/Passes.h"
#include "dojo/Dialect/D1/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void dojo::buildD1BackendPipeline(OpPassManager &functions, StringRef machine) {
  functions.addPass(createCanonicalizerPass());
  functions.addPass(d1::createD1FoldOffsets());
  functions.addPass(createCSEPass());
  functions.addPass(createLoopInvariantCodeMotionPass());
  functions.addPass(d1::createConvertScfArithToD1());
  d1::D1ScheduleOptions schedule;
  schedule.machine = machine.str();
  functions.addPass(d1::createD1Schedule(schedule));
  functions.addPass(d1::createD1AllocateRegisters());
}

void dojo::registerD1BackendPipeline() {
  PassPipelineRegistration<>(
      "d1-backend", "routines and entries of scf, arith and d1 to allocated d1 code",
      [](OpPassManager &manager) { buildD1BackendPipeline(manager.nest<func::FuncOp>()); });
}
