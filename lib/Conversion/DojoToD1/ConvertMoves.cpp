//===- ConvertMoves.cpp - make the routines of every move -----------------===//
#include "dojo/Conversion/DojoToD1/MoveRoutines.h"
#include "dojo/Conversion/DojoToD1/Passes.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Dialect/Dojo/Transforms/Liveness.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace dojo::ir {
#define GEN_PASS_DEF_CONVERTMOVESTOD1
#include "dojo/Conversion/DojoToD1/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

namespace {

struct ConvertMovesPass : ir::impl::ConvertMovesToD1Base<ConvertMovesPass> {
  void runOnOperation() override {
    auto target = Target::of(getOperation());
    if (failed(target))
      return signalPassFailure();
    WalkResult result = getOperation().walk([&](MoveOp move) {
      return failed(convert(move, target->grid)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
  }

private:
  LogicalResult convert(MoveOp op, const Coords &grid) {
    Move move = op.getMove();
    for (auto [layout, type] :
         {std::pair(move.src, op.getSourceTensor()), std::pair(move.dst, op.getDestTensor())})
      if (llvm::Error error = isDram(type) ? llvm::Error::success() : layout.check(grid))
        return op.emitOpError(llvm::toString(std::move(error)));
    std::string key;
    llvm::raw_string_ostream os(key);
    os << op.getSourceTensor() << op.getDestTensor() << op.getMapAttr();
    StringAttr &name = routines[key];
    if (!name) {
      name = StringAttr::get(&getContext(), "move_" + Twine(routines.size() - 1));
      build(op, name.getValue(), move, grid);
    }
    op.setRoutineAttr(name);
    return success();
  }

  void build(MoveOp op, StringRef name, const Move &move, const Coords &grid) {
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    auto make = [&](StringRef suffix, MovePart part) {
      buildMoveRoutine(builder, op.getLoc(), (name + suffix).str(), part, move, grid).setPrivate();
    };
    if (op.readsDram())
      return make("_pull", MovePart::pull);
    if (op.writesDram())
      return make("_store", MovePart::store);
    make("_send", MovePart::send);
    make("_receive", MovePart::receive);
  }

  llvm::StringMap<StringAttr> routines;
};

} // namespace
