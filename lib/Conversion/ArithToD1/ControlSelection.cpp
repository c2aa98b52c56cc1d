//===- ControlSelection.cpp - loops, branches and calls -------------------===//
#include "Selector.h"
#include "dojo/ISA/Abi.h"

using namespace mlir;

namespace dojo::d1 {

Selector::Test Selector::testOf(Value bit) {
  auto cmp = bit.getDefiningOp<arith::CmpIOp>();
  if (!cmp || selected.count(bit))
    return {Condition::ne, use(bit), zero()};
  Value lhs = cmp.getLhs(), rhs = cmp.getRhs();
  switch (cmp.getPredicate()) {
  case arith::CmpIPredicate::eq:
    return {Condition::eq, use(lhs), use(rhs)};
  case arith::CmpIPredicate::ne:
    return {Condition::ne, use(lhs), use(rhs)};
  case arith::CmpIPredicate::slt:
    return {Condition::lt, use(lhs), use(rhs)};
  case arith::CmpIPredicate::sge:
    return {Condition::ge, use(lhs), use(rhs)};
  case arith::CmpIPredicate::sgt:
    return {Condition::lt, use(rhs), use(lhs)};
  case arith::CmpIPredicate::sle:
    return {Condition::ge, use(rhs), use(lhs)};
  default:
    return {Condition::ne, use(bit), zero()};
  }
}

//===-- Loops -------------------------------------------------------------===//
/// ceildiv(upper - lower, step), meant for loops that run.
Value Selector::tripCount(scf::ForOp op) {
  std::optional<int64_t> low = constantOf(op.getLowerBound()),
                         high = constantOf(op.getUpperBound()), step = constantOf(op.getStep());
  if (low && high && step)
    return ownConstant(
        int64_t((uint64_t(*high) - uint64_t(*low) + uint64_t(*step) - 1) / uint64_t(*step)));
  Value span = subtract(op.getUpperBound(), op.getLowerBound());
  if (!step)
    return emit<DIV>(addNumber(emit<ADD>(span, use(op.getStep())), -1), use(op.getStep()));
  if (*step == 1)
    return span;
  Value rounded = addNumber(span, *step - 1);
  if (llvm::isPowerOf2_64(*step))
    return emit<SARI>(rounded, int64_t(llvm::Log2_64(*step)));
  return emit<DIV>(rounded, constant(*step));
}

/// The loop carries its induction variable, if it is used, before `carried`.
RepeatOp Selector::emitRepeat(scf::ForOp op, ValueRange carriedInits, LogicalResult &result) {
  Value count = tripCount(op);
  Value induction = op.getInductionVar();
  bool counts = !induction.use_empty();
  SmallVector<Value> inits;
  if (counts)
    inits.push_back(own(op.getLowerBound()));
  llvm::append_range(inits, carriedInits);

  RepeatOp repeat = RepeatOp::create(builder, loc, count, inits);
  auto carried = repeat.getCarried();
  if (counts)
    selected[induction] = carried.front();
  for (auto [from, to] : llvm::zip_equal(op.getRegionIterArgs(), carried.drop_front(counts)))
    selected[from] = to;

  OpBuilder::InsertionGuard guard(builder);
  Location here = loc;
  loops.push_back({repeat, callers.contains(op), {}});
  builder.setInsertionPointToStart(&repeat.getBody().front());
  result = selectBlock(*op.getBody());
  loc = here;
  SmallVector<Value> next;
  if (counts)
    next.push_back(add(induction, op.getStep()));
  llvm::append_range(next, own(op.getYieldedValues()));
  YieldOp::create(builder, loc, next);
  loops.pop_back();
  return repeat;
}

LogicalResult Selector::selectFor(scf::ForOp op) {
  if (op.getUnsignedCmp() || !op.getInductionVar().getType().isInteger(64))
    return op.emitOpError("must count in i64 and compare signed to become d1 code");
  Range low = ranges.of(op.getLowerBound()), high = ranges.of(op.getUpperBound());
  if (low.low >= high.high) {
    for (auto [from, to] : llvm::zip_equal(op.getResults(), op.getInitArgs()))
      selected[from] = use(to);
    return success();
  }

  LogicalResult result = success();
  SmallVector<Value> inits = own(op.getInitArgs());
  auto results = [&](RepeatOp repeat) { return repeat.getResults().take_back(op.getNumResults()); };
  if (low.high < high.low) {
    RepeatOp repeat = emitRepeat(op, inits, result);
    for (auto [from, to] : llvm::zip_equal(op.getResults(), results(repeat)))
      selected[from] = to;
    return result;
  }

  SmallVector<Type> types =
      llvm::map_to_vector(op.getResultTypes(), [&](Type type) { return convert(type); });
  auto guarded = IfOp::create(builder, loc, Condition::lt, use(op.getLowerBound()),
                              use(op.getUpperBound()), types);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&guarded.getThenRegion().front());
  RepeatOp repeat = emitRepeat(op, inits, result);
  YieldOp::create(builder, loc, results(repeat));
  builder.setInsertionPointToStart(&guarded.getElseRegion().front());
  YieldOp::create(builder, loc, inits);
  for (auto [from, to] : llvm::zip_equal(op.getResults(), guarded.getResults()))
    selected[from] = to;
  return result;
}

//===-- Branches and calls ------------------------------------------------===//
LogicalResult Selector::selectIf(scf::IfOp op) {
  Test test = testOf(op.getCondition());
  SmallVector<Type> types =
      llvm::map_to_vector(op.getResultTypes(), [&](Type type) { return convert(type); });
  auto branch = IfOp::create(builder, loc, test.condition, test.lhs, test.rhs, types);
  OpBuilder::InsertionGuard guard(builder);
  for (auto [from, to] : llvm::zip_equal(op->getRegions(), branch->getRegions())) {
    Location here = loc;
    builder.setInsertionPointToStart(&to.front());
    SmallVector<Value> yielded;
    if (!from.empty()) {
      if (failed(selectBlock(from.front())))
        return failure();
      yielded = own(from.front().getTerminator()->getOperands());
    }
    loc = here;
    YieldOp::create(builder, loc, yielded);
  }
  for (auto [from, to] : llvm::zip_equal(op.getResults(), branch.getResults()))
    selected[from] = to;
  return success();
}

LogicalResult Selector::selectCall(CallOp op) {
  if (function->hasAttr(routineAttr))
    return op.emitOpError("stands in routine '")
           << function.getName() << "'; a routine calls nothing, so inline '" << op.getCallee()
           << "' or call it from an entry";
  if (op.getNumOperands() > isa::maxArguments)
    return op.emitOpError("passes ") << op.getNumOperands() << " arguments; a call passes "
                                     << isa::maxArguments << " at most";
  CallOp::create(builder, loc, op.getCallee(), own(op.getOperands()));
  return success();
}

} // namespace dojo::d1
