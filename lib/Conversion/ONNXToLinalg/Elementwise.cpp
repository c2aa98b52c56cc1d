//===- Elementwise.cpp - operators that compute each element by itself ----===//
#include "Elementwise.h"

using namespace mlir;
using namespace dojo::onnx;

Kinds dojo::onnx::kindOf(Type element) {
  return isa<FloatType>(element) ? Floats : element.isInteger(1) ? Bools : Ints;
}

LogicalResult dojo::onnx::checkKind(NodeContext &c, Kinds kinds, unsigned first) {
  Type element = c.type(first).getElementType();
  for (unsigned i = first; i < c.size(); ++i)
    if (c.has(i) && c.type(i).getElementType() != element)
      return c.fail("its operands are " + typeName(element) + " and " +
                    typeName(c.type(i).getElementType()) + "; they must agree");
  if (!(kindOf(element) & kinds))
    return c.fail("it is not defined on " + typeName(element));
  return success();
}

FailureOr<Shape> dojo::onnx::commonShape(NodeContext &c, unsigned count) {
  if (count ? c.size() != count : c.size() == 0)
    return c.fail("it has " + Twine(c.size()) + " operands");
  Shape shape;
  for (unsigned i = 0; i < c.size(); ++i) {
    auto wider = broadcast(shape, c.shape(i));
    if (!wider)
      return c.fail("its operands of shapes " + shapeName(shape) + " and " + shapeName(c.shape(i)) +
                    " do not broadcast");
    shape = *wider;
  }
  return shape;
}

/// The second of two operands. Before opset 7 it could be laid along the first from
/// dimension `axis` on.
static FailureOr<Value> alignedSecond(NodeContext &c) {
  c.ignore({"consumed_inputs", "broadcast"});
  int64_t axis = c.intAttr("axis", -1);
  if (axis < 0) {
    if (failed(commonShape(c, 2)))
      return failure();
    return c.value(1);
  }
  Shape shape(c.shape(1));
  if (axis + c.rank(1) > c.rank(0))
    return c.fail("it cannot lay " + shapeName(shape) + " along " + shapeName(c.shape(0)) +
                  " from dimension " + Twine(axis) + " on");
  shape.append(c.rank(0) - axis - c.rank(1), 1);
  if (broadcast(c.shape(0), shape) != Shape(c.shape(0)))
    return c.fail("its operands of shapes " + shapeName(c.shape(0)) + " and " + shapeName(shape) +
                  " do not broadcast");
  return reshape(c.b, c.value(1), shape);
}

SmallVector<Value> dojo::onnx::allValues(NodeContext &c) {
  SmallVector<Value> values;
  for (unsigned i = 0; i < c.size(); ++i)
    values.push_back(c.value(i));
  return values;
}

Type dojo::onnx::resultType(NodeContext &c, Result result) {
  return result == Bool ? Type(c.b.getI1Type()) : c.type(0).getElementType();
}

static Handler lowerUnary(const Unary &entry) {
  return [&entry](NodeContext &c) -> LogicalResult {
    SmallVector<double> parameters;
    for (const Parameter &attribute : entry.attributes)
      parameters.push_back(c.numberAttr(attribute.name, attribute.otherwise));
    c.ignore({"consumed_inputs"});
    if (failed(checkKind(c, entry.kinds)))
      return failure();
    c.result(0, elementwise(c.b, c.shape(0), resultType(c, entry.result), c.value(0),
                            [&](Scalars &s, ValueRange v) {
                              s.isUnsigned = c.isUnsigned(0);
                              return entry.body(s, v[0], parameters);
                            }));
    return success();
  };
}

static Handler lowerBinary(const Binary &entry) {
  return [&entry](NodeContext &c) -> LogicalResult {
    FailureOr<Value> second = alignedSecond(c);
    if (failed(second) || failed(checkKind(c, entry.kinds)))
      return failure();
    auto shape = broadcast(c.shape(0), shapeOf(*second));
    c.result(0, elementwise(c.b, *shape, resultType(c, entry.result), {c.value(0), *second},
                            [&](Scalars &s, ValueRange v) {
                              s.isUnsigned = c.isUnsigned(0);
                              return entry.body(s, v[0], v[1]);
                            }));
    return success();
  };
}

void dojo::onnx::registerUnaries(HandlerRegistry &registry, ArrayRef<Unary> entries) {
  for (const Unary &entry : entries)
    registry.onOp(entry.op, entry.since, lowerUnary(entry));
}

void dojo::onnx::registerBinaries(HandlerRegistry &registry, ArrayRef<Binary> entries) {
  for (const Binary &entry : entries)
    registry.onOp(entry.op, entry.since, lowerBinary(entry));
}

void dojo::onnx::registerElementwise(HandlerRegistry &registry) {
  registerArithmetic(registry);
  registerComparisons(registry);
  registerActivations(registry);
}
