//===- Build.h - structured operations on tensors of static shape -*- C++ -*-=//
//
// What handlers build with. All tensors have static shapes; broadcasting is in
// indexing maps, and a reshape that changes nothing costs nothing.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_BUILD_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_BUILD_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <optional>

namespace dojo::onnx {

using mlir::ArrayRef;
using mlir::SmallVector;
using mlir::Type;
using mlir::Value;
using mlir::ValueRange;
using Shape = SmallVector<int64_t>;

/// Builds arithmetic on scalars of float or signless integer type.
class Scalars {
public:
  Scalars(mlir::OpBuilder &b, mlir::Location loc) : b(loc, b) {}

  /// Whether integers are compared, divided and widened as unsigned ones.
  bool isUnsigned = false;

  Type integerType(unsigned bits) { return b.getIntegerType(bits); }
  Type floatType() { return b.getF32Type(); }
  Value constant(Type type, double value);
  /// A constant of the type of `like`.
  Value constant(Value like, double value) { return constant(like.getType(), value); }
  Value lowest(Type type);
  Value highest(Type type);

  Value add(Value x, Value y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value div(Value x, Value y);
  Value min(Value x, Value y);
  Value max(Value x, Value y);
  Value neg(Value x);
  Value exp(Value x);
  Value sigmoid(Value x);
  Value gelu(Value x);
  /// The same by a hyperbolic tangent.
  Value geluTanh(Value x);
  /// An ordered comparison, by the signed predicate of arith.cmpi.
  Value compare(mlir::arith::CmpIPredicate predicate, Value x, Value y);
  Value select(Value condition, Value x, Value y);
  /// Between computable types, as ONNX Cast does.
  Value cast(Value x, Type type);

  template <typename Op, typename... Args>
  Value make(Args &&...args) {
    return Op::create(b, std::forward<Args>(args)...);
  }

private:
  mlir::ImplicitLocOpBuilder b;
};

using Body = llvm::function_ref<Value(Scalars &, ValueRange)>;

Shape shapeOf(Value tensor);
Type elementOf(Value tensor);
int64_t product(ArrayRef<int64_t> sizes);

/// The shape that numpy broadcasting gives, or nothing.
std::optional<Shape> broadcast(ArrayRef<int64_t> x, ArrayRef<int64_t> y);

/// result[i] = body(operands[i]...), each operand broadcast to `shape`.
Value elementwise(mlir::ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape, Type element,
                  ValueRange operands, Body body);

enum class Combine { Add, Mul, Max, Min };

/// Folds the dimensions `axes` of `tensor`; they stay as 1 with `keep`.
Value reduce(mlir::ImplicitLocOpBuilder &b, Value tensor, ArrayRef<int64_t> axes, bool keep,
             Combine how, Body map = nullptr, bool isUnsigned = false);

/// An operand of fold(): dimension d of the tensor is loop dims[d].
struct Indexed {
  Value tensor;
  SmallVector<unsigned> dims;
};

/// result[dims of init] = body(inputs..., result), over `loops` loops; those that do
/// not index the result are its reductions, run in ascending order.
Value fold(mlir::ImplicitLocOpBuilder &b, unsigned loops, ArrayRef<Indexed> inputs,
           const Indexed &init, Body body);

/// 0, 1, ... as i32 along dimension `axis` of a tensor of `rank` dimensions.
Value iota(mlir::ImplicitLocOpBuilder &b, int64_t extent, int64_t axis = 0, int64_t rank = 1);

/// The places of dimension `axis` that `indices` names, in runs of neighbours.
Value pick(mlir::ImplicitLocOpBuilder &b, Value tensor, int64_t axis, ArrayRef<int64_t> indices);

/// The product of matrices x and y, whose leading dimensions are a batch.
Value matrixProduct(mlir::ImplicitLocOpBuilder &b, Value x, Value y, ArrayRef<int64_t> batch);
/// The same as numpy's matmul, vectors and broadcast batches included; nothing where
/// the shapes do not fit.
std::optional<Value> matmulResult(mlir::ImplicitLocOpBuilder &b, Value x, Value y);

Value empty(mlir::ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape, Type element);
Value filled(mlir::ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape, Value scalar);
Value zeros(mlir::ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape, Type element);
Value reshape(mlir::ImplicitLocOpBuilder &b, Value tensor, ArrayRef<int64_t> shape);
Value transpose(mlir::ImplicitLocOpBuilder &b, Value tensor, ArrayRef<int64_t> permutation);
Value pad(mlir::ImplicitLocOpBuilder &b, Value tensor, ArrayRef<int64_t> low,
          ArrayRef<int64_t> high, Value scalar);
Value slice(mlir::ImplicitLocOpBuilder &b, Value tensor, ArrayRef<int64_t> starts,
            ArrayRef<int64_t> sizes, ArrayRef<int64_t> steps);
/// The same from places that may depend on the step of a loop.
Value sliceAt(mlir::ImplicitLocOpBuilder &b, Value tensor, ArrayRef<mlir::OpFoldResult> starts,
              ArrayRef<int64_t> sizes, ArrayRef<int64_t> steps);
Value concat(mlir::ImplicitLocOpBuilder &b, int64_t axis, ValueRange tensors);
/// A float tensor in another float type.
Value castTo(mlir::ImplicitLocOpBuilder &b, Value tensor, Type element);
/// A constant of f32.
Value floats(mlir::ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape, ArrayRef<float> values);
/// A vector as tensor of `rank` dimensions that lies along dimension `axis`.
Value along(mlir::ImplicitLocOpBuilder &b, Value vector, int64_t axis, int64_t rank);

/// The integers of a constant small enough to be read while compiling.
std::optional<Shape> knownInts(mlir::ElementsAttr constant);

/// Whether values of this element type are computed at run time.
bool isComputable(Type element);
/// "float32", "int64", ... as ONNX users write it.
std::string typeName(Type element);
/// "1x3x224x224".
std::string shapeName(ArrayRef<int64_t> shape);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_BUILD_H
