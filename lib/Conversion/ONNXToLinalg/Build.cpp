//===- Build.cpp - structured operations on tensors of static shape -------===//
#include "Build.h"

#include "dojo/Dialect/ONNX/IR/ONNX.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace dojo::onnx;

Shape dojo::onnx::shapeOf(Value tensor) {
  return Shape(cast<RankedTensorType>(tensor.getType()).getShape());
}
Type dojo::onnx::elementOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getElementType();
}

int64_t dojo::onnx::product(ArrayRef<int64_t> sizes) {
  int64_t result = 1;
  for (int64_t size : sizes)
    result *= size;
  return result;
}

std::optional<Shape> dojo::onnx::broadcast(ArrayRef<int64_t> x, ArrayRef<int64_t> y) {
  if (x.size() < y.size())
    std::swap(x, y);
  Shape result(x);
  for (size_t i = 0; i < y.size(); ++i) {
    int64_t &size = result[x.size() - 1 - i];
    int64_t other = y[y.size() - 1 - i];
    if (size != other && size != 1 && other != 1)
      return std::nullopt;
    size = size == 1 ? other : size;
  }
  return result;
}

/// The one value all elements of a constant have, or null.
static TypedAttr uniform(Value tensor) {
  DenseElementsAttr dense;
  if (!matchPattern(tensor, m_Constant(&dense)) || !dense.isSplat())
    return nullptr;
  return cast<TypedAttr>(dense.getSplatValue<Attribute>());
}

/// Drops the unit dimensions of `tensor` if broadcasting to `shape` repeats any of
/// them, and gives the map from the iteration space to what is left.
static Value dropRepeated(ImplicitLocOpBuilder &b, Value tensor, ArrayRef<int64_t> shape,
                          AffineMap &map) {
  Shape from = shapeOf(tensor), kept;
  SmallVector<AffineExpr> dims;
  ArrayRef<int64_t> to = shape.take_back(from.size());
  size_t lead = shape.size() - from.size();
  bool repeats = to != ArrayRef(from);
  for (auto [i, size] : llvm::enumerate(from)) {
    if (repeats && size == 1)
      continue;
    kept.push_back(size);
    dims.push_back(b.getAffineDimExpr(lead + i));
  }
  map = AffineMap::get(shape.size(), 0, dims, b.getContext());
  return reshape(b, tensor, kept);
}

Value dojo::onnx::elementwise(ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape, Type element,
                              ValueRange operands, Body body) {
  SmallVector<Value> inputs;
  SmallVector<TypedAttr> constants;
  SmallVector<AffineMap> maps;
  for (Value operand : operands) {
    constants.push_back(uniform(operand));
    if (!constants.back()) {
      maps.emplace_back();
      inputs.push_back(dropRepeated(b, operand, shape, maps.back()));
    }
  }
  maps.push_back(b.getMultiDimIdentityMap(shape.size()));
  SmallVector<utils::IteratorType> iterators(shape.size(), utils::IteratorType::parallel);
  Value init = empty(b, shape, element);
  auto generic = linalg::GenericOp::create(
      b, init.getType(), inputs, init, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        SmallVector<Value> scalars;
        for (TypedAttr constant : constants) {
          scalars.push_back(constant ? arith::ConstantOp::create(nested, loc, constant).getResult()
                                     : arguments.front());
          if (!constant)
            arguments = arguments.drop_front();
        }
        Scalars s(nested, loc);
        linalg::YieldOp::create(nested, loc, body(s, scalars));
      });
  return generic.getResult(0);
}

static Value neutral(Scalars &s, Type element, Combine how) {
  switch (how) {
  case Combine::Add:
    return s.constant(element, 0);
  case Combine::Mul:
    return s.constant(element, 1);
  case Combine::Max:
    return s.lowest(element);
  case Combine::Min:
    return s.highest(element);
  }
  llvm_unreachable("no such combiner");
}

static Value combine(Scalars &s, Combine how, Value x, Value y) {
  switch (how) {
  case Combine::Add:
    return s.add(x, y);
  case Combine::Mul:
    return s.mul(x, y);
  case Combine::Max:
    return s.max(x, y);
  case Combine::Min:
    return s.min(x, y);
  }
  llvm_unreachable("no such combiner");
}

Value dojo::onnx::reduce(ImplicitLocOpBuilder &b, Value tensor, ArrayRef<int64_t> axes, bool keep,
                         Combine how, Body map, bool isUnsigned) {
  Shape from = shapeOf(tensor), to, kept(from);
  SmallVector<AffineExpr> dims;
  SmallVector<utils::IteratorType> iterators(from.size(), utils::IteratorType::parallel);
  for (auto [i, size] : llvm::enumerate(from)) {
    if (llvm::is_contained(axes, int64_t(i))) {
      iterators[i] = utils::IteratorType::reduction;
      kept[i] = 1;
      continue;
    }
    to.push_back(size);
    dims.push_back(b.getAffineDimExpr(i));
  }
  Scalars outer(b, b.getLoc());
  outer.isUnsigned = isUnsigned;
  Value init = filled(b, to, neutral(outer, elementOf(tensor), how));
  SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(from.size()),
                                 AffineMap::get(from.size(), 0, dims, b.getContext())};
  auto generic = linalg::GenericOp::create(
      b, init.getType(), tensor, init, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        Scalars s(nested, loc);
        s.isUnsigned = isUnsigned;
        Value x = map ? map(s, arguments.front()) : arguments.front();
        linalg::YieldOp::create(nested, loc, combine(s, how, arguments.back(), x));
      });
  return reshape(b, generic.getResult(0), keep ? kept : to);
}

Value dojo::onnx::fold(ImplicitLocOpBuilder &b, unsigned loops, ArrayRef<Indexed> inputs,
                       const Indexed &init, Body body) {
  SmallVector<AffineMap> maps;
  SmallVector<Value> tensors;
  auto mapOf = [&](const Indexed &operand) {
    SmallVector<AffineExpr> exprs;
    for (unsigned dim : operand.dims)
      exprs.push_back(b.getAffineDimExpr(dim));
    return AffineMap::get(loops, 0, exprs, b.getContext());
  };
  for (const Indexed &input : inputs) {
    maps.push_back(mapOf(input));
    tensors.push_back(input.tensor);
  }
  maps.push_back(mapOf(init));
  SmallVector<utils::IteratorType> iterators(loops, utils::IteratorType::reduction);
  for (unsigned dim : init.dims)
    iterators[dim] = utils::IteratorType::parallel;
  return linalg::GenericOp::create(b, init.tensor.getType(), tensors, init.tensor, maps, iterators,
                                   [&](OpBuilder &nested, Location loc, ValueRange arguments) {
                                     Scalars s(nested, loc);
                                     linalg::YieldOp::create(nested, loc, body(s, arguments));
                                   })
      .getResult(0);
}

Value dojo::onnx::iota(ImplicitLocOpBuilder &b, int64_t extent, int64_t axis, int64_t rank) {
  SmallVector<int32_t> numbers = llvm::to_vector(llvm::seq<int32_t>(0, extent));
  Shape shape(rank, 1);
  shape[axis] = extent;
  auto type = RankedTensorType::get(shape, b.getI32Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<int32_t>(numbers)));
}

Value dojo::onnx::pick(ImplicitLocOpBuilder &b, Value tensor, int64_t axis,
                       ArrayRef<int64_t> indices) {
  Shape shape = shapeOf(tensor), starts(shape.size(), 0), ones(shape.size(), 1);
  SmallVector<Value> runs;
  for (size_t at = 0; at < indices.size();) {
    size_t end = at + 1;
    while (end < indices.size() && indices[end] == indices[end - 1] + 1)
      ++end;
    starts[axis] = indices[at];
    shape[axis] = end - at;
    runs.push_back(slice(b, tensor, starts, shape, ones));
    at = end;
  }
  return concat(b, axis, runs);
}

Value dojo::onnx::empty(ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape, Type element) {
  return tensor::EmptyOp::create(b, shape, element);
}

Value dojo::onnx::filled(ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape, Value scalar) {
  Value init = empty(b, shape, scalar.getType());
  return linalg::FillOp::create(b, scalar, init).getResult(0);
}

Value dojo::onnx::zeros(ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape, Type element) {
  return filled(b, shape, Scalars(b, b.getLoc()).constant(element, 0));
}

Value dojo::onnx::transpose(ImplicitLocOpBuilder &b, Value tensor, ArrayRef<int64_t> permutation) {
  Shape from = shapeOf(tensor), to;
  int64_t last = -1;
  bool moves = false;
  for (int64_t dim : permutation) {
    to.push_back(from[dim]);
    if (from[dim] == 1)
      continue;
    moves |= dim < last;
    last = dim;
  }
  if (!moves)
    return reshape(b, tensor, to);
  Value init = empty(b, to, elementOf(tensor));
  return linalg::TransposeOp::create(b, tensor, init, permutation)->getResult(0);
}

Value dojo::onnx::pad(ImplicitLocOpBuilder &b, Value tensor, ArrayRef<int64_t> low,
                      ArrayRef<int64_t> high, Value scalar) {
  Shape shape = shapeOf(tensor);
  for (size_t i = 0; i < shape.size(); ++i)
    shape[i] += low[i] + high[i];
  auto type = RankedTensorType::get(shape, elementOf(tensor));
  if (type == tensor.getType())
    return tensor;

  return tensor::PadOp::create(b, type, tensor, getAsIndexOpFoldResult(b.getContext(), low),
                               getAsIndexOpFoldResult(b.getContext(), high), scalar);
}

Value dojo::onnx::slice(ImplicitLocOpBuilder &b, Value tensor, ArrayRef<int64_t> starts,
                        ArrayRef<int64_t> sizes, ArrayRef<int64_t> steps) {
  if (shapeOf(tensor) == Shape(sizes))
    return tensor;
  if (!product(sizes))
    return empty(b, sizes, elementOf(tensor));
  return sliceAt(b, tensor, getAsIndexOpFoldResult(b.getContext(), starts), sizes, steps);
}

Value dojo::onnx::sliceAt(ImplicitLocOpBuilder &b, Value tensor, ArrayRef<OpFoldResult> starts,
                          ArrayRef<int64_t> sizes, ArrayRef<int64_t> steps) {
  MLIRContext *c = b.getContext();
  return tensor::ExtractSliceOp::create(b, tensor, starts, getAsIndexOpFoldResult(c, sizes),
                                        getAsIndexOpFoldResult(c, steps));
}

Value dojo::onnx::concat(ImplicitLocOpBuilder &b, int64_t axis, ValueRange tensors) {
  if (tensors.size() == 1)
    return tensors.front();
  return tensor::ConcatOp::create(b, axis, tensors);
}

Value dojo::onnx::castTo(ImplicitLocOpBuilder &b, Value tensor, Type element) {
  if (elementOf(tensor) == element)
    return tensor;
  return elementwise(b, shapeOf(tensor), element, tensor,
                     [&](Scalars &s, ValueRange v) { return s.cast(v[0], element); });
}

Value dojo::onnx::floats(ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape, ArrayRef<float> values) {
  auto type = RankedTensorType::get(shape, b.getF32Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, values));
}

Value dojo::onnx::along(ImplicitLocOpBuilder &b, Value vector, int64_t axis, int64_t rank) {
  Shape shape(rank, 1);
  shape[axis] = product(shapeOf(vector));
  return reshape(b, vector, shape);
}

bool dojo::onnx::isComputable(Type element) {
  return element.isF32() || element.isBF16() || element.isSignlessInteger(1) ||
         element.isSignlessInteger(8) || element.isSignlessInteger(16) ||
         element.isSignlessInteger(32) || element.isSignlessInteger(64);
}

std::string dojo::onnx::typeName(Type element) {
  if (element.isInteger(1))
    return "bool";
  if (element.isBF16())
    return "bfloat16";
  std::string text;
  if (auto integer = dyn_cast<IntegerType>(element))
    return (integer.isUnsigned() ? "uint" : "int") + std::to_string(integer.getWidth());
  if (element.isF16() || element.isF32() || element.isF64())
    return "float" + std::to_string(element.getIntOrFloatBitWidth());
  if (auto complex = dyn_cast<ComplexType>(element))
    return "complex" + std::to_string(2 * complex.getElementType().getIntOrFloatBitWidth());
  if (isa<StringType>(element))
    return "string";
  if (auto sequence = dyn_cast<SequenceType>(element))
    return "seq(" + typeName(sequence.getElement()) + ")";
  if (auto optional = dyn_cast<OptionalType>(element))
    return "optional(" + typeName(optional.getElement()) + ")";
  llvm::raw_string_ostream(text) << element;
  // f8E4M3FN is float8e4m3fn; where all formats of a size are finite, ONNX does not say so.
  StringRef name = text;
  if (!isa<Float8E4M3FNType, Float8E4M3FNUZType, Float8E5M2FNUZType>(element))
    (void)(name.consume_back("FN") || name.consume_back("FNU"));
  return isa<FloatType>(element) ? "float" + name.drop_front().lower() : text;
}

std::string dojo::onnx::shapeName(ArrayRef<int64_t> shape) {
  std::string text;
  for (int64_t size : shape)
    text += (text.empty() ? "" : "x") + (ShapedType::isDynamic(size) ? "?" : std::to_string(size));
  return text.empty() ? "a scalar" : text;
}
