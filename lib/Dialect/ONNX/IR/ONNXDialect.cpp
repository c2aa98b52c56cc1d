//===- ONNXDialect.cpp - registration and verifiers of the onnx dialect ---===//
#include "dojo/Dialect/ONNX/IR/ONNX.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dojo::onnx;

#include "dojo/Dialect/ONNX/IR/ONNXDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dojo/Dialect/ONNX/IR/ONNXTypes.cpp.inc"

#define GET_OP_CLASSES
#include "dojo/Dialect/ONNX/IR/ONNXOps.cpp.inc"

void ONNXDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dojo/Dialect/ONNX/IR/ONNXTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dojo/Dialect/ONNX/IR/ONNXOps.cpp.inc"
      >();
}

llvm::StringRef dojo::onnx::nodeName(Location loc) {
  if (auto name = loc->findInstanceOf<NameLoc>())
    return name.getName().getValue();
  return "";
}

LogicalResult NodeOp::verify() {
  size_t names = getBodies() ? getBodies()->size() : 0;
  if (names != getGraphs().size())
    return emitOpError() << "names " << names << " bodies and has " << getGraphs().size();
  for (Region &graph : getGraphs())
    if (!graph.hasOneBlock() || !isa<YieldOp>(graph.front().back()))
      return emitOpError("needs bodies of one block that ends in 'onnx.yield'");
  return success();
}
