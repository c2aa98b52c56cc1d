//===- Types.cpp - element types of a model and what computes them --------===//
#include "Types.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

/// A float that is computed as f32 and has a form of fewer bits outside.
static bool isSmallFloat(Type type) {
  return isa<FloatType>(type) && !type.isF32() && !type.isF64() && !type.isBF16();
}

static unsigned width(Type type) { return type.getIntOrFloatBitWidth(); }

Type dojo::onnx::computedType(Type declared) {
  MLIRContext *context = declared.getContext();
  if (declared.isF64() || isSmallFloat(declared))
    return Float32Type::get(context);
  if (declared.isF32() || declared.isBF16())
    return declared;
  auto integer = dyn_cast<IntegerType>(declared);
  if (!integer)
    return {};
  return IntegerType::get(context, width(integer) == 1 ? 1 : std::max(8u, width(integer)));
}

Type dojo::onnx::declaredType(MLIRContext *context, int64_t code) {
  Builder b(context);
  auto integer = [&](unsigned bits, bool isSigned = true) -> Type {
    return isSigned ? b.getIntegerType(bits) : b.getIntegerType(bits, false);
  };
  switch (code) {
  case 1:
    return b.getF32Type();
  case 2:
    return integer(8, false);
  case 3:
    return integer(8);
  case 4:
    return integer(16, false);
  case 5:
    return integer(16);
  case 6:
    return integer(32);
  case 7:
    return integer(64);
  case 9:
    return integer(1);
  case 10:
    return b.getF16Type();
  case 11:
    return b.getF64Type();
  case 12:
    return integer(32, false);
  case 13:
    return integer(64, false);
  case 16:
    return b.getBF16Type();
  case 17:
    return b.getType<Float8E4M3FNType>();
  case 18:
    return b.getType<Float8E4M3FNUZType>();
  case 19:
    return b.getType<Float8E5M2Type>();
  case 20:
    return b.getType<Float8E5M2FNUZType>();
  case 21:
    return integer(4, false);
  case 22:
    return integer(4);
  case 23:
    return b.getType<Float4E2M1FNType>();
  case 24:
    return b.getType<Float8E8M0FNUType>();
  case 25:
    return integer(2, false);
  case 26:
    return integer(2);
  default:
    return {};
  }
}

Outside dojo::onnx::outsideType(Type declared) {
  Builder b(declared.getContext());
  if (declared.isF16())
    return {b.getIntegerType(16), "f16"};
  if (isSmallFloat(declared))
    return {b.getIntegerType(8), "u8"};
  Type computed = computedType(declared);
  if (!declared.isUnsignedInteger())
    return {computed, ""};
  unsigned bits = width(computed);
  return {computed, bits == 8 ? "u8" : bits == 16 ? "u16" : bits == 32 ? "u32" : "u64"};
}

/// float8e8m0 is the exponent of a power of two, as the field of f32: no sign, no zero.
static bool isScale(Type type) { return isa<Float8E8M0FNUType>(type); }

static Value scaleOf(Scalars &s, Value code) {
  using P = arith::CmpIPredicate;
  Value field = s.make<arith::ShLIOp>(code, s.constant(code, 23));
  Value bits = s.max(field, s.constant(code, 1 << 22)); // 2^-127 is subnormal
  Value value = s.make<arith::BitcastOp>(s.floatType(), bits);
  return s.select(s.compare(P::eq, code, s.constant(code, 255)), s.constant(value, NAN), value);
}

/// The exponent field of x, rounded by its mantissa; 255 for what is not finite.
static Value scaleCode(Scalars &s, Value x, bool saturate, ScaleRounding rounding) {
  using P = arith::CmpIPredicate;
  Value bits = s.make<arith::BitcastOp>(s.integerType(32), x);
  auto number = [&](int64_t value) { return s.constant(bits, value); };
  Value shifted = s.make<arith::ShRUIOp>(bits, number(23));
  Value field = s.make<arith::AndIOp>(shifted, number(255));
  Value mantissa = s.make<arith::AndIOp>(bits, number(0x7fffff));
  // A half rounds away from the subnormal exponent only if more than a half lies behind it.
  Value least = rounding == ScaleRounding::Up ? number(0)
                                              : s.select(s.compare(P::eq, field, number(0)),
                                                         number(0x400000), number(0x3fffff));
  Value more = s.add(field, s.cast(s.compare(P::sgt, mantissa, least), field.getType()));
  if (rounding == ScaleRounding::Down)
    more = field;
  Value rounded = saturate ? s.min(more, number(254)) : more;
  return s.select(s.compare(P::eq, field, number(255)), field, rounded);
}

namespace {

/// A small float format by its numbers, and arithmetic on its values as f32.
class Format {
public:
  Format(Scalars &s, FloatType type)
      : s(s), semantics(type.getFloatSemantics()), bits(width(type)),
        mantissa(llvm::APFloat::semanticsPrecision(semantics) - 1),
        least(llvm::APFloat::semanticsMinExponent(semantics)), i32(s.integerType(32)),
        f32(s.floatType()) {}

  /// The nearest value of the format, ties to even.
  Value round(Value x, bool saturate) {
    Value size = s.make<math::AbsFOp>(x);
    // The power of two below |x|, at least the smallest normal number.
    Value exponent =
        s.make<arith::AndIOp>(s.make<arith::BitcastOp>(i32, size), integer(0x7f800000));
    Value power = s.make<arith::BitcastOp>(f32, exponent);
    Value unit =
        s.mul(s.max(power, real(std::ldexp(1.0, least))), real(std::ldexp(1.0, -mantissa)));
    Value rounded = s.mul(s.make<math::RoundEvenOp>(s.div(x, unit)), unit);
    double largest = llvm::APFloat::getLargest(semantics).convertToDouble();
    using P = arith::CmpIPredicate;
    Value over = s.compare(P::sgt, s.make<math::AbsFOp>(rounded), real(largest));
    over = s.make<arith::OrIOp>(over, s.compare(P::eq, size, real(INFINITY)));
    Value limit = real(saturate || !hasNaN()                       ? largest
                       : llvm::APFloat::semanticsHasInf(semantics) ? INFINITY
                                                                   : NAN);
    Value outside = s.make<math::CopySignOp>(limit, x);
    Value isNumber = s.compare(P::eq, x, x);
    return s.select(isNumber, s.select(over, outside, rounded), x);
  }

  /// The bits of a value that the format holds, in an i32.
  Value bitsOf(Value x) {
    using P = arith::CmpIPredicate;
    Value word = s.make<arith::BitcastOp>(i32, x);
    Value size = s.make<arith::AndIOp>(word, integer(0x7fffffff));
    Value normal = s.sub(s.make<arith::ShRUIOp>(size, integer(23 - mantissa)),
                         integer(int64_t(126 + least) << mantissa));
    Value magnitude = s.make<math::AbsFOp>(x);
    Value subnormal =
        s.make<arith::FPToSIOp>(i32, s.mul(magnitude, real(std::ldexp(1.0, mantissa - least))));
    Value isSmall = s.compare(P::slt, magnitude, real(std::ldexp(1.0, least)));
    Value code = s.select(isSmall, subnormal, normal);
    if (llvm::APFloat::semanticsHasInf(semantics))
      code = s.select(s.compare(P::eq, magnitude, real(INFINITY)), integer(exponentBits()), code);
    Value sign =
        s.make<arith::ShLIOp>(s.make<arith::ShRUIOp>(word, integer(31)), integer(bits - 1));
    // Formats with one zero have no minus zero: its code is their NaN.
    if (isUnsignedZero())
      sign = s.select(s.compare(P::eq, code, integer(0)), integer(0), sign);
    Value whole = s.make<arith::OrIOp>(code, sign);
    // A format without NaN makes minus zero of it.
    int64_t otherwise = hasNaN() ? quietNaN() : int64_t(1) << (bits - 1);
    return s.select(s.compare(P::eq, x, x), whole, integer(otherwise));
  }

  /// The value behind bits in an i32.
  Value valueOf(Value code) {
    using P = arith::CmpIPredicate;
    Value size = s.make<arith::AndIOp>(code, integer((1 << (bits - 1)) - 1));
    Value shifted = s.make<arith::ShLIOp>(size, integer(23 - mantissa));
    // Shifted into place the exponent lacks the difference of the biases; the product
    // is exact for subnormal numbers too.
    Value value = s.mul(s.make<arith::BitcastOp>(f32, shifted), real(std::ldexp(1.0, 126 + least)));
    if (llvm::APFloat::semanticsHasInf(semantics)) {
      Value special = s.make<arith::OrIOp>(shifted, integer(0x7f800000));
      value = s.select(s.compare(P::sge, size, integer(exponentBits())),
                       s.make<arith::BitcastOp>(f32, special), value);
    }
    Value sign =
        s.make<arith::ShLIOp>(s.make<arith::ShRUIOp>(code, integer(bits - 1)), integer(31));
    value = s.make<arith::BitcastOp>(
        f32, s.make<arith::OrIOp>(s.make<arith::BitcastOp>(i32, value), sign));
    if (llvm::APFloat::semanticsHasInf(semantics) || !hasNaN())
      return value;
    Value probe = isUnsignedZero() ? code : size;
    return s.select(s.compare(P::eq, probe, integer(quietNaN())), real(NAN), value);
  }

private:
  Value real(double v) { return s.constant(f32, v); }
  Value integer(int64_t v) { return s.constant(i32, v); }
  bool hasNaN() const { return llvm::APFloat::semanticsHasNaN(semantics); }
  int64_t exponentBits() const { return ((int64_t(1) << (bits - 1 - mantissa)) - 1) << mantissa; }
  bool isUnsignedZero() const {
    return llvm::APFloat::getZero(semantics, true).bitcastToAPInt().isZero();
  }
  int64_t quietNaN() const {
    return llvm::APFloat::getQNaN(semantics).bitcastToAPInt().getZExtValue();
  }

  Scalars &s;
  const llvm::fltSemantics &semantics;
  int bits, mantissa, least;
  Type i32, f32;
};

} // namespace

Value dojo::onnx::decoded(ImplicitLocOpBuilder &b, Value tensor, Type declared) {
  if (!isSmallFloat(declared))
    return tensor;
  return elementwise(b, shapeOf(tensor), b.getF32Type(), tensor, [&](Scalars &s, ValueRange v) {
    Value code = s.make<arith::ExtUIOp>(s.integerType(32), v[0]);
    if (isScale(declared))
      return scaleOf(s, code);
    return Format(s, cast<FloatType>(declared)).valueOf(code);
  });
}

Value dojo::onnx::encoded(ImplicitLocOpBuilder &b, Value tensor, Type declared) {
  if (!isSmallFloat(declared))
    return tensor;
  Type stored = outsideType(declared).element;
  return elementwise(b, shapeOf(tensor), stored, tensor, [&](Scalars &s, ValueRange v) {
    if (isScale(declared))
      return s.make<arith::TruncIOp>(stored, scaleCode(s, v[0], true, ScaleRounding::Down));
    Format format(s, cast<FloatType>(declared));
    return s.make<arith::TruncIOp>(stored, format.bitsOf(format.round(v[0], false)));
  });
}

/// The bytes of a constant blob.
static ArrayRef<char> bytesOf(DenseResourceElementsAttr resource) {
  return resource.getRawHandle().getBlob()->getData();
}

/// The elements of a blob of less than a byte each, as bytes, the low bits first.
static ElementsAttr unpacked(DenseResourceElementsAttr resource, Type stored) {
  auto type = cast<ShapedType>(resource.getType());
  unsigned bits = width(type.getElementType());
  bool isSigned = type.getElementType().isSignlessInteger();
  ArrayRef<char> bytes = bytesOf(resource);
  SmallVector<APInt> values;
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    uint8_t byte = bytes[i * bits / 8];
    APInt field(bits, byte >> (i * bits % 8) & ((1 << bits) - 1));
    values.push_back(isSigned ? field.sext(8) : field.zext(8));
  }
  return DenseElementsAttr::get(type.clone(stored), values);
}

static ElementsAttr doublesAsFloats(DenseResourceElementsAttr resource, ShapedType type) {
  ArrayRef<double> doubles = resource.getRawHandle().getBlob()->getDataAs<double>();
  AsmResourceBlob floats =
      HeapAsmResourceBlob::allocate(doubles.size() * sizeof(float), alignof(double));
  llvm::transform(doubles, reinterpret_cast<float *>(floats.getMutableData().data()),
                  [](double v) { return float(v); });
  return DenseResourceElementsAttr::get(type, (resource.getRawHandle().getKey() + "_f32").str(),
                                        std::move(floats));
}

Value dojo::onnx::materialise(ImplicitLocOpBuilder &b, ElementsAttr constant) {
  auto type = cast<ShapedType>(constant.getType());
  Type declared = type.getElementType(), stored = outsideType(declared).element;
  auto make = [&](ElementsAttr value) -> Value {
    return arith::ConstantOp::create(b, cast<TypedAttr>(value));
  };
  auto resource = dyn_cast<DenseResourceElementsAttr>(constant);
  if (declared.isF64()) {
    if (resource)
      return make(doublesAsFloats(resource, type.clone(stored)));
    return make(cast<DenseFPElementsAttr>(constant).mapValues(stored, [](const APFloat &v) {
      return APFloat(float(v.convertToDouble())).bitcastToAPInt();
    }));
  }
  if (stored == declared)
    return make(constant);
  if (resource && width(declared) < 8)
    return decoded(b, make(unpacked(resource, stored)), declared);
  if (resource)
    return decoded(
        b, make(DenseResourceElementsAttr::get(type.clone(stored), resource.getRawHandle())),
        declared);
  return decoded(b, make(cast<DenseElementsAttr>(constant).bitcast(stored)), declared);
}

/// Keeps the low bits that the type declares.
static Value wrapped(Scalars &s, Value x, Type to) {
  if (width(to) >= 8)
    return x;
  if (to.isUnsignedInteger())
    return s.make<arith::AndIOp>(x, s.constant(x, (1 << width(to)) - 1));
  Value by = s.constant(x, 8 - width(to));
  return s.make<arith::ShRSIOp>(s.make<arith::ShLIOp>(x, by), by);
}

static Value integerOfFloat(Scalars &s, Value x, Type to) {
  Type computed = computedType(to);
  bool isUnsigned = to.isUnsignedInteger() && width(to) >= 32;
  Type wide = width(computed) < 32 ? s.integerType(32) : computed;
  Value whole = isUnsigned ? s.make<arith::FPToUIOp>(wide, x) : s.make<arith::FPToSIOp>(wide, x);
  return wide == computed ? whole : s.make<arith::TruncIOp>(computed, whole);
}

Value dojo::onnx::converted(Scalars &s, Value x, Type from, Type to, bool saturate,
                            ScaleRounding rounding) {
  Type computed = computedType(to);
  s.isUnsigned = from.isUnsignedInteger();
  if (isScale(to))
    return scaleOf(s, scaleCode(s, s.cast(x, computed), saturate, rounding));
  if (isSmallFloat(to))
    return Format(s, cast<FloatType>(to)).round(s.cast(x, computed), saturate && width(to) < 16);
  if (isa<FloatType>(to) || to.isInteger(1))
    return s.cast(x, computed);
  if (isa<FloatType>(x.getType()))
    return wrapped(s, integerOfFloat(s, x, to), to);
  return wrapped(s, s.cast(x, computed), to);
}
