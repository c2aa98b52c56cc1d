//===- dojo-translate.cpp - between files and modules ---------------------===//
#include "dojo/Target/D1/Emit.h"
#include "mlir/IR/Dialect.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"

int main(int argc, char **argv) {
  dojo::d1::registerD1Translations();
  return failed(mlir::mlirTranslateMain(argc, argv, "dojo translation tool\n"));
}
