//===- Lists.cpp - sequences and optionals among graph inputs -------------===//
#include "Lists.h"

#include "Tensors.h"

using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::TypeProto;
using ::onnx::ValueInfoProto;

namespace dojo::onnx {
namespace {

std::string elementName(const std::string &list, size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

NodeProto &addNode(GraphProto &graph, const char *op, const std::string &output) {
  NodeProto &node = *graph.add_node();
  node.set_op_type(op);
  node.set_name(output);
  node.add_output(output);
  return node;
}

/// The sequence `output` of the first `count` elements of list `name`.
void addSequence(GraphProto &graph, const std::string &output, const TypeProto &element,
                 const std::string &name, size_t count) {
  if (count) {
    NodeProto &node = addNode(graph, "SequenceConstruct", output);
    for (size_t i = 0; i < count; ++i)
      node.add_input(elementName(name, i));
    return;
  }
  AttributeProto &type = *addNode(graph, "SequenceEmpty", output).add_attribute();
  type.set_name("dtype");
  type.set_type(AttributeProto::INT);
  type.set_i(element.tensor_type().elem_type());
}

void addOptional(GraphProto &graph, const std::string &name, const TypeProto &element,
                 const std::string &value) {
  NodeProto &node = addNode(graph, "Optional", name);
  if (!value.empty()) {
    node.add_input(value);
    return;
  }
  AttributeProto &type = *node.add_attribute();
  type.set_name("type");
  type.set_type(AttributeProto::TYPE_PROTO);
  *type.mutable_tp() = element;
}

class Splitter {
public:
  Splitter(GraphProto &graph, ShapeBindings &shapes) : graph(graph), shapes(shapes) {}

  llvm::Error run() {
    google::protobuf::RepeatedPtrField<ValueInfoProto> given;
    given.Swap(graph.mutable_input());
    int nodes = graph.node_size();
    for (const ValueInfoProto &input : given)
      if (llvm::Error e = split(input))
        return e;
    auto &all = *graph.mutable_node();
    std::rotate(all.pointer_begin(), all.pointer_begin() + nodes, all.pointer_end());
    return llvm::Error::success();
  }

private:
  /// The number of elements that have shapes.
  size_t count(const std::string &name) const {
    size_t elements = 0;
    while (shapes.count(elementName(name, elements)))
      ++elements;
    return elements;
  }

  llvm::Error split(const ValueInfoProto &input) {
    const TypeProto &type = input.type();
    const std::string &name = input.name();
    size_t elements = count(name);
    auto list = shapes.find(name);
    bool isList = type.has_sequence_type() || type.has_optional_type();
    if (!isList || (elements == 0 && list == shapes.end())) {
      *graph.add_input() = input;
      return llvm::Error::success();
    }
    if (list != shapes.end() && !list->second.empty())
      return error("input '%s' is a list; %s=DIMS gives its first element a shape", name.c_str(),
                   elementName(name, 0).c_str());
    if (list != shapes.end())
      shapes.erase(list);
    addNodes(name, type, elements);
    return llvm::Error::success();
  }

  void addNodes(const std::string &name, const TypeProto &type, size_t elements) {
    bool isOptional = type.has_optional_type();
    const TypeProto &inner =
        isOptional ? type.optional_type().elem_type() : type.sequence_type().elem_type();
    bool isSequence = isOptional && inner.has_sequence_type();
    if (isOptional && !isSequence)
      elements = std::min<size_t>(elements, 1);
    for (size_t i = 0; i < elements; ++i) {
      ValueInfoProto &input = *graph.add_input();
      input.set_name(elementName(name, i));
      TypeProto &element = *input.mutable_type();
      element = isSequence ? inner.sequence_type().elem_type() : inner;
      // A dimension of one name differs from element to element.
      if (element.tensor_type().has_shape())
        for (auto &dim : *element.mutable_tensor_type()->mutable_shape()->mutable_dim())
          dim.clear_dim_param();
    }
    if (!isOptional)
      return addSequence(graph, name, inner, name, elements);
    std::string value = elements ? elementName(name, 0) : "";
    if (isSequence && elements) {
      value = name + "[]";
      addSequence(graph, value, inner.sequence_type().elem_type(), name, elements);
    }
    addOptional(graph, name, inner, value);
  }

  GraphProto &graph;
  ShapeBindings &shapes;
};

} // namespace

llvm::Error bindLists(GraphProto &graph, ShapeBindings &shapes) {
  return Splitter(graph, shapes).run();
}

} // namespace dojo::onnx
