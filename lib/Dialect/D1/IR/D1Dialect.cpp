//===- D1Dialect.cpp - registration of the d1 dialect ---------------------===//
#include "dojo/Dialect/D1/IR/D1.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dojo::d1;

#include "dojo/Dialect/D1/IR/D1Dialect.cpp.inc"
#include "dojo/Dialect/D1/IR/D1Enums.cpp.inc"
#include "dojo/Dialect/D1/IR/D1Interfaces.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dojo/Dialect/D1/IR/D1Types.cpp.inc"

#define GET_OP_CLASSES
#include "dojo/Dialect/D1/IR/D1Ops.cpp.inc"

void D1Dialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dojo/Dialect/D1/IR/D1Types.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dojo/Dialect/D1/IR/D1Ops.cpp.inc"
      >();
}
