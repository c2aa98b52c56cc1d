//===- Doubles.cpp - f64 computed as f32 ----------------------------------===//
#include "Doubles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;

namespace {

Type asFloat(Type type) {
  Type single = Float32Type::get(type.getContext());
  if (type.isF64())
    return single;
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped && shaped.getElementType().isF64() ? shaped.clone(single) : type;
}

bool setFloat(Value value) {
  Type type = asFloat(value.getType());
  bool changed = type != value.getType();
  value.setType(type);
  return changed;
}

float toFloat(double value) { return static_cast<float>(value); }

/// Null if a resource has no bytes to convert.
TypedAttr asFloat(TypedAttr attribute) {
  if (asFloat(attribute.getType()) == attribute.getType())
    return attribute;
  Type single = Float32Type::get(attribute.getContext());
  if (auto scalar = dyn_cast<FloatAttr>(attribute))
    return FloatAttr::get(single, scalar.getValueAsDouble());
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute))
    return cast<DenseFPElementsAttr>(dense).mapValues(single, [](const APFloat &value) {
      return APFloat(toFloat(value.convertToDouble())).bitcastToAPInt();
    });
  auto resource = dyn_cast<DenseResourceElementsAttr>(attribute);
  AsmResourceBlob *blob = resource ? resource.getRawHandle().getBlob() : nullptr;
  if (!blob)
    return {};
  ArrayRef<double> doubles = blob->getDataAs<double>();
  AsmResourceBlob floats =
      HeapAsmResourceBlob::allocate(doubles.size() * sizeof(float), alignof(float));
  llvm::transform(doubles, reinterpret_cast<float *>(floats.getMutableData().data()), toFloat);
  return DenseResourceElementsAttr::get(cast<ShapedType>(asFloat(resource.getType())),
                                        resource.getRawHandle().getKey(), std::move(floats));
}

} // namespace

void dojo::computeDoublesAsFloats(func::FuncOp function) {
  std::optional<Location> first;
  auto note = [&](bool changed, Location loc) {
    if (changed && !first)
      first = loc;
  };
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      if (TypedAttr value = asFloat(constant.getValue()))
        constant.setValueAttr(value);
    for (Value result : op->getResults())
      note(setFloat(result), op->getLoc());
    for (Region &region : op->getRegions())
      for (BlockArgument argument : region.getArguments())
        note(setFloat(argument), op->getLoc());
    if (isa<arith::ExtFOp, arith::TruncFOp>(op) &&
        op->getOperand(0).getType() == op->getResult(0).getType())
      op->getResult(0).replaceAllUsesWith(op->getOperand(0));
  });
  auto asFloats = [](TypeRange types) {
    return llvm::map_to_vector(types, [](Type type) { return asFloat(type); });
  };
  function.setFunctionType(FunctionType::get(function.getContext(),
                                             asFloats(function.getArgumentTypes()),
                                             asFloats(function.getResultTypes())));
  if (first)
    emitRemark(*first) << "f64 is computed as f32";
}
