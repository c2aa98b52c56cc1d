//===- BoundCode.cpp - the bytes placement keeps for code -----------------===//
#include "dojo/Conversion/DojoToD1/Passes.h"
#include "dojo/Pipelines/Passes.h"
#include "dojo/Target/D1/Emit.h"

namespace dojo {
#define GEN_PASS_DEF_BOUNDCODE
#include "dojo/Pipelines/Passes.h.inc"
} // namespace dojo

using namespace mlir;

namespace {

struct BoundCodePass : dojo::impl::BoundCodeBase<BoundCodePass> {
  void runOnOperation() override {
    auto target = dojo::ir::Target::of(getOperation());
    if (failed(target))
      return signalPassFailure();
    int64_t bytes = 0;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (!function->hasAttr("d1.routine")) {
        bytes += dojo::ir::driverBytesBound(function, *target);
        continue;
      }
      llvm::Expected<uint32_t> exact = dojo::d1::codeBytes(function);
      if (!exact) {
        function.emitError(llvm::toString(exact.takeError()));
        return signalPassFailure();
      }
      bytes += *exact;
    }
    Builder builder(&getContext());
    getOperation()->setAttr(dojo::ir::codeBytesAttrName, builder.getI64IntegerAttr(bytes));
  }
};

} // namespace
