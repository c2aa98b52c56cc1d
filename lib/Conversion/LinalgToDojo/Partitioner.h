//===- Partitioner.h - one function, spread over the grid -------*- C++ -*-===//
//
// Rewrites a function of the structured level into moves and computation of the dojo
// dialect, op by op. PartitionOps.cpp holds what becomes of structured ops,
// PartitionLoops.cpp of loops, Partition.cpp everything else.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_LINALGTODOJO_PARTITIONER_H
#define DOJO_LIB_CONVERSION_LINALGTODOJO_PARTITIONER_H

#include "Spreader.h"
#include "dojo/Conversion/LinalgToDojo/OperandLayouts.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"

namespace dojo::ir {

/// Symbols of the module that its functions share.
struct ModuleState {
  ModuleState(mlir::ModuleOp module, const Target &target)
      : module(module), grid(target.grid), smallBytes(target.machine.sramBytes / 256) {}

  mlir::ModuleOp module;
  Coords grid;
  int64_t smallBytes; ///< what a node may hold of a weight that others hold too
  llvm::StringMap<mlir::RankedTensorType> globals; ///< spread types of those in SRAM, by name
  llvm::StringMap<Request> wanted;                 ///< how all readers of a global want it
  llvm::StringMap<DramOp> stored;                  ///< of those in DRAM
  llvm::DenseMap<mlir::Attribute, DramOp> constants;

  /// Notes what all readers of a global ask for alike, where each element is asked for
  /// once or a node's part is small: there it can rest.
  mlir::LogicalResult findWanted(mlir::func::FuncOp function);
  DramOp addDram(mlir::Location loc, llvm::StringRef prefix, llvm::StringRef role,
                 mlir::StringAttr title, mlir::ElementsAttr value, mlir::RankedTensorType type);
  /// Outputs stand in the order in which they are returned.
  void makeOutput(DramOp dram, llvm::StringRef role, mlir::StringAttr title);

private:
  mlir::Operation *lastDram();
  llvm::StringMap<unsigned> counts;
};

/// Rewrites one function from the structured level to the dojo dialect.
class FunctionPartitioner {
public:
  FunctionPartitioner(mlir::func::FuncOp function, ModuleState &state)
      : source(function), state(state), builder(function.getContext()),
        spreader(builder, state.grid) {}

  mlir::LogicalResult run();

private:
  mlir::LogicalResult convert(mlir::Operation &op);
  mlir::LogicalResult convertConstant(mlir::arith::ConstantOp op);
  mlir::LogicalResult convertStructured(mlir::linalg::LinalgOp op);
  mlir::FailureOr<mlir::SmallVector<bool>> readCounts();
  void linkCounts(mlir::ArrayRef<DramOp> stored);
  mlir::LogicalResult convertReturn(mlir::func::ReturnOp op);
  mlir::LogicalResult convertLoop(mlir::scf::ForOp loop);
  mlir::LogicalResult convertInsertion(mlir::tensor::InsertSliceOp op);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> placesOf(mlir::scf::ForOp loop);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> yieldInto(mlir::scf::ForOp loop,
                                                            mlir::ValueRange places);
  mlir::LogicalResult convertStore(mlir::ml_program::GlobalStoreOp op);
  mlir::LogicalResult convertLoad(mlir::ml_program::GlobalLoadOp op);
  void moveToDram(mlir::Value value, mlir::Value held, DramOp dram);
  mlir::LogicalResult prepareInputs(const MappedOp &mapped,
                                    llvm::SmallVectorImpl<mlir::Value> &fixed);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>>
  inputsOf(const MappedOp &mapped, mlir::Value symbol, llvm::ArrayRef<mlir::Value> fixed);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> initsOf(const MappedOp &mapped,
                                                          mlir::Value symbol);
  ComputeOp emitCompute(const MappedOp &mapped, mlir::ValueRange ins, mlir::ValueRange outs,
                        bool fillInside);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> emitAtOnce(const MappedOp &mapped);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> emitSteps(const MappedOp &mapped);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> emitStep(const MappedOp &mapped, mlir::Value step,
                                                           llvm::ArrayRef<mlir::Value> fixed,
                                                           mlir::ValueRange carried);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> placesFor(const MappedOp &mapped);
  mlir::Value addPanel(const MappedOp &mapped, mlir::OpOperand &init, mlir::Value panel,
                       mlir::Value whole, mlir::Value step);
  mlir::FailureOr<mlir::Value> combine(const MappedOp &mapped, unsigned init, mlir::Value partial);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> combineAll(const MappedOp &mapped,
                                                             mlir::ValueRange partial);
  mlir::FailureOr<bool> staysInDram(mlir::OpResult result);
  DramOp addScratch(mlir::Value value);
  DramOp dramOf(mlir::Value value);
  mlir::Value getDram(DramOp dram);

  mlir::func::FuncOp source;
  ModuleState &state;
  mlir::OpBuilder builder;
  Spreader spreader;
};

} // namespace dojo::ir

#endif // DOJO_LIB_CONVERSION_LINALGTODOJO_PARTITIONER_H
