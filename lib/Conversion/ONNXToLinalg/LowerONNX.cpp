//===- LowerONNX.cpp - every onnx.node to structured operations -----------===//
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "dojo/Conversion/ONNXToLinalg/Passes.h"

#include "Schemas.h"
#include "Types.h"
#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include <map>

using namespace mlir;
using namespace dojo::onnx;

namespace dojo {
#define GEN_PASS_DEF_LOWERONNX
#include "dojo/Conversion/ONNXToLinalg/Passes.h.inc"
} // namespace dojo

namespace dojo::onnx {

/// An order that nothing observes.
struct ByAddress {
  bool operator()(Value x, Value y) const {
    return x.getAsOpaquePointer() < y.getAsOpaquePointer();
  }
};

/// Walks the nodes of one function in order and builds its successor.
class Walker {
public:
  Walker(func::FuncOp from, const HandlerRegistry &registry)
      : from(from), registry(registry), b(from.getLoc(), from.getContext()) {}

  /// Replaces the function; reports every node that cannot be lowered.
  LogicalResult run();

private:
  void reject(const Twine &cause) {
    from.emitError() << cause.str();
    ++rejected;
  }
  void reject(NodeOp node, const Twine &cause) {
    node.emitError() << "node '" << nodeName(node.getLoc()) << "' (" << node.getOpType()
                     << "): " << cause.str();
    ++rejected;
  }
  void checkNodes();
  void addArgument(unsigned index, Block &block);
  void visitAll(Block &block);
  void visit(NodeOp node);
  FailureOr<SmallVector<Known>> lowerGraph(Region &graph, ArrayRef<Known> inputs);
  const Handler *handlerOf(NodeOp node);
  void addOutput(const std::string &name, Known &known);
  SmallVector<SmallVector<int64_t>> addCounts(SmallVectorImpl<Value> &results);

  func::FuncOp from;
  const HandlerRegistry &registry;
  ImplicitLocOpBuilder b;
  /// Handlers refer to what they were given while the graphs inside of their node add more.
  std::map<Value, Known, ByAddress> values;
  /// The names of the types that arguments have outside; empty where the tensor says it.
  SmallVector<StringRef> elements;
  struct Output {
    std::string name;
    Value value;
    StringRef element; ///< the type that it has outside, like those of arguments
    SmallVector<Extent, 1> extents;
  };
  SmallVector<Output> outputs;
  llvm::DenseSet<NodeOp> wrong;
  unsigned rejected = 0;
};

static std::string describeDims(ArrayRef<int64_t> shape, ArrayAttr names) {
  std::string text;
  for (auto [i, size] : llvm::enumerate(shape)) {
    text += text.empty() ? "" : "x";
    StringRef name = names && i < names.size() ? cast<StringAttr>(names[i]).getValue() : "";
    text += !ShapedType::isDynamic(size) ? std::to_string(size) : name.empty() ? "?" : name.str();
  }
  return text;
}

void Walker::addArgument(unsigned index, Block &block) {
  BlockArgument argument = from.getArgument(index);
  auto nameOf = from.getArgAttrOfType<StringAttr>(index, nameAttr);
  std::string name = nameOf ? nameOf.str() : "#" + std::to_string(index);
  if (isa<SequenceType, OptionalType>(argument.getType()))
    return reject("input '" + name + "' is " + typeName(argument.getType()) +
                  "; give the shapes of its elements, with --shape '" + name +
                  "[0]=DIMS' and so on, or --shape " + name + "= if there is none");
  auto ranked = dyn_cast<RankedTensorType>(argument.getType());
  if (!isa<TensorType>(argument.getType()))
    return reject("input '" + name +
                  "' is no tensor; tensors, sequences and optionals of them are supported");
  if (!ranked)
    return reject("input '" + name + "' has no known rank; bind it with --shape " + name + "=DIMS");
  if (!ranked.hasStaticShape()) {
    std::string dims =
        describeDims(ranked.getShape(), from.getArgAttrOfType<ArrayAttr>(index, dimsAttr));
    return reject("input '" + name + "' has unbound dimensions: " + dims +
                  "; bind them with --shape " + name + "=DIMS");
  }
  Type declared = ranked.getElementType();
  if (!computedType(declared))
    return reject("input '" + name + "' is " + typeName(declared) +
                  ", which no node computes; floats, integers and bool are supported");
  Outside outside = outsideType(declared);
  Value tensor = block.addArgument(ranked.clone(outside.element), argument.getLoc());
  elements.push_back(outside.name);
  Value value = decoded(b, tensor, declared);
  values[argument] = {cast<RankedTensorType>(value.getType()), value, nullptr, declared, {}};
}

const Handler *Walker::handlerOf(NodeOp node) {
  StringRef domain = node.getDomain().value_or("");
  const Handler *handler = registry.find(domain, node.getOpType(), node.getOpset());
  if (handler)
    return handler;
  if (registry.knows(domain, node.getOpType()))
    reject(node, "the operator as of opset " + Twine(node.getOpset()) + " is not supported");
  else
    reject(node, domain.empty() ? Twine("the operator is not supported")
                                : "the operator of domain '" + domain + "' is not supported");
  return nullptr;
}

/// Reports what is wrong with nodes by themselves, those in bodies included.
void Walker::checkNodes() {
  llvm::StringMap<std::optional<int64_t>> newest;
  from.walk<WalkOrder::PreOrder>([&](NodeOp node) {
    StringRef domain = node.getDomain().value_or("");
    auto [known, isFirst] = newest.try_emplace(domain);
    if (isFirst)
      known->second = newestOpset(domain);
    if (known->second && int64_t(node.getOpset()) > *known->second) {
      if (isFirst)
        reject(node, "opset " + Twine(node.getOpset()) + " is newer than " + Twine(*known->second) +
                         ", the newest one that is known");
      wrong.insert(node);
      return;
    }
    std::string problem = problemOf(node, registry.knows(domain, node.getOpType()));
    if (problem.empty())
      return;
    reject(node, problem);
    wrong.insert(node);
  });
}

/// How a value differs from the type that the file states for it; empty if it does not.
static std::string difference(Type stated, const Known &known) {
  if (isa<AnyType>(stated))
    return "";
  auto tensor = dyn_cast<TensorType>(stated);
  Type element = tensor ? tensor.getElementType() : stated;
  if (element != known.declared)
    return "is declared as " + typeName(element) + " and is " + typeName(known.declared);
  if (!tensor || !tensor.hasRank())
    return "";
  // Of a size that the data decide, the value has the largest.
  Shape shape(known.type.getShape());
  for (const Extent &extent : known.extents)
    if (extent.dim < tensor.getRank() && !tensor.isDynamicDim(extent.dim))
      shape[extent.dim] = std::min(shape[extent.dim], tensor.getDimSize(extent.dim));
  if (succeeded(verifyCompatibleShape(tensor.getShape(), shape)))
    return "";
  return "is declared as " + shapeName(tensor.getShape()) + " and is " + shapeName(shape);
}

void Walker::visit(NodeOp node) {
  if (wrong.contains(node))
    return;
  const Handler *handler = handlerOf(node);
  if (!handler)
    return;
  SmallVector<Known *> operands;
  SmallVector<Type> types;
  for (Value input : node.getInputs()) {
    if (input.getDefiningOp<NoneOp>()) {
      operands.push_back(nullptr);
      types.push_back(nullptr);
      continue;
    }
    auto found = values.find(input);
    if (found == values.end())
      return;
    operands.push_back(&found->second);
    types.push_back(found->second.declared);
  }
  Signature signature(node);
  if (std::string problem = signature.bind(types); !problem.empty())
    return reject(node, problem);
  b.setLoc(node.getLoc());
  unsigned before = rejected;
  auto lower = [this](Region &graph, ArrayRef<Known> inputs) { return lowerGraph(graph, inputs); };
  NodeContext context(node, b, operands, lower);
  std::optional<ByStep> byStep = evaluateByStep(context);
  for (Known *operand : operands)
    if (operand && operand->whyUnknown && context.whyUnknown.empty())
      context.whyUnknown = operand->whyUnknown.str();
  bool lowered = evaluateOnHost(context) || (!context.failed && succeeded((*handler)(context)));
  if (byStep && lowered)
    context.results[0].byStep = std::move(byStep);
  for (NamedAttribute attribute : node.getParams())
    if (lowered && !context.read.contains(attribute.getName()))
      lowered = succeeded(
          context.fail("its attribute '" + attribute.getName().strref() + "' is not supported"));
  for (auto [i, operand] : llvm::enumerate(operands))
    if (lowered && operand && !operand->extents.empty() && !context.extentsRead.contains(i))
      lowered = succeeded(context.fail("the data decide the size of dimension " +
                                           Twine(operand->extents.front().dim) +
                                           " of its operand " + Twine(i),
                                       "make that an output of the model"));
  for (unsigned i = 0; lowered && i < node->getNumResults(); ++i)
    if (!context.results[i].declared && context.uses(i))
      lowered = succeeded(context.fail("its output " + Twine(i) + " is not supported"));
  if (!lowered || context.failed) {
    // A graph that cannot be lowered has been reported node by node.
    rejected = std::max(rejected, before + 1);
    return;
  }
  for (auto [i, known] : llvm::enumerate(context.results)) {
    if (!known.declared)
      continue;
    if (!known.constant)
      known.whyUnknown = context.whyUnknown.empty() ? nullptr : b.getStringAttr(context.whyUnknown);
    OpResult result = node->getResult(i);
    if (Type declared = signature.result(i); declared && computedType(declared))
      known.declared = declared;
    if (std::string problem = difference(result.getType(), known); !problem.empty())
      reject(node, "its result " + Twine(i) + " " + problem);
    else
      values[result] = known;
  }
}

void Walker::visitAll(Block &block) {
  for (Operation &op : block.without_terminator()) {
    if (auto constant = dyn_cast<ConstantOp>(op))
      values[constant.getResult()] = knownConstant(constant.getValue());
    else if (auto node = dyn_cast<NodeOp>(op))
      visit(node);
  }
}

FailureOr<SmallVector<Known>> Walker::lowerGraph(Region &graph, ArrayRef<Known> inputs) {
  Location around = b.getLoc();
  for (auto [argument, input] : llvm::zip(graph.getArguments(), inputs)) {
    values[argument] = input;
    // A value is an optional where the graph says so.
    auto optional = dyn_cast<OptionalType>(argument.getType());
    if (optional && optional.getElement() == input.declared)
      values[argument] = {{}, {}, {}, optional, {input}};
    std::string problem = difference(argument.getType(), values[argument]);
    if (problem.empty())
      continue;
    reject(cast<NodeOp>(graph.getParentOp()),
           "the input '" + nodeName(argument.getLoc()) + "' of its body " + problem);
    return failure();
  }
  visitAll(graph.front());
  b.setLoc(around);
  SmallVector<Known> outputs;
  for (Value output : graph.front().getTerminator()->getOperands()) {
    auto found = values.find(output);
    if (found == values.end())
      return failure();
    outputs.push_back(found->second);
  }
  return outputs;
}

/// Adds a tensor as output `name`, the elements of a list as `name`[0], `name`[1], ...
void Walker::addOutput(const std::string &name, Known &known) {
  if (isa<OptionalType>(known.declared) && known.items.empty())
    return reject("output '" + name + "' is an optional without a value; a program gives tensors");
  if (isa<OptionalType>(known.declared) && known.items.front().isList())
    return addOutput(name, known.items.front());
  if (known.isList()) {
    for (auto [i, item] : llvm::enumerate(known.items))
      addOutput(name + "[" + std::to_string(i) + "]", item);
    return;
  }
  if (!computedType(known.declared))
    return reject("output '" + name + "' is " + typeName(known.declared) +
                  ", which no node computes; floats, integers and bool are supported");
  Value value = known.value ? known.value : materialise(b, known.constant);
  outputs.push_back(
      {name, encoded(b, value, known.declared), outsideType(known.declared).name, known.extents});
}

/// Puts the counts of places behind the outputs; gives for each output the pairs of a
/// dimension and the number of its count.
SmallVector<SmallVector<int64_t>> Walker::addCounts(SmallVectorImpl<Value> &results) {
  SmallVector<SmallVector<int64_t>> pairs;
  llvm::SmallDenseMap<Value, int64_t> numbers;
  for (const Output &output : outputs) {
    pairs.emplace_back();
    for (const Extent &extent : output.extents) {
      auto [number, isNew] = numbers.try_emplace(extent.count, results.size());
      if (isNew)
        results.push_back(extent.count);
      pairs.back().append({extent.dim, number->second});
    }
  }
  return pairs;
}

/// Erases what nothing uses.
static void sweep(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

LogicalResult Walker::run() {
  b.setInsertionPoint(from);
  auto to = func::FuncOp::create(b, from.getName(), b.getFunctionType({}, {}));
  Block *block = to.addEntryBlock();
  b.setInsertionPointToEnd(block);
  for (unsigned i = 0; i < from.getNumArguments(); ++i)
    addArgument(i, *block);
  checkNodes();
  visitAll(from.getBody().front());
  b.setLoc(from.getLoc());
  for (auto [i, value] : llvm::enumerate(from.getBody().front().getTerminator()->getOperands())) {
    auto name = from.getResultAttrOfType<StringAttr>(i, nameAttr);
    if (auto found = values.find(value); found != values.end())
      addOutput(name ? name.str() : "#" + std::to_string(i), found->second);
  }
  if (rejected) {
    to.erase();
    return from.emitError() << "the model cannot be compiled: " << rejected
                            << (rejected == 1 ? " problem" : " problems");
  }
  SmallVector<Value> results =
      llvm::map_to_vector(outputs, [](const Output &o) { return o.value; });
  SmallVector<SmallVector<int64_t>> extents = addCounts(results);
  func::ReturnOp::create(b, results);
  sweep(*block);
  to.setFunctionType(b.getFunctionType(block->getArgumentTypes(), ValueRange(results).getTypes()));
  for (unsigned i = 0; i < to.getNumArguments(); ++i) {
    to.setArgAttr(i, nameAttr, from.getArgAttr(i, nameAttr));
    if (!elements[i].empty())
      to.setArgAttr(i, elementAttrName, b.getStringAttr(elements[i]));
  }
  for (auto [i, output] : llvm::enumerate(outputs)) {
    to.setResultAttr(i, nameAttr, b.getStringAttr(output.name));
    if (!output.element.empty())
      to.setResultAttr(i, elementAttrName, b.getStringAttr(output.element));
    if (!extents[i].empty())
      to.setResultAttr(i, extentsAttrName, b.getDenseI64ArrayAttr(extents[i]));
  }
  from.erase();
  return success();
}

} // namespace dojo::onnx

namespace {
struct LowerONNXPass : public dojo::impl::LowerONNXBase<LowerONNXPass> {
  void runOnOperation() override {
    HandlerRegistry registry;
    registerAttention(registry);
    registerQuantization(registry);
    registerCasts(registry);
    registerEinsum(registry);
    registerElementwise(registry);
    registerIndexing(registry);
    registerLosses(registry);
    registerRearrangement(registry);
    registerRecurrent(registry);
    registerReductions(registry);
    registerLinearAlgebra(registry);
    registerControlFlow(registry);
    registerConvolutions(registry);
    registerTransposedConvolutions(registry);
    registerPooling(registry);
    registerResize(registry);
    registerNonMaxSuppression(registry);
    registerNormalization(registry);
    registerDataMovement(registry);
    registerSelection(registry);
    registerGridSample(registry);
    registerRoiAlign(registry);
    registerSequences(registry);
    registerShapeOps(registry);
    registerOptimizers(registry);
    registerRandom(registry);
    registerSignal(registry);
    registerStateSpace(registry);
    registerTfIdfVectorizer(registry);
    registerDeformConv(registry);
    registerFlexAttention(registry);
    registerMicrosoft(registry);
    for (auto func : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (failed(Walker(func, registry).run()))
        return signalPassFailure();
  }
};
} // namespace
