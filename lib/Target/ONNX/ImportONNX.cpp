//===- ImportONNX.cpp - ONNX files as modules of the onnx dialect ---------===//
#include "dojo/Target/ImportONNX.h"

#include "Shapes.h"
#include "Tensors.h"
#include "dojo/Dialect/ONNX/IR/ONNX.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"
#include <google/protobuf/io/coded_stream.h>

using namespace mlir;
using llvm::Error;
using llvm::Expected;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::ValueInfoProto;

namespace dojo::onnx {
namespace {

/// The values a graph can see: its own and those of the graphs around it.
struct Scope {
  Scope *parent = nullptr;
  llvm::StringMap<Value> values;
  llvm::StringMap<Type> types;

  Value find(StringRef name) const {
    for (const Scope *scope = this; scope; scope = scope->parent)
      if (Value value = scope->values.lookup(name))
        return value;
    return {};
  }
};

class Importer {
public:
  Importer(::onnx::ModelProto &model, MLIRContext *context, StringRef folder)
      : model(model), builder(context), tensors(context, folder) {}

  Expected<OwningOpRef<ModuleOp>> run();

private:
  Location named(StringRef name) { return NameLoc::get(builder.getStringAttr(name)); }
  void readOpsets();
  Error importGraph(GraphProto &graph, Block &block, Scope &scope);
  Error importInitializers(GraphProto &graph, Scope &scope);
  Error importNode(NodeProto &node, Scope &scope);
  Error importAttribute(AttributeProto &attribute, NamedAttrList &list);
  Error importBodies(NodeProto &node, OperationState &state, Scope &scope);
  Error state(Scope &scope, StringRef name, Type type);
  Error declare(Scope &scope, StringRef name, Value value);
  Expected<SmallVector<Value>> outputs(const GraphProto &graph, Scope &scope);
  void describe(func::FuncOp func, const GraphProto &graph,
                ArrayRef<const ValueInfoProto *> inputs);

  ::onnx::ModelProto &model;
  OpBuilder builder;
  TensorReader tensors;
  llvm::StringMap<int64_t> opsets;
};

/// The inputs that no initializer gives a value.
SmallVector<const ValueInfoProto *> trueInputs(const GraphProto &graph) {
  llvm::StringMap<bool> given;
  for (const auto &tensor : graph.initializer())
    given[tensor.name()] = true;
  SmallVector<const ValueInfoProto *> inputs;
  for (const auto &input : graph.input())
    if (!given.count(input.name()))
      inputs.push_back(&input);
  return inputs;
}

/// What a node is called: by its first output, without a name of its own.
StringRef nameOf(const NodeProto &node) {
  if (!node.name().empty())
    return node.name();
  for (const std::string &output : node.output())
    if (!output.empty())
      return output;
  return "";
}

/// "node 'conv1' (Conv)".
std::string label(const NodeProto &node) {
  return ("node '" + nameOf(node) + "' (" + node.op_type() + ")").str();
}

StringRef canonicalDomain(StringRef domain) { return domain == "ai.onnx" ? "" : domain; }

void Importer::readOpsets() {
  for (const auto &entry : model.opset_import())
    opsets[canonicalDomain(entry.domain())] = entry.version();
  if (opsets.empty() && model.ir_version() < 3)
    opsets[""] = 1;
}

std::string printed(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// The error of a value that the file states to be of another type than it is.
Error checkStated(StringRef name, Type stated, Type is) {
  auto x = dyn_cast_or_null<TensorType>(stated), y = dyn_cast<TensorType>(is);
  bool fits =
      x && y ? x.getElementType() == y.getElementType() && succeeded(verifyCompatibleShape(x, y))
             : !stated || stated == is || isa<AnyType>(stated) || isa<AnyType>(is);
  return fits ? Error::success()
              : error("'%s' is declared as %s and is %s", name.str().c_str(),
                      printed(stated).c_str(), printed(is).c_str());
}

Error Importer::state(Scope &scope, StringRef name, Type type) {
  auto [at, fresh] = scope.types.try_emplace(name, type);
  return fresh ? Error::success() : checkStated(name, at->second, type);
}

Error Importer::declare(Scope &scope, StringRef name, Value value) {
  if (!scope.values.try_emplace(name, value).second)
    return error("the graph defines '%s' twice", name.str().c_str());
  return checkStated(name, scope.types.lookup(name), value.getType());
}

Error Importer::importInitializers(GraphProto &graph, Scope &scope) {
  if (graph.sparse_initializer_size())
    return error("initializer '%s' is sparse; only dense initializers are supported",
                 graph.sparse_initializer(0).values().name().c_str());
  for (auto &tensor : *graph.mutable_initializer()) {
    auto value = tensors.read(tensor, tensor.name());
    if (!value)
      return value.takeError();
    auto constant = ConstantOp::create(builder, named(tensor.name()), *value);
    if (Error e = declare(scope, tensor.name(), constant.getResult()))
      return e;
  }
  return Error::success();
}

Error Importer::importAttribute(AttributeProto &attribute, NamedAttrList &list) {
  auto add = [&](Attribute value) {
    list.append(attribute.name(), value);
    return Error::success();
  };
  auto ints = ArrayRef<int64_t>(attribute.ints().data(), attribute.ints_size());
  auto floats = ArrayRef<float>(attribute.floats().data(), attribute.floats_size());
  SmallVector<Attribute> items;
  switch (attribute.type()) {
  case AttributeProto::FLOAT:
    return add(builder.getF32FloatAttr(attribute.f()));
  case AttributeProto::INT:
    return add(builder.getI64IntegerAttr(attribute.i()));
  case AttributeProto::STRING:
    return add(builder.getStringAttr(attribute.s()));
  case AttributeProto::FLOATS:
    return add(builder.getDenseF32ArrayAttr(floats));
  case AttributeProto::INTS:
    return add(builder.getDenseI64ArrayAttr(ints));
  case AttributeProto::STRINGS:
    for (const auto &text : attribute.strings())
      items.push_back(builder.getStringAttr(text));
    return add(builder.getArrayAttr(items));
  case AttributeProto::TENSOR: {
    auto value = tensors.read(*attribute.mutable_t(), attribute.name());
    return value ? add(*value) : value.takeError();
  }
  case AttributeProto::TENSORS:
    for (auto &tensor : *attribute.mutable_tensors()) {
      auto value = tensors.read(tensor, attribute.name());
      if (!value)
        return value.takeError();
      items.push_back(*value);
    }
    return add(builder.getArrayAttr(items));
  case AttributeProto::TYPE_PROTO:
    return add(TypeAttr::get(valueType(builder.getContext(), attribute.tp())));
  case AttributeProto::TYPE_PROTOS:
    for (const auto &type : attribute.type_protos())
      items.push_back(TypeAttr::get(valueType(builder.getContext(), type)));
    return add(builder.getArrayAttr(items));
  case AttributeProto::GRAPH:
  case AttributeProto::GRAPHS:
    return Error::success();
  default:
    return error("attribute '%s' has the kind %d, which is not supported", attribute.name().c_str(),
                 int(attribute.type()));
  }
}

Error Importer::importBodies(NodeProto &node, OperationState &state, Scope &scope) {
  SmallVector<Attribute> names;
  auto add = [&](StringRef name, GraphProto &graph) -> Error {
    names.push_back(builder.getStringAttr(name));
    Block *block = new Block;
    state.addRegion()->push_back(block);
    OpBuilder::InsertionGuard guard(builder);
    Scope inner;
    inner.parent = &scope;
    if (Error e = importGraph(graph, *block, inner))
      return e;
    auto results = outputs(graph, inner);
    if (!results)
      return results.takeError();
    YieldOp::create(builder, state.location, *results);
    return Error::success();
  };
  for (auto &attribute : *node.mutable_attribute()) {
    if (attribute.type() == AttributeProto::GRAPH)
      if (Error e = add(attribute.name(), *attribute.mutable_g()))
        return e;
    if (attribute.type() == AttributeProto::GRAPHS)
      for (auto &graph : *attribute.mutable_graphs())
        if (Error e = add(attribute.name(), graph))
          return e;
  }
  if (!names.empty())
    state.addAttribute("bodies", builder.getArrayAttr(names));
  return Error::success();
}

Error Importer::importNode(NodeProto &node, Scope &scope) {
  auto fail = [&](const Twine &what) {
    return error("%s: %s", label(node).c_str(), what.str().c_str());
  };
  StringRef domain = canonicalDomain(node.domain());
  auto opset = opsets.find(domain);
  if (opset == opsets.end())
    return fail("the model imports no operator set of its domain '" + domain + "'");
  OperationState state(named(nameOf(node)), NodeOp::getOperationName());
  state.addAttribute("op_type", builder.getStringAttr(node.op_type()));
  state.addAttribute("opset", builder.getI64IntegerAttr(opset->second));
  if (!domain.empty())
    state.addAttribute("domain", builder.getStringAttr(domain));
  for (const std::string &input : node.input()) {
    Value value =
        input.empty() ? NoneOp::create(builder, state.location).getResult() : scope.find(input);
    if (!value)
      return fail("it reads '" + input + "', which no input, initializer or earlier node defines");
    state.addOperands(value);
  }
  NamedAttrList attributes;
  llvm::StringSet<> seen;
  for (auto &attribute : *node.mutable_attribute()) {
    if (!seen.insert(attribute.name()).second)
      return fail("it has the attribute '" + attribute.name() + "' twice");
    if (Error e = importAttribute(attribute, attributes))
      return fail(llvm::toString(std::move(e)));
  }
  state.addAttribute("params", attributes.getDictionary(builder.getContext()));
  for (const std::string &output : node.output()) {
    Type type = scope.types.lookup(output);
    state.addTypes(type ? type : AnyType::get(builder.getContext()));
  }
  if (Error e = importBodies(node, state, scope))
    return e;
  Operation *op = builder.create(state);
  for (auto [name, result] : llvm::zip(node.output(), op->getResults()))
    if (!name.empty())
      if (Error e = declare(scope, name, result))
        return e;
  return Error::success();
}

Error Importer::importGraph(GraphProto &graph, Block &block, Scope &scope) {
  for (const auto *infos : {&graph.input(), &graph.value_info(), &graph.output()})
    for (const auto &info : *infos)
      if (Error e = state(scope, info.name(), valueType(builder.getContext(), info.type())))
        return e;
  builder.setInsertionPointToEnd(&block);
  for (const ValueInfoProto *input : trueInputs(graph)) {
    Type type = valueType(builder.getContext(), input->type());
    if (Error e = declare(scope, input->name(), block.addArgument(type, named(input->name()))))
      return e;
  }
  if (Error e = importInitializers(graph, scope))
    return e;
  for (auto &node : *graph.mutable_node())
    if (Error e = importNode(node, scope))
      return e;
  return Error::success();
}

Expected<SmallVector<Value>> Importer::outputs(const GraphProto &graph, Scope &scope) {
  SmallVector<Value> values;
  for (const auto &output : graph.output()) {
    Value value = scope.find(output.name());
    if (!value)
      return error("no node defines the output '%s'", output.name().c_str());
    if (Error e = checkStated(output.name(), scope.types.lookup(output.name()), value.getType()))
      return e;
    values.push_back(value);
  }
  return values;
}

/// Those of a program are told apart by their names.
Error checkOutputs(const GraphProto &graph) {
  if (!graph.output_size())
    return error("the graph '%s' has no outputs", graph.name().c_str());
  llvm::StringSet<> names;
  for (const auto &output : graph.output())
    if (!names.insert(output.name()).second)
      return error("the graph has the output '%s' twice", output.name().c_str());
  return Error::success();
}

/// Notes the names of inputs, outputs and unknown dimensions on `func`.
void Importer::describe(func::FuncOp func, const GraphProto &graph,
                        ArrayRef<const ValueInfoProto *> inputs) {
  for (auto [index, input] : llvm::enumerate(inputs)) {
    func.setArgAttr(index, nameAttr, builder.getStringAttr(input->name()));
    SmallVector<Attribute> dims;
    bool anyName = false;
    for (const auto &dim : input->type().tensor_type().shape().dim()) {
      dims.push_back(builder.getStringAttr(dim.dim_param()));
      anyName |= !dim.dim_param().empty();
    }
    if (anyName)
      func.setArgAttr(index, dimsAttr, builder.getArrayAttr(dims));
  }
  for (auto [index, output] : llvm::enumerate(graph.output()))
    func.setResultAttr(index, nameAttr, builder.getStringAttr(output.name()));
}

Expected<OwningOpRef<ModuleOp>> Importer::run() {
  readOpsets();
  GraphProto &graph = *model.mutable_graph();
  if (Error e = checkOutputs(graph))
    return e;
  OwningOpRef<ModuleOp> module(ModuleOp::create(named(graph.name())));
  auto func = func::FuncOp::create(named(graph.name()), "main", builder.getFunctionType({}, {}));
  module->push_back(func);
  Block *block = func.addEntryBlock();
  Scope scope;
  if (Error e = importGraph(graph, *block, scope))
    return e;
  auto results = outputs(graph, scope);
  if (!results)
    return results.takeError();
  func::ReturnOp::create(builder, func.getLoc(), *results);
  func.setFunctionType(
      builder.getFunctionType(block->getArgumentTypes(), ValueRange(*results).getTypes()));
  describe(func, graph, trueInputs(graph));
  if (failed(verify(*module)))
    return error("the model does not make a valid module");
  return module;
}

/// Parses the bytes of a file; `path` is for errors.
Error parse(const llvm::MemoryBuffer &file, StringRef path, ::onnx::ModelProto &model) {
  if (file.getBufferSize() > size_t(INT_MAX))
    return error("'%s' has %llu bytes; an ONNX file has at most 2 GiB and keeps further weights as "
                 "external data",
                 path.str().c_str(), (unsigned long long)file.getBufferSize());
  google::protobuf::io::CodedInputStream stream(
      reinterpret_cast<const uint8_t *>(file.getBufferStart()), int(file.getBufferSize()));
  bool whole = model.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
  if (!model.has_ir_version())
    return error("'%s' is not an ONNX model", path.str().c_str());
  if (!whole)
    return error("'%s' is truncated or damaged", path.str().c_str());
  if (!model.has_graph())
    return error("'%s' holds no graph", path.str().c_str());
  return Error::success();
}

} // namespace
} // namespace dojo::onnx

Expected<OwningOpRef<ModuleOp>> dojo::importOnnx(StringRef path, MLIRContext *context,
                                                 const ImportOptions &options) {
  context->loadDialect<onnx::ONNXDialect, func::FuncDialect>();
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return onnx::error("'%s' cannot be opened: %s", path.str().c_str(),
                       file.getError().message().c_str());
  ::onnx::ModelProto model;
  if (Error e = onnx::parse(**file, path, model))
    return e;
  file->reset();
  if (Error e = onnx::bindShapes(*model.mutable_graph(), options.shapes))
    return e;
  StringRef folder = llvm::sys::path::parent_path(path);
  return onnx::Importer(model, context, folder.empty() ? "." : folder).run();
}
