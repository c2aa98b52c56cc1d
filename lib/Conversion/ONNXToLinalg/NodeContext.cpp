//===- NodeContext.cpp - what a handler sees of its node ------------------===//
#include "Types.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace dojo::onnx;

/// Constants up to this many elements may be read while compiling.
static constexpr int64_t maxKnownElements = 1024;

Known dojo::onnx::knownConstant(ElementsAttr constant) {
  Type declared = constant.getElementType(), computed = computedType(declared);
  auto shape = constant.getShapedType().getShape();
  return {RankedTensorType::get(shape, computed ? computed : declared),
          nullptr,
          constant,
          declared,
          {}};
}

Known &NodeContext::known(unsigned i) {
  if (has(i) && computedType(operands[i]->declared))
    return *operands[i];
  if (!failed && !has(i))
    (void)fail("its operand " + Twine(i) + " is missing");
  if (!failed)
    (void)fail("its operand " + Twine(i) + " is " + typeName(operands[i]->declared) +
               ", which no node computes");
  if (!absent.value) {
    absent.value = empty(b, {}, b.getF32Type());
    absent.type = cast<RankedTensorType>(absent.value.getType());
    absent.declared = b.getF32Type();
  }
  return absent;
}

/// Constants stand at the beginning of the function, for its loops and what follows them.
Value NodeContext::valueOf(Known &known) {
  if (!known.value) {
    OpBuilder::InsertionGuard guard(b);
    Operation *around = b.getInsertionBlock()->getParentOp();
    auto function = dyn_cast<func::FuncOp>(around);
    if (!function)
      function = around->getParentOfType<func::FuncOp>();
    b.setInsertionPointToStart(&function.front());
    known.value = materialise(b, known.constant);
  }
  return known.value;
}

std::optional<SmallVector<int64_t>> dojo::onnx::knownInts(ElementsAttr constant) {
  if (!constant || constant.getNumElements() > maxKnownElements)
    return std::nullopt;
  Type element = constant.getElementType();
  if (!element.isIntOrIndex())
    return std::nullopt;
  SmallVector<int64_t> values;
  if (auto dense = dyn_cast<DenseIntElementsAttr>(constant)) {
    for (const APInt &value : dense.getValues<APInt>())
      values.push_back(element.isInteger(1) || element.isUnsignedInteger() ? value.getZExtValue()
                                                                           : value.getSExtValue());
    return values;
  }
  auto copy = [&](auto resource) {
    auto data = resource ? resource.tryGetAsArrayRef() : std::nullopt;
    if (data)
      values.assign(data->begin(), data->end());
    return bool(data);
  };
  if (constant.getNumElements() == 0 || copy(dyn_cast<DenseI64ResourceElementsAttr>(constant)) ||
      copy(dyn_cast<DenseI32ResourceElementsAttr>(constant)))
    return values;
  return std::nullopt;
}

std::optional<SmallVector<int64_t>> NodeContext::ints(unsigned i) const {
  return knownInts(constant(i));
}

FailureOr<SmallVector<int64_t>> NodeContext::needInts(unsigned i, StringRef what) {
  if (auto values = ints(i))
    return std::move(*values);
  return failUnknown(i, "its " + what + " must be integers known when compiling");
}

FailureOr<int64_t> NodeContext::needInt(unsigned i, StringRef what) {
  auto values = needInts(i, what);
  if (mlir::failed(values))
    return failure();
  if (values->size() != 1)
    return fail("its " + what + " has " + Twine(values->size()) + " values, one is expected");
  return values->front();
}

LogicalResult NodeContext::failUnknown(unsigned i, const Twine &cause) {
  if (has(i) && operands[i]->whyUnknown)
    return fail(cause + "; " + operands[i]->whyUnknown.strref());
  SetVector<Value> behind;
  if (has(i))
    behind.insert(node.getInputs()[i]);
  std::string inputs;
  auto insertRead = [&](Operation *op) {
    behind.insert(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), behind);
  };
  for (unsigned next = 0; next < behind.size(); ++next) {
    auto argument = dyn_cast<BlockArgument>(behind[next]);
    if (!argument) {
      insertRead(behind[next].getDefiningOp());
      continue;
    }
    Operation *around = argument.getOwner()->getParentOp();
    auto function = dyn_cast<func::FuncOp>(around);
    if (!function)
      insertRead(around);
    else if (auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), nameAttr))
      inputs += (inputs.empty() ? "'" : ", depends on input '") + name.str() + "'";
  }
  if (inputs.empty())
    return fail(cause, "make them an initializer, or compute them from shapes");
  return fail(cause + "; it depends on input " + inputs, "make that an initializer");
}

std::optional<double> NodeContext::knownScalar(unsigned i) const {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(constant(i));
  if (!dense || dense.getNumElements() != 1)
    return std::nullopt;
  if (dense.getElementType().isIntOrIndex())
    return double(knownInts(dense)->front());
  if (isa<FloatType>(dense.getElementType()))
    return dense.getValues<APFloat>()[0].convertToDouble();
  return std::nullopt;
}

FailureOr<double> NodeContext::needScalar(unsigned i, StringRef what) {
  if (auto value = knownScalar(i))
    return *value;
  return failUnknown(i, "its " + what + " must be a scalar known when compiling");
}

Attribute NodeContext::attr(StringRef name) {
  read.insert(name);
  return node.getParams().get(name);
}

template <typename Attr, typename Otherwise, typename Get>
static auto readAttr(NodeContext &context, StringRef name, const char *kind, Otherwise otherwise,
                     Get get) -> Otherwise {
  Attribute attribute = context.attr(name);
  if (!attribute)
    return otherwise;
  if (auto typed = dyn_cast<Attr>(attribute))
    return get(typed);
  (void)context.fail("its attribute '" + name + "' is not " + kind);
  return otherwise;
}

int64_t NodeContext::intAttr(StringRef name, int64_t otherwise) {
  return readAttr<IntegerAttr>(*this, name, "an integer", otherwise,
                               [](IntegerAttr a) { return a.getInt(); });
}
bool NodeContext::flagAttr(StringRef name, bool otherwise) {
  int64_t value = intAttr(name, otherwise);
  if (value != 0 && value != 1)
    (void)fail("its attribute '" + name + "' is " + Twine(value) + ", neither 0 nor 1");
  return value;
}
double NodeContext::floatAttr(StringRef name, double otherwise) {
  return readAttr<FloatAttr>(*this, name, "a float", otherwise,
                             [](FloatAttr a) { return a.getValueAsDouble(); });
}
double NodeContext::numberAttr(StringRef name, double otherwise) {
  if (auto integer = dyn_cast_or_null<IntegerAttr>(attr(name)))
    return integer.getInt();
  return floatAttr(name, otherwise);
}
std::string NodeContext::stringAttr(StringRef name, StringRef otherwise) {
  return readAttr<StringAttr>(*this, name, "a string", otherwise.str(),
                              [](StringAttr a) { return a.str(); });
}
SmallVector<int64_t> NodeContext::intsAttr(StringRef name, ArrayRef<int64_t> otherwise) {
  return readAttr<DenseI64ArrayAttr>(
      *this, name, "a list of integers", SmallVector<int64_t>(otherwise),
      [](DenseI64ArrayAttr a) { return SmallVector<int64_t>(a.asArrayRef()); });
}

FailureOr<SmallVector<Known>> NodeContext::lowerAs(const Handler &handler,
                                                   MutableArrayRef<Known> with) {
  SmallVector<Known *> pointers;
  for (Known &operand : with)
    pointers.push_back(&operand);
  NodeContext inner(*this);
  inner.operands = pointers;
  bool lowered = succeeded(handler(inner)) && !inner.failed;
  read = std::move(inner.read);
  failed |= inner.failed;
  if (!lowered)
    return failure();
  return std::move(inner.results);
}

void NodeContext::result(unsigned i, Value value) {
  Type declared = elementOf(value);
  for (Known *operand : operands)
    if (operand && !operand->isList() && operand->type.getElementType() == elementOf(value)) {
      declared = operand->declared;
      break;
    }
  result(i, value, declared);
}
void NodeContext::result(unsigned i, Value value, Type declared) {
  if (i < results.size())
    results[i] = {cast<RankedTensorType>(value.getType()), value, nullptr, declared, {}};
}
void NodeContext::result(unsigned i, ElementsAttr constant) {
  if (i < results.size())
    results[i] = knownConstant(constant);
}
void NodeContext::result(unsigned i, Type declared, std::vector<Known> items) {
  result(i, Known{{}, {}, {}, declared, std::move(items)});
}
void NodeContext::limit(unsigned i, int64_t dim, Value count) {
  if (i < results.size())
    results[i].extents.push_back({dim, count});
}
ArrayRef<Extent> NodeContext::extents(unsigned i) {
  extentsRead.insert(i);
  return known(i).extents;
}
void NodeContext::forward(unsigned i, unsigned operand) {
  extentsRead.insert(operand);
  result(i, this->operand(operand));
}

void NodeContext::result(unsigned i, const Known &known) {
  if (i < results.size())
    results[i] = known;
}

Region *NodeContext::graph(StringRef name) {
  auto bodies = node.getBodies().value_or(ArrayAttr());
  for (unsigned i = 0; bodies && i < bodies.size(); ++i)
    if (cast<StringAttr>(bodies[i]).getValue() == name)
      return &node.getGraphs()[i];
  return nullptr;
}

Type NodeContext::statedInput(StringRef name, unsigned i) {
  Region *body = graph(name);
  return body && i < body->getNumArguments() ? body->getArgument(i).getType() : Type();
}

FailureOr<SmallVector<Known>> NodeContext::lowerBody(StringRef name, ArrayRef<Known> inputs) {
  Region *body = graph(name);
  if (!body)
    return fail("it has no graph '" + name + "'");
  if (body->getNumArguments() != inputs.size())
    return fail("its graph '" + name + "' has " + Twine(body->getNumArguments()) +
                " inputs, expected " + Twine(inputs.size()));
  return lowerGraph(*body, inputs);
}

LogicalResult NodeContext::fail(const Twine &cause, const Twine &help) {
  if (std::exchange(failed, true))
    return failure();
  InFlightDiagnostic diagnostic = node->emitError();
  diagnostic << "node '" << nodeName(node.getLoc()) << "' (" << op() << "): " << cause.str();
  std::string remedy = help.str();
  if (!remedy.empty())
    diagnostic << "; " << remedy;
  return diagnostic;
}

FailureOr<int64_t> NodeContext::axis(int64_t axis, int64_t rank) {
  int64_t positive = axis < 0 ? axis + rank : axis;
  if (positive >= 0 && positive < rank)
    return positive;
  return fail("its axis " + Twine(axis) + " is outside a tensor of " + Twine(rank) + " dimensions");
}

FailureOr<SmallVector<int64_t>> NodeContext::axes(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> positive;
  for (int64_t value : axes) {
    FailureOr<int64_t> a = axis(value, rank);
    if (mlir::failed(a))
      return failure();
    if (llvm::is_contained(positive, *a))
      return fail("its axes name dimension " + Twine(*a) + " twice");
    positive.push_back(*a);
  }
  return positive;
}
