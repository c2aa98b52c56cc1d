//===- Types.h - element types of a model and what computes them -*- C++ -*-===//
//
// A model declares more types than a node computes with. Integers keep their
// width and lose their sign, which the front end remembers; floats of 64, 16, 8
// and 4 bits are computed as f32 and rounded where the model casts to them and
// where they leave the program; integers of 4 and 2 bits are computed in 8.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_TYPES_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_TYPES_H

#include "Build.h"

namespace dojo::onnx {

/// The element type that computes `declared`; null for types that nothing computes.
Type computedType(Type declared);

/// The type of TensorProto::DataType number `code`, or null where nothing computes it.
Type declaredType(mlir::MLIRContext *context, int64_t code);
inline constexpr int64_t lastDataType = 26;

/// How the elements of an input or output stand in memory outside of the program.
struct Outside {
  Type element;         ///< of the tensor at the border of the program
  llvm::StringRef name; ///< of the binary's element type, where `element` does not say it
};
Outside outsideType(Type declared);

/// From what stands in memory outside to what is computed with, and back.
Value decoded(mlir::ImplicitLocOpBuilder &b, Value tensor, Type declared);
Value encoded(mlir::ImplicitLocOpBuilder &b, Value tensor, Type declared);

/// A constant of a declared type as the program computes with it.
Value materialise(mlir::ImplicitLocOpBuilder &b, mlir::ElementsAttr constant);

/// Which power of two float8e8m0 takes for a number between two.
enum class ScaleRounding { Up, Down, Nearest };

/// x of declared type `from` as one of declared type `to`, as ONNX Cast does.
Value converted(Scalars &s, Value x, Type from, Type to, bool saturate = true,
                ScaleRounding rounding = ScaleRounding::Up);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_TYPES_H
