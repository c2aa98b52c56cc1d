//===- Selector.h - instruction selection, one function at a time -*- C++ -*-===//
//
// Builds the d1 body of a function beside its scf and arith body, operation by
// operation, so that a use can look at what defines it: an immediate, a compare
// that a branch swallows. Selector.cpp holds values and constants,
// ScalarSelection.cpp arithmetic, ControlSelection.cpp loops, branches, calls.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_ARITHTOD1_SELECTOR_H
#define DOJO_CONVERSION_ARITHTOD1_SELECTOR_H

#include "ScalarRange.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseSet.h"
#include <map>

namespace dojo::d1 {

/// The number of an integer constant.
std::optional<int64_t> constantOf(mlir::Value value);

class Selector {
public:
  explicit Selector(mlir::func::FuncOp function)
      : function(function), builder(function.getContext()), loc(function.getLoc()) {}

  mlir::LogicalResult run();

private:
  /// A compare that a branch takes whole: `lhs` condition `rhs`.
  struct Test {
    Condition condition;
    mlir::Value lhs, rhs;
  };

  /// A d1.repeat under construction, and whether its body calls.
  struct OpenLoop {
    RepeatOp op;
    bool calls;
    std::map<int64_t, mlir::Value> constants;
  };

  mlir::func::FuncOp function;
  mlir::OpBuilder builder;
  mlir::Location loc;
  ScalarRanges ranges;
  llvm::DenseMap<mlir::Value, mlir::Value> selected;
  llvm::SmallVector<OpenLoop> loops;
  llvm::DenseSet<mlir::Operation *> callers;
  mlir::Value zeroReg;

  // Selector.cpp
  void findCallers();
  mlir::Type convert(mlir::Type type);
  mlir::LogicalResult selectBlock(mlir::Block &block);
  mlir::LogicalResult select(mlir::Operation *op);
  mlir::LogicalResult selectInstruction(InstructionOpInterface op);
  mlir::Value use(mlir::Value value);
  mlir::SmallVector<mlir::Value> use(mlir::ValueRange values);
  mlir::Value zero() { return zeroReg; }
  /// `number` in a register, computed outside of the loops that call nothing.
  mlir::Value constant(int64_t number);
  /// `number` in a register of its own, computed here.
  mlir::Value ownConstant(int64_t number);
  mlir::Value own(mlir::Value value);
  mlir::SmallVector<mlir::Value> own(mlir::ValueRange values);

  /// Makes an instruction with scalars in registers.
  template <typename Inst, typename... Args>
  mlir::Value emit(Args... args) {
    auto op = Inst::create(builder, loc, args...);
    op->getResult(0).setType(ScalarRegType::get(builder.getContext()));
    return op->getResult(0);
  }

  // ScalarSelection.cpp
  /// The value of a scalar arith operation; null if it is none that d1 has.
  mlir::Value selectScalar(mlir::Operation *op);
  template <typename Inst, typename Imm>
  mlir::Value withImmediate(mlir::Value lhs, mlir::Value rhs);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value addNumber(mlir::Value lhs, int64_t number);
  mlir::Value subtract(mlir::Value lhs, mlir::Value rhs);
  mlir::Value multiply(mlir::Value lhs, mlir::Value rhs);
  mlir::Value multiplyNumber(mlir::Value lhs, int64_t number);
  mlir::Value logicalNot(mlir::Value bit);
  mlir::Value divide(mlir::Value lhs, mlir::Value rhs);
  mlir::Value remainder(mlir::Value lhs, mlir::Value rhs);
  mlir::Value floorDivide(mlir::Value lhs, mlir::Value rhs);
  mlir::Value ceilDivide(mlir::Value lhs, mlir::Value rhs);
  mlir::Value exclusiveOr(mlir::arith::XOrIOp op);
  mlir::Value compare(mlir::arith::CmpIOp op);
  mlir::Value lessThan(mlir::Value lhs, mlir::Value rhs);
  mlir::Value choose(mlir::arith::SelectOp op);
  mlir::Value chooseVector(mlir::Value bit, mlir::Value yes, mlir::Value no);

  // ControlSelection.cpp
  Test testOf(mlir::Value bit);
  mlir::LogicalResult selectFor(mlir::scf::ForOp op);
  mlir::Value tripCount(mlir::scf::ForOp op);
  RepeatOp emitRepeat(mlir::scf::ForOp op, mlir::ValueRange carriedInits,
                      mlir::LogicalResult &result);
  mlir::LogicalResult selectIf(mlir::scf::IfOp op);
  mlir::LogicalResult selectCall(CallOp op);
};

} // namespace dojo::d1

#endif // DOJO_CONVERSION_ARITHTOD1_SELECTOR_H
