//===- FunctionProblem.h - a function's registers as a problem --*- C++ -*-===//
#ifndef DOJO_DIALECT_D1_TRANSFORMS_FUNCTIONPROBLEM_H
#define DOJO_DIALECT_D1_TRANSFORMS_FUNCTIONPROBLEM_H

#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/Scheduling/RegisterAllocation.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dojo::d1 {

/// A function as an allocation problem; x0 takes no part in it. Files are
/// numbered as isa::Kind numbers registers.
class FunctionProblem {
public:
  explicit FunctionProblem(mlir::func::FuncOp function);

  regalloc::Problem problem;
  std::vector<mlir::Value> values;
  std::vector<mlir::Operation *> stepOps;

private:
  llvm::DenseMap<mlir::Value, regalloc::ValueId> ids;

  regalloc::ValueId number(mlir::Value value);
  template <typename Uses, typename Defs>
  void addStep(regalloc::StepKind kind, mlir::Operation *op, Uses uses, Defs defs);
  void addBlock(mlir::Block &block);
  void add(mlir::Operation *op);
  void addInstruction(InstructionOpInterface op);
  void addRepeat(RepeatOp op);
  void addIf(IfOp op);
};

} // namespace dojo::d1

#endif // DOJO_DIALECT_D1_TRANSFORMS_FUNCTIONPROBLEM_H
