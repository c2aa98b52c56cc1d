//===- dojo-opt.cpp - run passes on a module, step by step ----------------===//
#include "dojo/Pipelines/Registration.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  dojo::registerEverything(registry);
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "dojo modular optimizer\n", registry));
}
