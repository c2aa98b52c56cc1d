//===- Weights.cpp - which values follow from constants alone -------------===//
#include "dojo/Transforms/Weights.h"
#include "dojo/Transforms/Contraction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace dojo;

bool dojo::isWeightConstant(Operation *op) {
  auto constant = dyn_cast<arith::ConstantOp>(op);
  if (!constant || !isa<RankedTensorType>(constant.getType()))
    return false;
  auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
  return !dense || !dense.isSplat();
}

TypedAttr dojo::repeatedValue(Value tensor) {
  SplatElementsAttr splat;
  if (matchPattern(tensor, m_Constant(&splat)))
    return cast<TypedAttr>(splat.getSplatValue<Attribute>());
  TypedAttr constant;
  if (auto fill = tensor.getDefiningOp<linalg::FillOp>())
    matchPattern(fill.value(), m_Constant(&constant));
  return constant;
}

bool dojo::isBroadcast(Operation *op) {
  auto map = dyn_cast<linalg::LinalgOp>(op);
  if (!map || !map.hasPureTensorSemantics() || map.getNumDpsInits() != 1 || !isPointwise(map))
    return false;
  auto source = dyn_cast<BlockArgument>(map.getBlock()->getTerminator()->getOperand(0));
  if (!source)
    return false;
  auto from = dyn_cast<ShapedType>(op->getOperand(source.getArgNumber()).getType());
  auto to = cast<ShapedType>(op->getResult(0).getType());
  return !from || from.getNumElements() < to.getNumElements();
}

Origin Origins::of(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return Origin::Dynamic;
  if (auto it = known.find(op); it != known.end())
    return it->second;
  Origin origin = compute(op);
  known[op] = origin;
  return origin;
}

Origin Origins::compute(Operation *op) {
  if (isWeightConstant(op))
    return Origin::Weight;
  if (!isMemoryEffectFree(op))
    return Origin::Dynamic;
  llvm::SetVector<Value> read(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), read);
  Origin origin = Origin::Fixed;
  for (Value operand : read)
    origin = std::max(origin, of(operand));
  return origin;
}
