//===- Elementwise.h - tables of elementwise operators ----------*- C++ -*-===//
//
// An entry names the ONNX operator, what it may be applied to, its float attributes with
// their defaults, and the scalar that it computes. The tables are in Arithmetic.cpp,
// Comparisons.cpp and Activations.cpp, beside handlers of what takes more than a line.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_ELEMENTWISE_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_ELEMENTWISE_H

#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

namespace dojo::onnx {

enum Kinds { Floats = 1, Ints = 2, Bools = 4, Numbers = Floats | Ints, All = Numbers | Bools };
enum Result { Same, Bool };

struct Parameter {
  const char *name;
  double otherwise;
};

using Params = ArrayRef<double>;

struct Unary {
  const char *op;
  int64_t since;
  Kinds kinds;
  std::vector<Parameter> attributes;
  Value (*body)(Scalars &s, Value x, Params a);
  Result result = Same;
};

struct Binary {
  const char *op;
  int64_t since;
  Kinds kinds;
  Value (*body)(Scalars &s, Value x, Value y);
  Result result = Same;
};

#define UNARY(RESULT) [](Scalars &s, Value x, Params a) -> Value { return RESULT; }
#define BINARY(RESULT) [](Scalars &s, Value x, Value y) -> Value { return RESULT; }

template <typename Op>
Value apply(Scalars &s, Value x, Params) {
  return s.make<Op>(x);
}

Kinds kindOf(Type element);
/// Reports operands from `first` on that differ in element type or are of none of these kinds.
mlir::LogicalResult checkKind(NodeContext &c, Kinds kinds, unsigned first = 0);
/// The shape that `count` operands broadcast to; 0 stands for any number but none.
mlir::FailureOr<Shape> commonShape(NodeContext &c, unsigned count);
SmallVector<Value> allValues(NodeContext &c);
Type resultType(NodeContext &c, Result result);

/// The entries must outlive the registry.
void registerUnaries(HandlerRegistry &registry, ArrayRef<Unary> entries);
void registerBinaries(HandlerRegistry &registry, ArrayRef<Binary> entries);

void registerArithmetic(HandlerRegistry &registry);
void registerComparisons(HandlerRegistry &registry);
void registerActivations(HandlerRegistry &registry);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_ELEMENTWISE_H
