//===- Activations.h - activations as scalar functions ----------*- C++ -*-===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_ACTIVATIONS_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_ACTIVATIONS_H

#include "Build.h"

namespace dojo::onnx {

/// An activation of floats.
struct UnaryFunction {
  SmallVector<double, 2> defaults; ///< of its attributes, in their order
  Value (*apply)(Scalars &s, Value x, ArrayRef<double> attributes);
};

/// Nothing where there is no such activation.
std::optional<UnaryFunction> unaryFunction(llvm::StringRef op);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_ACTIVATIONS_H
