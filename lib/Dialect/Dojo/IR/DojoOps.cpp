//===- DojoOps.cpp - verifiers of the dojo dialect ------------------------===//
#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

#define GET_OP_CLASSES
#include "dojo/Dialect/Dojo/IR/DojoOps.cpp.inc"

static bool isSpread(Type type) {
  return isa_and_nonnull<LayoutAttr>(tensorOf(type).getEncoding());
}

//===-- Storage -----------------------------------------------------------===//

LogicalResult DramOp::verify() {
  bool isConstant = getRole() == "constant";
  if (!isConstant &&
      !llvm::is_contained({"input", "output", "count", "state", "scratch"}, getRole()))
    return emitOpError("role is input, output, count, constant, state or scratch, found '")
           << getRole() << "'";
  if (isConstant != getValue().has_value())
    return emitOpError(isConstant ? "a constant needs a value" : "only a constant has a value");
  if (getValue() && getValue()->getShapedType() != getType())
    return emitOpError("value has type ")
           << getValue()->getShapedType() << ", expected " << getType();
  return success();
}

LogicalResult ReshapeOp::verify() {
  RankedTensorType from = tensorOf(getSource().getType()), to = tensorOf(getResult().getType());
  bool alike = isDram(from) ? isDram(to) : isSpread(from) && isSpread(to);
  if (!alike || from.getElementType() != to.getElementType() ||
      from.getNumElements() != to.getNumElements())
    return emitOpError("needs two spread tensors, or two in DRAM, of the same elements");
  if (isSpread(from) && localBytes(from) != localBytes(to))
    return emitOpError("a node holds ")
           << localBytes(from) << " bytes of the source and " << localBytes(to) << " of the result";
  return success();
}

//===-- Movement ----------------------------------------------------------===//

RankedTensorType MoveOp::getSourceTensor() { return tensorOf(getSource().getType()); }
RankedTensorType MoveOp::getDestTensor() { return tensorOf(getDest().getType()); }
bool MoveOp::readsDram() { return isDram(getSource().getType()); }
bool MoveOp::writesDram() { return isDram(getDest().getType()); }

Move MoveOp::getMove() {
  auto layout = [](RankedTensorType type) {
    return isDram(type) ? Layout::replicated(type.getShape()) : layoutOf(type);
  };
  return {layout(getSourceTensor()), layout(getDestTensor()), *termsOf(getMap()),
          elementBytes(getSourceTensor().getElementType())};
}

static bool isStepNumber(Value symbol) {
  if (auto argument = dyn_cast<BlockArgument>(symbol))
    return isa<RepeatOp>(argument.getOwner()->getParentOp()) && argument.getArgNumber() == 0;
  if (auto apply = symbol.getDefiningOp<affine::AffineApplyOp>())
    return apply.getAffineMap().getNumDims() == 1 && apply.getAffineMap().getNumSymbols() == 0 &&
           succeeded(linearForm(apply.getAffineMap().getResult(0), 1, 0)) &&
           isStepNumber(apply.getOperand(0));
  return symbol.getDefiningOp<arith::ConstantIndexOp>() != nullptr;
}

LogicalResult MoveOp::verify() {
  RankedTensorType source = getSourceTensor(), dest = getDestTensor();
  if (source.getElementType() != dest.getElementType())
    return emitOpError("moves elements of one type, found ")
           << source.getElementType() << " and " << dest.getElementType();
  if (getResult() ? getResult().getType() != getDest().getType()
                  : isa<RankedTensorType>(getDest().getType()))
    return emitOpError("the result has the type of the destination tensor");
  if (getMap().getNumResults() != source.getRank() || getMap().getNumDims() != dest.getRank() ||
      getMap().getNumSymbols() != (getSymbol() ? 1 : 0))
    return emitOpError("the map takes an index of the destination, and the symbol if there is "
                       "one, to an index of the source");
  if (failed(termsOf(getMap())))
    return emitOpError("each source dimension may depend on one destination dimension, linearly");
  if (getSymbol() && !isStepNumber(getSymbol()))
    return emitOpError("the symbol is the step of a dojo.repeat, an affine.apply of it to one "
                       "number, or a constant");
  if (readsDram() && writesDram())
    return emitOpError("moves between DRAM and nodes or among nodes, not from DRAM to DRAM");
  for (RankedTensorType type : {source, dest})
    if (!isSpread(type) && !isDram(type))
      return emitOpError("needs a layout or #dojo.dram on ") << type;
  if (readsDram() || writesDram())
    return success();
  // The grid is not known here; what depends on it is checked where it is.
  Coords unbounded{1 << 20, 1 << 20, 1 << 20, 1 << 20};
  if (llvm::Error error = getMove().check(unbounded))
    return emitOpError(llvm::toString(std::move(error)));
  return success();
}

//===-- Collectives -------------------------------------------------------===//

static FailureOr<unsigned> verifyAxis(Operation *op, StringRef name) {
  for (unsigned a = 0; a < numAxes; ++a)
    if (name == axisName(static_cast<Axis>(a)))
      return a;
  return op->emitOpError("axis is dy, dx, y or x, found '") << name << "'";
}

static LogicalResult verifySpread(Operation *op, Type source, Type result) {
  if (isSpread(source) && isSpread(result))
    return success();
  return op->emitOpError("needs a layout on its source and its result");
}

static LogicalResult verifyRepeatsOn(Operation *op, Type result, unsigned axis) {
  const Layout::AxisUse use = layoutOf(result).axes[axis];
  if (use.digits.empty() && !use.pinned)
    return success();
  return op->emitOpError("the result must repeat on axis ") << axisName(static_cast<Axis>(axis));
}

LogicalResult BroadcastOp::verify() {
  FailureOr<unsigned> axis = verifyAxis(*this, getAxis());
  if (failed(axis) || failed(verifySpread(*this, getSource().getType(), getType())) ||
      failed(verifyRepeatsOn(*this, getType(), *axis)))
    return failure();
  Layout source = layoutOf(getSource().getType());
  if (!source.axes[*axis].pinned)
    return emitOpError("the source must be pinned on axis ") << getAxis();
  source.axes[*axis].pinned = false;
  if (source != layoutOf(getType()))
    return emitOpError("source and result differ elsewhere than on axis ") << getAxis();
  return success();
}

LogicalResult AllGatherOp::verify() {
  FailureOr<unsigned> axis = verifyAxis(*this, getAxis());
  if (failed(axis) || failed(verifySpread(*this, getSource().getType(), getType())) ||
      failed(verifyRepeatsOn(*this, getType(), *axis)))
    return failure();
  if (layoutOf(getSource().getType()).axes[*axis].digits.empty())
    return emitOpError("the source must be spread over axis ") << getAxis();
  if (getSource().getType().getShape() != getType().getShape())
    return emitOpError("source and result differ in shape");
  return success();
}

LogicalResult ReduceOp::verifyRegions() {
  RankedTensorType source = getSource().getType(), result = getType();
  if (failed(verifySpread(*this, source, result)))
    return failure();
  if (source.getRank() < 1 || source.getShape().drop_front() != result.getShape() ||
      source.getElementType() != result.getElementType())
    return emitOpError("the result is the source without its first dimension");
  Block &block = getCombiner().front();
  if (block.getNumArguments() != 2 ||
      llvm::any_of(block.getArgumentTypes(), [&](Type t) { return t != source.getElementType(); }))
    return emitOpError("the combiner takes two elements of the source");
  Operation *combine = block.getTerminator()->getNumOperands() == 1
                           ? block.getTerminator()->getOperand(0).getDefiningOp()
                           : nullptr;
  if (!isa_and_nonnull<arith::AddFOp, arith::MulFOp, arith::MaximumFOp, arith::MinimumFOp,
                       arith::AddIOp, arith::MaxSIOp, arith::MinSIOp>(combine))
    return emitOpError("the combiner is one of addf, mulf, maximumf, minimumf, addi, maxsi, minsi");
  return success();
}

//===-- Computation -------------------------------------------------------===//

LogicalResult LaunchOp::verify() {
  auto memory = [](Value value) {
    while (auto reshape = value.getDefiningOp<ReshapeOp>())
      value = reshape.getSource();
    return value;
  };
  llvm::SmallDenseSet<Value> outs;
  for (Value out : getOuts())
    if (!outs.insert(memory(out)).second)
      return emitOpError("writes one buffer as two outputs");
  for (Value in : getIns())
    if (outs.contains(memory(in)))
      return emitOpError("reads a buffer that is also its output; kernels do not compute in place");
  return success();
}

LogicalResult ComputeOp::verifyRegions() {
  Block &block = getBody().front();
  SmallVector<Value> operands(getIns());
  llvm::append_range(operands, getOuts());
  if (block.getNumArguments() != operands.size())
    return emitOpError("has ") << operands.size() << " operands and " << block.getNumArguments()
                               << " block arguments";
  for (auto [operand, argument] : llvm::zip(operands, block.getArguments())) {
    if (!isSpread(operand.getType()))
      return emitOpError("needs a layout on ") << operand.getType();
    auto local = dyn_cast<ShapedType>(argument.getType());
    RankedTensorType spread = tensorOf(operand.getType());
    if (!local || local.getElementType() != spread.getElementType() ||
        local.getNumElements() != layoutOf(spread).localElements())
      return emitOpError("block argument ")
             << argument.getArgNumber() << " is " << argument.getType() << ", expected the "
             << layoutOf(spread).localElements() << " elements of a piece, such as "
             << localTensor(spread);
  }
  if (!llvm::equal(getResultTypes(), getOuts().getTypes()) && getNumResults() != 0)
    return emitOpError("yields one tensor for each output, of its type");
  return success();
}

//===-- Repeat ------------------------------------------------------------===//

LogicalResult RepeatOp::verifyRegions() {
  if (getCount() < 1)
    return emitOpError("count is at least 1");
  if (getSlots() != 1 && getSlots() != 2)
    return emitOpError("slots are 1 or 2, found ") << getSlots();
  Block &block = getBody().front();
  if (block.getNumArguments() != 1 + getInits().size() ||
      !block.getArgument(0).getType().isIndex() ||
      !llvm::equal(getInits().getTypes(),
                   ValueRange(block.getArguments().drop_front()).getTypes()) ||
      !llvm::equal(getInits().getTypes(), block.getTerminator()->getOperandTypes()) ||
      !llvm::equal(getInits().getTypes(), getResultTypes()))
    return emitOpError("the body takes the step as an index and the carried values, and yields "
                       "and returns values of the same types");
  return success();
}
