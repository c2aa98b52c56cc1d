//===- Quantization.h - numbers in few bits with scale and zero point -*- C++ -*-//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_QUANTIZATION_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_QUANTIZATION_H

#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

namespace dojo::onnx {

/// A whole number in f32 as one of the declared type, clamped to what that holds.
Value saturated(Scalars &s, Value whole, Type declared);

/// Codes of a declared type that mean (code - zero) * scale; scale and zero point are one
/// element each, and a null zero point is 0.
struct Codes {
  Value codes, scale, zero;
  Type declared;
};
Value dequantized(mlir::ImplicitLocOpBuilder &b, const Codes &x);
Value quantized(mlir::ImplicitLocOpBuilder &b, Value real, Value scale, Value zero, Type declared);

/// Codes of 8 bits without sign, whose scale covers the range of the data and zero; scale
/// and zero point are scalars in f32.
struct Dynamic {
  Value codes, scale, zero;
};
Dynamic dynamicallyQuantized(mlir::ImplicitLocOpBuilder &b, Value x);

/// An operand as i32 less its zero point, which is one or lies along dimension `axis`
/// counted from the end.
mlir::FailureOr<Value> centred(NodeContext &c, unsigned operand, unsigned zeroPoint, int64_t axis);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_QUANTIZATION_H
