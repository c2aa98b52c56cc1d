//===- Sequences.cpp - sequences and optionals, settled while compiling ---===//
//
// A list is known by its elements, so these operators move values between lists
// and leave nothing behind; cutting and joining tensors is slices and concats.
//
//===----------------------------------------------------------------------===//
#include "Types.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

using namespace mlir;
using namespace dojo::onnx;

/// Every element of a list is code of its own.
static constexpr int64_t maxItems = 1024;

static LogicalResult lowerConstruct(NodeContext &c) {
  std::vector<Known> items;
  for (unsigned i = 0; i < c.size(); ++i)
    items.push_back(c.operand(i));
  c.result(0, c.b.getType<SequenceType>(c.declared(0)), std::move(items));
  return success();
}

static LogicalResult lowerEmpty(NodeContext &c) {
  int64_t code = c.intAttr("dtype", 1);
  Type element = declaredType(c.b.getContext(), code);
  if (!element)
    return c.fail("its attribute 'dtype' names type " + Twine(code) + ", which no node computes");
  c.result(0, c.b.getType<SequenceType>(element), {});
  return success();
}

/// The place that operand `i` names among `count`, the last one if it is absent.
static FailureOr<int64_t> position(NodeContext &c, unsigned i, int64_t count) {
  int64_t at = count - 1;
  if (c.has(i)) {
    auto given = c.needInt(i, "position");
    if (failed(given))
      return failure();
    at = *given < 0 ? *given + count : *given;
  }
  if (at >= 0 && at < count)
    return at;
  return c.fail("its position is outside a sequence of " +
                Twine(int64_t(c.operand(0).items.size())) + " elements");
}

static LogicalResult lowerAt(NodeContext &c) {
  const std::vector<Known> &items = c.operand(0).items;
  auto at = position(c, 1, items.size());
  if (failed(at))
    return failure();
  c.result(0, items[*at]);
  return success();
}

static LogicalResult lowerErase(NodeContext &c) {
  std::vector<Known> items = c.operand(0).items;
  auto at = position(c, 1, items.size());
  if (failed(at))
    return failure();
  items.erase(items.begin() + *at);
  c.result(0, c.operand(0).declared, std::move(items));
  return success();
}

static LogicalResult lowerInsert(NodeContext &c) {
  std::vector<Known> items = c.operand(0).items;
  Type element = cast<SequenceType>(c.operand(0).declared).getElement();
  if (c.declared(1) != element)
    return c.fail("it inserts " + typeName(c.declared(1)) + " into a sequence of " +
                  typeName(element));
  int64_t count = items.size();
  if (count == maxItems)
    return c.fail("its sequence grows beyond " + Twine(maxItems) + " elements");
  // Negative positions count from the end, which is itself the last place to insert at.
  bool fromEnd = false;
  if (auto given = c.ints(2))
    fromEnd = given->size() == 1 && given->front() < 0;
  auto at = position(c, 2, fromEnd ? count : count + 1);
  if (failed(at))
    return failure();
  items.insert(items.begin() + *at, c.operand(1));
  c.result(0, c.operand(0).declared, std::move(items));
  return success();
}

static LogicalResult lowerLength(NodeContext &c) {
  int64_t count = c.operand(0).items.size();
  c.result(0, ElementsAttr(DenseElementsAttr::get(RankedTensorType::get({}, c.b.getI64Type()),
                                                  ArrayRef<int64_t>(count))));
  return success();
}

/// The sizes of the pieces of SplitToSequence along a dimension of `size`.
static FailureOr<Shape> pieces(NodeContext &c, int64_t size) {
  Shape sizes(1, 1);
  if (c.has(1)) {
    auto given = c.needInts(1, "split");
    if (failed(given))
      return failure();
    sizes = *given;
  }
  if (!c.has(1) || c.rank(1) == 0) {
    int64_t step = sizes.front();
    if (step <= 0 || llvm::divideCeil(size, step) > uint64_t(maxItems))
      return c.fail("it cannot cut a dimension of " + Twine(size) + " into pieces of " +
                    Twine(step));
    sizes.clear();
    for (int64_t at = 0; at < size; at += step)
      sizes.push_back(std::min(step, size - at));
  }
  int64_t rest = size;
  for (int64_t piece : sizes)
    rest = piece < 0 || piece > rest ? -1 : rest - piece;
  if (rest == 0)
    return sizes;
  return c.fail("its pieces " + shapeName(sizes) + " do not make up a dimension of " + Twine(size));
}

static LogicalResult lowerSplit(NodeContext &c) {
  auto axis = c.axis(c.intAttr("axis", 0), c.rank(0));
  bool squeezes = !c.flagAttr("keepdims", true) && !c.has(1);
  if (failed(axis))
    return failure();
  auto sizes = pieces(c, c.shape(0)[*axis]);
  if (failed(sizes))
    return failure();
  Shape starts(c.rank(0), 0), shape(c.shape(0)), ones(c.rank(0), 1);
  std::vector<Known> items;
  for (int64_t size : *sizes) {
    shape[*axis] = size;
    Value piece = slice(c.b, c.value(0), starts, shape, ones);
    starts[*axis] += size;
    if (squeezes) {
      Shape squeezed(shape);
      squeezed.erase(squeezed.begin() + *axis);
      piece = reshape(c.b, piece, squeezed);
    }
    items.push_back({cast<RankedTensorType>(piece.getType()), piece, nullptr, c.declared(0)});
  }
  c.result(0, c.b.getType<SequenceType>(c.declared(0)), std::move(items));
  return success();
}

static LogicalResult lowerConcat(NodeContext &c) {
  std::vector<Known> items = c.operand(0).items;
  bool isNew = c.flagAttr("new_axis", false);
  int64_t axis = c.intAttr("axis", 0);
  if (items.empty())
    return c.fail("its sequence is empty");
  RankedTensorType first = items.front().type;
  auto along = c.axis(axis, first.getRank() + isNew);
  if (failed(along))
    return failure();
  Shape joined(first.getShape());
  if (isNew)
    joined.insert(joined.begin() + *along, 1);
  Shape part(joined);
  joined[*along] = 0;
  SmallVector<Value> parts;
  for (Known &item : items) {
    Shape shape(item.type.getShape());
    if (isNew && shape.size() + 1 == part.size())
      shape.insert(shape.begin() + *along, 1);
    if (shape.size() == part.size())
      part[*along] = shape[*along];
    if (shape != part)
      return c.fail("it cannot join " + shapeName(item.type.getShape()) + " to " +
                    shapeName(first.getShape()));
    joined[*along] += part[*along];
    if (product(part))
      parts.push_back(reshape(c.b, c.valueOf(item), part));
  }
  Type declared = items.front().declared;
  c.result(0,
           parts.empty() ? empty(c.b, joined, first.getElementType()) : concat(c.b, *along, parts),
           declared);
  return success();
}

/// The body once for each element; lists step together, tensors are the same each time.
static LogicalResult lowerMap(NodeContext &c) {
  size_t count = c.operand(0).items.size();
  if (count == 0)
    return c.fail("it maps an empty sequence");
  for (unsigned i = 0; i < c.size(); ++i)
    if (c.operand(i).isList() && c.operand(i).items.size() != count)
      return c.fail("its sequences have " + Twine(count) + " and " +
                    Twine(c.operand(i).items.size()) + " elements");
  std::vector<std::vector<Known>> results(c.numResults());
  for (size_t element = 0; element < count; ++element) {
    SmallVector<Known> inputs;
    for (unsigned i = 0; i < c.size(); ++i)
      inputs.push_back(c.operand(i).isList() ? c.operand(i).items[element] : c.operand(i));
    auto outputs = c.lowerBody("body", inputs);
    if (failed(outputs))
      return failure();
    if (outputs->size() != results.size())
      return c.fail("its body gives " + Twine(outputs->size()) + " values for " +
                    Twine(results.size()) + " results");
    for (auto [list, output] : llvm::zip(results, *outputs))
      list.push_back(std::move(output));
  }
  for (auto [i, list] : llvm::enumerate(results)) {
    Type type = c.b.getType<SequenceType>(list.front().declared);
    c.result(i, type, std::move(list));
  }
  return success();
}

static LogicalResult lowerOptional(NodeContext &c) {
  auto given = dyn_cast_or_null<TypeAttr>(c.attr("type"));
  Type element = given ? given.getValue() : Type();
  if (auto tensor = dyn_cast_or_null<TensorType>(element))
    element = tensor.getElementType();
  if (!c.has(0)) {
    if (!element || isa<AnyType>(element))
      return c.fail("it has neither an operand nor a type");
    c.result(0, c.b.getType<OptionalType>(element), {});
    return success();
  }
  Type declared = c.operand(0).declared;
  if (element && element != declared)
    return c.fail("its attribute 'type' is " + typeName(element) + " and its operand " +
                  typeName(declared));
  c.result(0, c.b.getType<OptionalType>(declared), {c.operand(0)});
  return success();
}

static bool isAbsent(NodeContext &c) {
  return !c.has(0) || (isa<OptionalType>(c.operand(0).declared) && c.operand(0).items.empty());
}

static LogicalResult lowerHasElement(NodeContext &c) {
  c.result(0, ElementsAttr(DenseElementsAttr::get(RankedTensorType::get({}, c.b.getI1Type()),
                                                  !isAbsent(c))));
  return success();
}

static LogicalResult lowerGetElement(NodeContext &c) {
  if (isAbsent(c))
    return c.fail("its optional has no value");
  const Known &operand = c.operand(0);
  c.result(0, isa<OptionalType>(operand.declared) ? operand.items.front() : operand);
  return success();
}

void dojo::onnx::registerSequences(HandlerRegistry &registry) {
  registry.onOp("SequenceConstruct", 11, lowerConstruct);
  registry.onOp("SequenceEmpty", 11, lowerEmpty);
  registry.onOp("SequenceAt", 11, lowerAt);
  registry.onOp("SequenceErase", 11, lowerErase);
  registry.onOp("SequenceInsert", 11, lowerInsert);
  registry.onOp("SequenceLength", 11, lowerLength);
  registry.onOp("SplitToSequence", 11, lowerSplit);
  registry.onOp("ConcatFromSequence", 11, lowerConcat);
  registry.onOp("SequenceMap", 17, lowerMap);
  registry.onOp("Optional", 15, lowerOptional);
  registry.onOp("OptionalHasElement", 15, lowerHasElement);
  registry.onOp("OptionalGetElement", 15, lowerGetElement);
}
