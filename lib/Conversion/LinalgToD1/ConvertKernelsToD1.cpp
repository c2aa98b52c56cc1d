//===- ConvertKernelsToD1.cpp - kernels become routines -------------------===//
#include "Lookup.h"
#include "Matrix.h"
#include "Transpose.h"
#include "dojo/Conversion/LinalgToD1/Passes.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Transforms/Contraction.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

namespace dojo {
#define GEN_PASS_DEF_CONVERTKERNELSTOD1
#include "dojo/Conversion/LinalgToD1/Passes.h.inc"
} // namespace dojo

using namespace mlir;
using namespace dojo;
using namespace dojo::kernels;

namespace {

/// The units in the order of their rate; a routine bears the fastest it uses.
enum class Unit { scalar, simd, matrix };

class KernelConversion {
public:
  KernelConversion(func::FuncOp kernel, const Machine &machine)
      : kernel(kernel), machine(machine), builder(kernel) {}

  LogicalResult run();

private:
  LogicalResult checkBody();
  func::FuncOp createRoutine();
  LogicalResult convert(linalg::LinalgOp op);
  LogicalResult emit(const Nest &nest, Inits inits);
  /// Emits the fills not yet folded of the buffers that `op` uses; of all without.
  LogicalResult emitFills(linalg::LinalgOp op);

  /// The constant that the output is filled with, if the operation may start from it.
  TypedAttr foldFill(const Nest &nest, OpOperand &output);

  func::FuncOp kernel;
  const Machine &machine;
  OpBuilder builder;
  IRMapping addresses;
  /// The fill each buffer still waits for: folded into the operation after it
  /// when that overwrites the whole buffer.
  llvm::MapVector<Value, linalg::FillOp> fills;
  Unit unit = Unit::scalar;
  int64_t macs = 0;
};

} // namespace

/// The argument that a buffer is, or a view of.
static Value argumentOf(Value buffer) {
  while (auto view = buffer.getDefiningOp<memref::SubViewOp>())
    buffer = view.getSource();
  return buffer;
}

LogicalResult KernelConversion::checkBody() {
  if (kernel.isExternal() || !kernel.getBody().hasOneBlock() || kernel.getNumResults())
    return kernel.emitOpError("is not a kernel: expected one block and no results");
  for (Type type : kernel.getArgumentTypes())
    if (!llvm::isa<MemRefType>(type))
      return kernel.emitOpError() << "is not a kernel: expected memref arguments, found " << type;
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (!llvm::isa<linalg::LinalgOp, memref::SubViewOp>(op) &&
        !op.hasTrait<OpTrait::ConstantLike>())
      return op.emitOpError(
          "stands in a kernel, which holds structured operations, views and constants");
  return success();
}

func::FuncOp KernelConversion::createRoutine() {
  SmallVector<Type> types(kernel.getNumArguments(), builder.getI64Type());
  auto routine = func::FuncOp::create(builder, kernel.getLoc(), kernel.getName(),
                                      builder.getFunctionType(types, {}));
  routine.setVisibility(kernel.getVisibility());
  Block *entry = routine.addEntryBlock();
  addresses.map(kernel.getArguments(), entry->getArguments());
  builder.setInsertionPointToStart(entry);
  return routine;
}

LogicalResult KernelConversion::emit(const Nest &nest, Inits inits) {
  Emitter emitter(builder, nest.op->getLoc());
  if (std::optional<MatrixPlan> plan = planMatrix(nest, machine)) {
    emitMatrix(emitter, nest, *plan, inits);
    unit = Unit::matrix;
    return success();
  }
  if (std::optional<TransposePlan> plan = planTranspose(nest)) {
    emitTranspose(emitter, nest, *plan);
    unit = std::max(unit, Unit::simd);
    return success();
  }
  if (isLookup(nest.op) && nest.hasReduction()) {
    emitLookup(emitter, nest, inits);
    unit = std::max(unit, Unit::simd);
    return success();
  }
  bool usesLanes;
  if (failed(emitSimd(emitter, nest, inits, usesLanes)))
    return failure();
  unit = std::max(unit, usesLanes ? Unit::simd : Unit::scalar);
  return success();
}

LogicalResult KernelConversion::emitFills(linalg::LinalgOp op) {
  SmallVector<Value> emitted;
  auto isUsed = [&](Value buffer) {
    return llvm::any_of(op->getOperands(),
                        [&](Value operand) { return argumentOf(operand) == argumentOf(buffer); });
  };
  for (auto [buffer, fill] : fills) {
    if (op && !isUsed(buffer))
      continue;
    FailureOr<Nest> nest = analyse(fill, addresses);
    if (failed(nest))
      return failure();
    simplify(*nest);
    if (failed(emit(*nest, {TypedAttr()})))
      return failure();
    emitted.push_back(buffer);
  }
  for (Value buffer : emitted)
    fills.erase(buffer);
  return success();
}

/// The operation writes as many different elements as the buffer has.
static bool overwrites(const Nest &nest, OpOperand &output) {
  linalg::LinalgOp op = nest.op;
  AffineMap map = op.getMatchingIndexingMap(&output);
  return map.isProjectedPermutation() &&
         llvm::all_of(
             llvm::zip_equal(map.getResults(), cast<MemRefType>(output.get().getType()).getShape()),
             [&](auto pair) {
               auto [expr, size] = pair;
               unsigned dim = cast<AffineDimExpr>(expr).getPosition();
               return nest.iterators[dim].extent == size;
             });
}

TypedAttr KernelConversion::foldFill(const Nest &nest, OpOperand &output) {
  auto fill = fills.find(output.get());
  TypedAttr value;
  auto shares = [&](Value operand) { return argumentOf(operand) == argumentOf(output.get()); };
  if (fill == fills.end() || llvm::count_if(nest.op->getOperands(), shares) > 1 ||
      !overwrites(nest, output) || !matchPattern(fill->second.value(), m_Constant(&value)))
    return {};
  fills.erase(fill);
  return value;
}

LogicalResult KernelConversion::convert(linalg::LinalgOp op) {
  if (auto fill = dyn_cast<linalg::FillOp>(*op)) {
    fills[fill.output()] = fill;
    return success();
  }
  FailureOr<Nest> nest = analyse(op, addresses);
  if (failed(nest))
    return failure();
  SmallVector<TypedAttr> inits;
  for (OpOperand &output : op.getDpsInitsMutable())
    inits.push_back(foldFill(*nest, output));
  if (failed(emitFills(op)))
    return failure();
  if (isContractionToF32(*nest)) {
    int64_t product = 1;
    for (const Iterator &iterator : nest->iterators)
      product *= iterator.extent;
    macs += product;
  }
  simplify(*nest);
  return emit(*nest, inits);
}

LogicalResult KernelConversion::run() {
  if (failed(checkBody()))
    return failure();
  func::FuncOp routine = createRoutine();
  for (Operation &op : kernel.getBody().front()) {
    if (auto view = dyn_cast<memref::SubViewOp>(op))
      addresses.map(view.getResult(), addresses.lookup(view.getSource()));
    if (auto structured = dyn_cast<linalg::LinalgOp>(op); structured && failed(convert(structured)))
      return failure();
  }
  if (failed(emitFills({})))
    return failure();
  func::ReturnOp::create(builder, kernel.getLoc());
  static constexpr StringRef units[] = {"scalar", "simd", "matrix"};
  routine->setAttr("d1.routine", builder.getUnitAttr());
  routine->setAttr("d1.disjoint", builder.getUnitAttr());
  routine->setAttr("d1.unit", builder.getStringAttr(units[static_cast<int>(unit)]));
  routine->setAttr("d1.macs", builder.getI64IntegerAttr(macs));
  kernel.erase();
  return success();
}

namespace {

struct ConvertKernelsToD1 : dojo::impl::ConvertKernelsToD1Base<ConvertKernelsToD1> {
  void runOnOperation() override {
    FailureOr<ir::Target> target = ir::Target::of(getOperation());
    if (failed(target))
      return signalPassFailure();
    bool ok = true;
    for (auto kernel : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (kernel->hasAttr("dojo.kernel"))
        ok &= succeeded(KernelConversion(kernel, target->machine).run());
    if (!ok)
      signalPassFailure();
  }
};

} // namespace
