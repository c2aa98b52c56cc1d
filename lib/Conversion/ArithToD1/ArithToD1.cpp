//===- ArithToD1.cpp - select instructions for scf and arith --------------===//
#include "Selector.h"
#include "dojo/Conversion/ArithToD1/Passes.h"

namespace dojo::d1 {
#define GEN_PASS_DEF_CONVERTSCFARITHTOD1
#include "dojo/Conversion/ArithToD1/Passes.h.inc"

namespace {

struct ConvertScfArithToD1 : impl::ConvertScfArithToD1Base<ConvertScfArithToD1> {
  void runOnOperation() override {
    mlir::func::FuncOp function = getOperation();
    if (!holdsCode(function))
      return;
    if (failed(Selector(function).run()))
      signalPassFailure();
  }
};

} // namespace
} // namespace dojo::d1
