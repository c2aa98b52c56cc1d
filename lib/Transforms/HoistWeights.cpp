//===- HoistWeights.cpp - --dojo-hoist-weights ----------------------------===//
#include "dojo/Transforms/Passes.h"
#include "dojo/Transforms/Weights.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Transforms/CSE.h"
#include "llvm/ADT/StringExtras.h"

namespace dojo {
#define GEN_PASS_DEF_HOISTWEIGHTS
#include "dojo/Transforms/Passes.h.inc"
} // namespace dojo

using namespace mlir;
using namespace dojo;

namespace {

/// The ONNX name behind a location, in the characters of a symbol.
std::string nameOf(Location loc) {
  std::string name;
  if (auto named = loc->findInstanceOf<NameLoc>())
    for (char c : named.getName().strref())
      name += llvm::isAlnum(c) ? c : '_';
  return name.empty() ? "weight" : name;
}

/// The parts of `step` that follow from weights alone.
class Split {
public:
  explicit Split(func::FuncOp step) : step(step) {
    Origins origins;
    for (Operation &op : step.front().without_terminator())
      if (op.getNumResults() == 1 && !isBroadcast(&op) && !isa<LoopLikeOpInterface>(op) &&
          origins.of(op.getResult(0)) == Origin::Weight)
        if (llvm::all_of(op.getOperands(), [&](Value v) {
              return hoisted.contains(v.getDefiningOp()) || origins.of(v) == Origin::Fixed;
            }))
          hoisted.insert(&op);
  }

  bool empty() const { return hoisted.empty(); }

  /// Moves the weights' work before `init`'s end and leaves loads in @step.
  void moveTo(func::FuncOp init, SymbolTable &symbols) {
    OpBuilder body = OpBuilder::atBlockEnd(&init.front());
    OpBuilder loads(&step.front().front());
    IRMapping mapping;
    for (Operation *op : hoisted) {
      copyFixedOperands(op, body, mapping);
      Value moved = body.clone(*op, mapping)->getResult(0);
      if (llvm::any_of(op->getUsers(), [&](Operation *user) { return !hoisted.contains(user); }))
        share(op, moved, body, loads, symbols);
    }
    for (Operation *op : llvm::reverse(hoisted.getArrayRef()))
      op->erase();
    func::ReturnOp::create(body, init.getLoc());
  }

private:
  /// Splats, fills and empty tensors are needed on both sides.
  static void copyFixedOperands(Operation *op, OpBuilder &body, IRMapping &mapping) {
    SetVector<Value> read(op->operand_begin(), op->operand_end());
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (operand.getParentRegion() == op->getParentRegion())
          read.insert(operand);
    });
    for (Value value : read)
      if (!mapping.contains(value)) {
        copyFixedOperands(value.getDefiningOp(), body, mapping);
        body.clone(*value.getDefiningOp(), mapping);
      }
  }

  void share(Operation *op, Value moved, OpBuilder &body, OpBuilder &loads, SymbolTable &symbols) {
    Value value = op->getResult(0);
    OpBuilder globals(op->getContext());
    auto global = ml_program::GlobalOp::create(globals, op->getLoc(), nameOf(op->getLoc()),
                                               value.getType(), /*is_mutable=*/true, Attribute(),
                                               loads.getStringAttr("private"));
    StringAttr name = symbols.insert(global, Block::iterator(step));
    auto symbol = SymbolRefAttr::get(name);
    ml_program::GlobalStoreOp::create(body, op->getLoc(), symbol, moved);
    Value loaded = ml_program::GlobalLoadOp::create(loads, op->getLoc(), value.getType(), symbol);
    value.replaceUsesWithIf(loaded,
                            [&](OpOperand &use) { return !hoisted.contains(use.getOwner()); });
  }

  func::FuncOp step;
  SetVector<Operation *> hoisted;
};

struct HoistWeights : dojo::impl::HoistWeightsBase<HoistWeights> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    auto step = symbols.lookup<func::FuncOp>("main");
    if (!step || !step.getBody().hasOneBlock()) {
      module.emitError("expected a function @main of one block to split into @init and @step");
      return signalPassFailure();
    }
    for (StringRef taken : {"init", "step"})
      if (symbols.lookup(taken)) {
        module.emitError("cannot split @main: the symbol @") << taken << " is already in use";
        return signalPassFailure();
      }
    shareEqualValues(step);
    if (failed(symbols.rename(step, "step")))
      return signalPassFailure();
    if (Split split(step); !split.empty())
      split.moveTo(makeInit(step, symbols), symbols);
  }

  static func::FuncOp makeInit(func::FuncOp step, SymbolTable &symbols) {
    OpBuilder builder(step);
    auto init = func::FuncOp::create(step.getLoc(), "init", builder.getFunctionType({}, {}));
    symbols.insert(init, Block::iterator(step));
    init.addEntryBlock();
    return init;
  }

  static void shareEqualValues(func::FuncOp function) {
    IRRewriter rewriter(function.getContext());
    DominanceInfo dominance(function);
    eliminateCommonSubExpressions(rewriter, dominance, function);
  }
};

} // namespace
