//===- HostEvaluator.cpp - arithmetic on shapes, done while compiling -----===//
//
// Exporters compute shapes by nodes: Shape, Gather, Concat, Mul, ... Such values
// are small integer tensors, and single floats where sizes are scaled or divided.
// This folds them; it never sees weights. What a loop computes from the number of its step stays
// linear in it through the same nodes, evaluated for the parts of the linear form.
//
//===----------------------------------------------------------------------===//
#include "Build.h"
#include "SliceRange.h"
#include "Types.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

namespace {

/// Integers, or floats as the bits of float32.
struct HostTensor {
  Shape shape;
  Type element;
  SmallVector<int64_t> data;
};

using Operands = ArrayRef<HostTensor>;
using Evaluated = std::optional<HostTensor>;
using Evaluator = std::function<Evaluated(NodeContext &, Operands)>;

struct Entry {
  unsigned leastOperands;
  Evaluator evaluate;
};

constexpr int64_t maxElements = 1024;

float floatOf(int64_t bits) { return llvm::bit_cast<float>(uint32_t(bits)); }
int64_t bitsOf(float value) { return llvm::bit_cast<uint32_t>(value); }

/// Builds a tensor whose element at `index` is operand `from(index)` of `x`.
Evaluated rearrange(const HostTensor &x, ArrayRef<int64_t> shape,
                    llvm::function_ref<int64_t(ArrayRef<int64_t>)> from) {
  int64_t count = product(shape);
  if (count > maxElements || llvm::any_of(shape, [](int64_t size) { return size < 0; }))
    return std::nullopt;
  HostTensor result = {Shape(shape), x.element, {}};
  Shape index(shape.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    result.data.push_back(x.data[from(index)]);
    for (int64_t d = shape.size() - 1; d >= 0 && ++index[d] == shape[d]; --d)
      index[d] = 0;
  }
  return result;
}

int64_t offset(ArrayRef<int64_t> index, ArrayRef<int64_t> shape) {
  int64_t at = 0;
  for (auto [i, size] : llvm::zip(index.take_back(shape.size()), shape))
    at = at * size + (size == 1 ? 0 : i);
  return at;
}

Evaluated broadcastTo(const HostTensor &x, ArrayRef<int64_t> shape) {
  return rearrange(x, shape, [&](ArrayRef<int64_t> index) { return offset(index, x.shape); });
}

using Function = std::optional<int64_t> (*)(int64_t x, int64_t y);

Evaluated combine(const HostTensor &x, const HostTensor &y, Type element, Function f) {
  auto shape = broadcast(x.shape, y.shape);
  if (!shape)
    return std::nullopt;
  Evaluated result = broadcastTo(x, *shape), other = broadcastTo(y, *shape);
  if (!result || !other)
    return std::nullopt;
  for (auto [value, second] : llvm::zip(result->data, other->data)) {
    auto folded = f(value, second);
    if (!folded)
      return std::nullopt;
    value = *folded;
  }
  result->element = element;
  return result;
}

Evaluator binary(Function f, bool compares = false) {
  return [=](NodeContext &c, Operands x) -> Evaluated {
    return combine(x[0], x[1], compares ? Type(c.b.getI1Type()) : x[0].element, f);
  };
}

Evaluator variadic(Function f) {
  return [=](NodeContext &, Operands operands) {
    Evaluated result = operands.front();
    for (const HostTensor &next : operands.drop_front())
      if (result)
        result = combine(*result, next, next.element, f);
    return result;
  };
}

Evaluator unary(int64_t (*f)(int64_t)) {
  return [=](NodeContext &, Operands x) -> Evaluated {
    HostTensor result = x[0];
    for (int64_t &value : result.data)
      value = f(value);
    return result;
  };
}

Evaluated concatenate(NodeContext &c, Operands x) {
  auto axis = c.axis(c.intAttr("axis", 1), c.rank(0));
  if (failed(axis))
    return std::nullopt;
  HostTensor result = x[0];
  result.data.clear();
  result.shape[*axis] = 0;
  for (const HostTensor &part : x) {
    if (part.shape.size() != result.shape.size())
      return std::nullopt;
    for (size_t d = 0; d < part.shape.size(); ++d)
      if (int64_t(d) != *axis && part.shape[d] != x[0].shape[d])
        return std::nullopt;
    result.shape[*axis] += part.shape[*axis];
  }
  int64_t outer = product(ArrayRef(result.shape).take_front(*axis));
  for (int64_t i = 0; i < outer; ++i)
    for (const HostTensor &part : x) {
      int64_t run = part.data.size() / outer;
      result.data.append(part.data.begin() + i * run, part.data.begin() + (i + 1) * run);
    }
  return result;
}

Evaluated slice(NodeContext &c, Operands x) {
  if (x.size() < 3 && !c.hasAttr("starts"))
    return std::nullopt;
  auto range = readSlice(c, x.size() > 1);
  if (failed(range))
    return std::nullopt;
  return rearrange(x[0], range->sizes, [&](ArrayRef<int64_t> index) {
    Shape source(index);
    for (auto [i, start, step] : llvm::zip(source, range->starts, range->steps))
      i = start + i * step;
    return offset(source, x[0].shape);
  });
}

Evaluated gather(NodeContext &c, Operands x) {
  auto axis = c.axis(c.intAttr("axis", 0), c.rank(0));
  if (failed(axis))
    return std::nullopt;
  const HostTensor &data = x[0], &indices = x[1];
  int64_t extent = data.shape[*axis];
  if (llvm::any_of(indices.data, [&](int64_t i) { return i < -extent || i >= extent; }))
    return std::nullopt;
  Shape shape(ArrayRef(data.shape).take_front(*axis));
  shape.append(indices.shape);
  shape.append(data.shape.begin() + *axis + 1, data.shape.end());
  return rearrange(data, shape, [&](ArrayRef<int64_t> index) {
    Shape source(index.take_front(*axis));
    int64_t chosen = indices.data[offset(index.slice(*axis, indices.shape.size()), indices.shape)];
    source.push_back(chosen < 0 ? chosen + extent : chosen);
    ArrayRef<int64_t> rest = index.drop_front(*axis + indices.shape.size());
    source.append(rest.begin(), rest.end());
    return offset(source, data.shape);
  });
}

Evaluated transposed(NodeContext &c, Operands x) {
  Shape reversed = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, c.rank(0))));
  Shape permutation = c.intsAttr("perm", reversed), shape;
  if (permutation.size() != reversed.size() || !isPermutationVector(permutation))
    return std::nullopt;
  for (int64_t dim : permutation)
    shape.push_back(x[0].shape[dim]);
  return rearrange(x[0], shape, [&](ArrayRef<int64_t> index) {
    Shape source(index.size());
    for (auto [i, dim] : llvm::enumerate(permutation))
      source[dim] = index[i];
    return offset(source, x[0].shape);
  });
}

Evaluated reshaped(HostTensor x, FailureOr<Shape> shape) {
  if (failed(shape) || product(*shape) != int64_t(x.data.size()))
    return std::nullopt;
  x.shape = *shape;
  return x;
}

Evaluated reshape(NodeContext &c, Operands x) {
  return reshaped(x[0], reshapedShape(c, x[1].data, c.flagAttr("allowzero", false)));
}

FailureOr<Shape> axesOf(NodeContext &c, Operands x, int64_t rankBeyond) {
  Shape axes = x.size() > 1 ? Shape(x[1].data) : c.intsAttr("axes");
  return c.axes(axes, c.rank(0) + rankBeyond * int64_t(axes.size()));
}

Evaluated unsqueeze(NodeContext &c, Operands x) {
  auto axes = axesOf(c, x, 1);
  if (failed(axes) || axes->empty())
    return std::nullopt;
  llvm::sort(*axes);
  Shape shape(x[0].shape);
  for (int64_t axis : *axes)
    shape.insert(shape.begin() + axis, 1);
  return reshaped(x[0], shape);
}

Evaluated squeeze(NodeContext &c, Operands x) {
  auto axes = axesOf(c, x, 0);
  if (failed(axes))
    return std::nullopt;
  Shape shape;
  for (auto [i, size] : llvm::enumerate(x[0].shape))
    if (!(axes->empty() ? size == 1 : llvm::is_contained(*axes, int64_t(i))))
      shape.push_back(size);
  return reshaped(x[0], shape);
}

std::optional<int64_t> castElement(int64_t value, Type from, Type to) {
  bool isFloat = isa<FloatType>(from);
  if (to.isF32())
    return isFloat ? value : bitsOf(float(value));
  if (to.isInteger(1))
    return isFloat ? floatOf(value) != 0 : value != 0;
  if (!isFloat)
    return value;
  float limit = std::ldexp(1.0f, to.getIntOrFloatBitWidth() - 1);
  bool fits = floatOf(value) >= -limit && floatOf(value) < limit;
  return fits ? std::optional<int64_t>(floatOf(value)) : std::nullopt;
}

std::string printed(float value) {
  if (std::isnan(value))
    return "nan"; // whatever its sign
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return text;
}

Evaluated cast(NodeContext &c, Operands x) {
  c.ignore({"saturate", "round_mode"});
  Type to = declaredType(c.b.getContext(), c.intAttr("to", 0));
  if (!to || !(to.isF32() || to.isInteger(1) || to.isInteger(32) || to.isInteger(64)) ||
      to.isUnsignedInteger())
    return std::nullopt;
  HostTensor result = {x[0].shape, to, {}};
  for (int64_t value : x[0].data) {
    auto element = castElement(value, x[0].element, to);
    if (!element) {
      c.unknownBecause("it comes from " + printed(floatOf(value)) + ", which no " + typeName(to) +
                       " holds");
      return std::nullopt;
    }
    result.data.push_back(*element);
  }
  return result;
}

Evaluated where(NodeContext &, Operands x) {
  auto shape = broadcast(x[0].shape, x[1].shape);
  if (shape)
    shape = broadcast(*shape, x[2].shape);
  if (!shape)
    return std::nullopt;
  Evaluated condition = broadcastTo(x[0], *shape), yes = broadcastTo(x[1], *shape),
            no = broadcastTo(x[2], *shape);
  if (!condition || !yes || !no)
    return std::nullopt;
  for (auto [value, choose, other] : llvm::zip(yes->data, condition->data, no->data))
    value = choose ? value : other;
  return yes;
}

Evaluated range(NodeContext &, Operands x) {
  for (const HostTensor &operand : x)
    if (operand.data.size() != 1)
      return std::nullopt;
  int64_t start = x[0].data[0], limit = x[1].data[0], delta = x[2].data[0];
  HostTensor result = {{0}, x[0].element, {}};
  for (int64_t value = start; delta > 0 ? value < limit : value > limit; value += delta) {
    if (delta == 0 || result.data.size() == maxElements)
      return std::nullopt;
    result.data.push_back(value);
  }
  result.shape[0] = result.data.size();
  return result;
}

Evaluated expand(NodeContext &, Operands x) {
  auto shape = broadcast(x[0].shape, x[1].data);
  return shape ? broadcastTo(x[0], *shape) : std::nullopt;
}

Evaluator reduceAll(Function f, int64_t start) {
  return [=](NodeContext &c, Operands x) -> Evaluated {
    bool keep = c.flagAttr("keepdims", true);
    (void)c.flagAttr("noop_with_empty_axes", false);
    auto axes = axesOf(c, x, 0);
    if (failed(axes) || x[0].shape.size() > 1 || (axes->empty() && !x[0].shape.empty()))
      return std::nullopt;
    int64_t folded = start;
    for (int64_t value : x[0].data)
      folded = *f(folded, value);
    return HostTensor{keep ? Shape(x[0].shape.size(), 1) : Shape(), x[0].element, {folded}};
  };
}

#define FOLD(expression) [](int64_t x, int64_t y) -> std::optional<int64_t> { return expression; }
#define FOLD_IF(condition, expression)                                                             \
  [](int64_t x, int64_t y) -> std::optional<int64_t> {                                             \
    return condition ? std::optional<int64_t>(expression) : std::nullopt;                          \
  }

int64_t floorMod(int64_t x, int64_t y) { return (x % y + y) % y; }
int64_t wrap(uint64_t x) { return int64_t(x); }

/// Floats of other types are rounded to these on the machine alone.
bool areFloat32(Operands x) {
  return llvm::all_of(x, [](const HostTensor &one) { return one.element.isF32(); });
}

template <float (*f)(float, float)>
Evaluated binaryFloat(NodeContext &, Operands x) {
  if (!areFloat32(x))
    return std::nullopt;
  return combine(x[0], x[1], x[0].element, [](int64_t a, int64_t b) -> std::optional<int64_t> {
    return bitsOf(f(floatOf(a), floatOf(b)));
  });
}

template <float (*f)(float)>
Evaluated unaryFloat(NodeContext &, Operands x) {
  if (!areFloat32(x))
    return std::nullopt;
  HostTensor result = x[0];
  for (int64_t &value : result.data)
    value = bitsOf(f(floatOf(value)));
  return result;
}

/// On single floats, as float32 computes them.
const llvm::StringMap<Entry> &floatEvaluators() {
  static const llvm::StringMap<Entry> table = {
      {"Add", {2, binaryFloat<[](float x, float y) { return x + y; }>}},
      {"Sub", {2, binaryFloat<[](float x, float y) { return x - y; }>}},
      {"Mul", {2, binaryFloat<[](float x, float y) { return x * y; }>}},
      {"Div", {2, binaryFloat<[](float x, float y) { return x / y; }>}},
      {"Ceil", {1, unaryFloat<[](float x) { return std::ceil(x); }>}},
      {"Floor", {1, unaryFloat<[](float x) { return std::floor(x); }>}},
      {"Relu", {1, unaryFloat<[](float x) { return x < 0 ? 0 : x; }>}},
      {"Cast", {1, cast}},
  };
  return table;
}

const llvm::StringMap<Entry> &evaluators() {
  static const llvm::StringMap<Entry> table = {
      {"Add", {2, binary(FOLD(wrap(uint64_t(x) + uint64_t(y))))}},
      {"Sub", {2, binary(FOLD(wrap(uint64_t(x) - uint64_t(y))))}},
      {"Mul", {2, binary(FOLD(wrap(uint64_t(x) * uint64_t(y))))}},
      {"Div", {2, binary(FOLD_IF((y != 0 && y != -1), x / y))}},
      {"Mod", {2, binary(FOLD_IF((y > 0), floorMod(x, y)))}},
      {"Min", {1, variadic(FOLD(std::min(x, y)))}},
      {"Max", {1, variadic(FOLD(std::max(x, y)))}},
      {"And", {2, binary(FOLD(x & y))}},
      {"Or", {2, binary(FOLD(x | y))}},
      {"Equal", {2, binary(FOLD(x == y), true)}},
      {"Less", {2, binary(FOLD(x < y), true)}},
      {"LessOrEqual", {2, binary(FOLD(x <= y), true)}},
      {"Greater", {2, binary(FOLD(x > y), true)}},
      {"GreaterOrEqual", {2, binary(FOLD(x >= y), true)}},
      {"ReduceProd", {1, reduceAll(FOLD(wrap(uint64_t(x) * uint64_t(y))), 1)}},
      {"ReduceSum", {1, reduceAll(FOLD(wrap(uint64_t(x) + uint64_t(y))), 0)}},
      {"Neg", {1, unary([](int64_t x) { return wrap(0 - uint64_t(x)); })}},
      {"Abs", {1, unary([](int64_t x) { return x < 0 ? wrap(0 - uint64_t(x)) : x; })}},
      {"Not", {1, unary([](int64_t x) { return int64_t(!x); })}},
      {"Cast", {1, cast}},
      {"Concat", {1, concatenate}},
      {"Expand", {2, expand}},
      {"Gather", {2, gather}},
      {"Range", {3, range}},
      {"Reshape", {2, reshape}},
      {"Slice", {1, slice}},
      {"Squeeze", {1, squeeze}},
      {"Transpose", {1, transposed}},
      {"Unsqueeze", {1, unsqueeze}},
      {"Where", {3, where}},
  };
  return table;
}

DenseElementsAttr attributeOf(const HostTensor &x) {
  auto type = RankedTensorType::get(x.shape, x.element);
  SmallVector<Attribute> values;
  Builder b(x.element.getContext());
  for (int64_t value : x.data)
    if (auto integer = dyn_cast<IntegerType>(x.element))
      values.push_back(
          b.getIntegerAttr(integer, APInt(64, value, true).sextOrTrunc(integer.getWidth())));
    else
      values.push_back(b.getFloatAttr(x.element, floatOf(value)));
  return DenseElementsAttr::get(type, values);
}

std::optional<HostTensor> readOperand(NodeContext &c, unsigned i) {
  if (auto values = c.ints(i)) {
    if (c.isUnsigned(i))
      return std::nullopt;
    return HostTensor{Shape(c.shape(i)), c.type(i).getElementType(), std::move(*values)};
  }
  auto value = c.knownScalar(i);
  if (!value || !isa<FloatType>(c.constant(i).getElementType()))
    return std::nullopt;
  return HostTensor{Shape(c.shape(i)), c.declared(i), {bitsOf(float(*value))}};
}

Evaluated evaluate(NodeContext &c, Operands operands) {
  bool floats = llvm::any_of(
      operands, [](const HostTensor &operand) { return isa<FloatType>(operand.element); });
  const llvm::StringMap<Entry> &table = floats ? floatEvaluators() : evaluators();
  auto found = table.find(c.op());
  if (found == table.end() || c.size() < found->second.leastOperands)
    return std::nullopt;
  return found->second.evaluate(c, operands);
}

} // namespace

bool dojo::onnx::evaluateOnHost(NodeContext &c) {
  if (!c.domain().empty() ||
      (!evaluators().contains(c.op()) && !floatEvaluators().contains(c.op())))
    return false;
  SmallVector<HostTensor> operands;
  for (unsigned i = 0; i < c.size(); ++i) {
    auto operand = readOperand(c, i);
    if (!operand)
      return false;
    operands.push_back(std::move(*operand));
  }
  Evaluated result = evaluate(c, operands);
  if (!result)
    return false;
  c.result(0, ElementsAttr(attributeOf(*result)));
  return true;
}

/// f(base + step * slope, k) = f(base, k) + step * f(slope, k'), where k' is 0 for operators that
/// are linear in all operands together and k for those that are linear in each, or only move the
/// first.
std::optional<ByStep> dojo::onnx::evaluateByStep(NodeContext &c) {
  bool isSum = llvm::is_contained({"Add", "Sub", "Concat"}, c.op()), isProduct = c.op() == "Mul";
  bool moves = llvm::is_contained(
      {"Expand", "Gather", "Neg", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"}, c.op());
  if (!c.domain().empty() || !(isSum || isProduct || moves))
    return std::nullopt;
  auto formOf = [&](unsigned i) { return c.has(i) ? c.operand(i).byStep : std::nullopt; };
  auto operandNumbers = llvm::seq<unsigned>(0, c.size());
  auto first = llvm::find_if(operandNumbers, formOf);
  if (first == operandNumbers.end() || (moves && *first > 0))
    return std::nullopt;
  std::optional<ByStep> result = formOf(*first);
  SmallVector<HostTensor> bases, slopes;
  for (unsigned i : operandNumbers) {
    std::optional<ByStep> linear = formOf(i);
    bool combines = i == *first || (isSum && linear && linear->step == result->step);
    auto known = linear ? std::nullopt : readOperand(c, i);
    if (linear ? !combines : !known)
      return std::nullopt;
    HostTensor tensor = {Shape(c.shape(i)), c.declared(i), linear ? linear->base : known->data};
    bases.push_back(tensor);
    if (linear)
      tensor.data = linear->slope;
    else if (isSum)
      llvm::fill(tensor.data, 0);
    slopes.push_back(std::move(tensor));
  }
  Evaluated base = evaluate(c, bases), slope = evaluate(c, slopes);
  if (!base || !slope)
    return std::nullopt;
  result->base = std::move(base->data);
  result->slope = std::move(slope->data);
  return result;
}
