//===- OutlineKernels.cpp - each distinct computation becomes a function --===//
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace dojo::ir {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "dojo/Dialect/Dojo/Transforms/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

/// The text of a body is its identity: locations are not part of it.
static std::string textOf(Region &body) {
  std::string text;
  llvm::raw_string_ostream os(text);
  OpPrintingFlags flags;
  flags.skipRegions(false).enableDebugInfo(false).useLocalScope();
  for (BlockArgument argument : body.getArguments())
    os << argument.getType() << ' ';
  for (Operation &op : body.front())
    op.print(os, flags);
  return text;
}

/// Kernels are called after the last structured op they run.
static StringRef stemOf(ComputeOp op) {
  StringRef stem = "kernel";
  for (Operation &inner : op.getBody().front())
    if (isa<linalg::LinalgOp>(inner))
      stem = inner.getName().stripDialect();
  return stem;
}

namespace {

struct OutlineKernelsPass : ir::impl::OutlineKernelsBase<OutlineKernelsPass> {
  void runOnOperation() override {
    SmallVector<ComputeOp> computes;
    getOperation().walk([&](ComputeOp op) { computes.push_back(op); });
    for (ComputeOp op : computes)
      outline(op);
  }

private:
  void outline(ComputeOp op) {
    FlatSymbolRefAttr &kernel = kernels[textOf(op.getBody())];
    if (!kernel)
      kernel = FlatSymbolRefAttr::get(makeFunction(op).getSymNameAttr());
    OpBuilder builder(op);
    LaunchOp::create(builder, op.getLoc(), kernel, op.getIns(), op.getOuts(), op.getFactsAttr());
    op.erase();
  }

  func::FuncOp makeFunction(ComputeOp op) {
    StringRef stem = stemOf(op);
    std::string name = (stem + "_" + Twine(counts[stem]++)).str();
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    auto type = builder.getFunctionType(op.getBody().getArgumentTypes(), {});
    auto function = func::FuncOp::create(builder, op.getLoc(), name, type);
    function.setPrivate();
    function->setAttr(kernelAttrName, builder.getUnitAttr());
    function.getBody().takeBody(op.getBody());
    Operation *yield = function.getBody().front().getTerminator();
    builder.setInsertionPoint(yield);
    func::ReturnOp::create(builder, op.getLoc());
    yield->erase();
    // takeBody emptied the compute; it is erased by the caller.
    return function;
  }

  llvm::StringMap<FlatSymbolRefAttr> kernels;
  llvm::StringMap<unsigned> counts;
};

} // namespace
