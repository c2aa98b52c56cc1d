//===- ShapeOps.cpp - constants, and operators that read shapes -----------===//
#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

static constexpr int64_t maxRange = 1 << 20;

static DenseElementsAttr i64Tensor(NodeContext &c, ArrayRef<int64_t> shape,
                                   ArrayRef<int64_t> values) {
  return DenseElementsAttr::get(RankedTensorType::get(shape, c.b.getI64Type()), values);
}

static LogicalResult lowerShape(NodeContext &c) {
  ArrayRef<int64_t> shape = c.operand(0).type.getShape();
  int64_t rank = shape.size(), start = c.intAttr("start", 0), end = c.intAttr("end", rank);
  auto clamped = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  start = clamped(start);
  ArrayRef<int64_t> sizes = shape.slice(start, std::max<int64_t>(0, clamped(end) - start));
  c.result(0, ElementsAttr(i64Tensor(c, {int64_t(sizes.size())}, sizes)));
  return success();
}

static LogicalResult lowerSize(NodeContext &c) {
  c.result(0, ElementsAttr(i64Tensor(c, {}, product(c.operand(0).type.getShape()))));
  return success();
}

static LogicalResult lowerConstant(NodeContext &c) {
  Builder &b = c.b;
  auto tensor = [&](ArrayRef<int64_t> shape, Type element, auto values) {
    c.result(0,
             ElementsAttr(DenseElementsAttr::get(RankedTensorType::get(shape, element), values)));
    return success();
  };
  if (auto value = dyn_cast_or_null<ElementsAttr>(c.attr("value"))) {
    c.result(0, value);
    return success();
  }
  if (c.hasAttr("value_int"))
    return tensor({}, b.getI64Type(), ArrayRef<int64_t>{c.intAttr("value_int", 0)});
  if (c.hasAttr("value_float"))
    return tensor({}, b.getF32Type(), ArrayRef<float>{float(c.floatAttr("value_float", 0))});
  if (c.hasAttr("value_ints")) {
    Shape values = c.intsAttr("value_ints");
    return tensor({int64_t(values.size())}, b.getI64Type(), ArrayRef<int64_t>(values));
  }
  if (auto values = dyn_cast_or_null<DenseF32ArrayAttr>(c.attr("value_floats")))
    return tensor({values.size()}, b.getF32Type(), values.asArrayRef());
  return c.fail("it holds no dense tensor of numbers");
}

static LogicalResult lowerConstantOfShape(NodeContext &c) {
  auto shape = c.needInts(0, "shape");
  if (failed(shape))
    return failure();
  auto value = dyn_cast_or_null<DenseElementsAttr>(c.attr("value"));
  if (c.hasAttr("value") && (!value || value.getNumElements() != 1))
    return c.fail("its attribute 'value' is no scalar");
  if (llvm::any_of(*shape, [](int64_t size) { return size < 0; }))
    return c.fail("its shape " + shapeName(*shape) + " is not valid");
  Attribute scalar = value ? *value.value_begin<Attribute>() : Attribute(c.b.getF32FloatAttr(0));
  auto type = RankedTensorType::get(*shape, cast<TypedAttr>(scalar).getType());
  c.result(0, ElementsAttr(DenseElementsAttr::get(type, scalar)));
  return success();
}

/// Floats; integers are evaluated on the host before.
static LogicalResult lowerRange(NodeContext &c) {
  auto start = c.needScalar(0, "start"), limit = c.needScalar(1, "limit"),
       delta = c.needScalar(2, "delta");
  if (failed(start) || failed(limit) || failed(delta))
    return failure();
  double count = *delta == 0 ? 0 : std::max(0.0, std::ceil((*limit - *start) / *delta));
  auto type = dyn_cast<FloatType>(c.declared(0));
  if (*delta == 0 || count > maxRange || !type)
    return c.fail("it counts from " + llvm::formatv("{0} by {1}", *start, *delta).str() +
                  ", which is no range of at most " + Twine(maxRange) + " values");
  SmallVector<Attribute> values;
  for (int64_t i = 0; i < int64_t(count); ++i)
    values.push_back(c.b.getFloatAttr(type, *start + i * *delta));
  auto shaped = RankedTensorType::get(int64_t(count), type);
  c.result(0, ElementsAttr(DenseElementsAttr::get(shaped, values)));
  return success();
}

void dojo::onnx::registerShapeOps(HandlerRegistry &registry) {
  registry.onOp("Shape", 1, lowerShape);
  registry.onOp("Size", 1, lowerSize);
  registry.onOp("Constant", 1, lowerConstant);
  registry.onOp("ConstantOfShape", 9, lowerConstantOfShape);
  registry.onOp("Range", 11, lowerRange);
}
