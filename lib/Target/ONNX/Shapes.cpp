//===- Shapes.cpp - sizes bound to graph inputs ---------------------------===//
#include "Shapes.h"

#include "Lists.h"
#include "Tensors.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;

namespace dojo {

Error parseShapeBinding(StringRef text, ShapeBindings &shapes) {
  auto [name, dims] = text.rsplit('=');
  auto bad = [&] {
    return onnx::error("'%s' is no shape; NAME=DIMS is expected, as in image=1x3x224x224",
                       text.str().c_str());
  };
  if (name.empty() || name.size() == text.size())
    return bad();
  std::vector<int64_t> sizes;
  std::string list = dims.str();
  std::replace(list.begin(), list.end(), ',', 'x');
  SmallVector<StringRef> parts;
  if (!dims.empty())
    StringRef(list).split(parts, 'x');
  for (StringRef part : parts) {
    int64_t size;
    if (part.trim().getAsInteger(10, size) || size <= 0)
      return bad();
    sizes.push_back(size);
  }
  shapes[name.str()] = std::move(sizes);
  return Error::success();
}

namespace onnx {

/// "1x?x64", with the names of parameters.
static std::string describe(const ::onnx::TypeProto &type) {
  if (!type.has_tensor_type() || !type.tensor_type().has_shape())
    return "of unknown rank";
  std::string text;
  for (const auto &dim : type.tensor_type().shape().dim()) {
    if (!text.empty())
      text += 'x';
    text += dim.has_dim_value()       ? std::to_string(dim.dim_value())
            : dim.dim_param().empty() ? std::string("?")
                                      : dim.dim_param();
  }
  return text.empty() ? "a scalar" : text;
}

static std::string describe(ArrayRef<int64_t> sizes) {
  std::string text;
  for (int64_t size : sizes)
    text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

namespace {
class Binder {
public:
  Binder(::onnx::GraphProto &graph, const ShapeBindings &shapes) : graph(graph), shapes(shapes) {
    for (const auto &tensor : graph.initializer())
      initializers.insert(tensor.name());
  }

  Error run() {
    for (auto &input : *graph.mutable_input())
      forgetPlaceholders(*input.mutable_type());
    for (auto &input : *graph.mutable_input())
      if (!initializers.contains(input.name()))
        if (Error e = bindInput(input))
          return e;
    for (const auto &[name, sizes] : shapes)
      if (Error e = bindParameter(name, sizes))
        return e;
    for (auto &input : *graph.mutable_input())
      apply(*input.mutable_type());
    return Error::success();
  }

private:
  /// Exporters write dimensions without size or name as -1 or as "?".
  static void forgetPlaceholders(::onnx::TypeProto &type) {
    if (!type.has_tensor_type() || !type.tensor_type().has_shape())
      return;
    for (auto &dim : *type.mutable_tensor_type()->mutable_shape()->mutable_dim())
      if (dim.dim_value() < 0 || dim.dim_param() == "?")
        dim.clear_value();
  }

  Error bindInput(::onnx::ValueInfoProto &input) {
    auto found = shapes.find(input.name());
    if (found == shapes.end())
      return Error::success();
    used.insert(input.name());
    auto &type = *input.mutable_type();
    auto mismatch = [&] {
      return error("input '%s' is %s; the shape %s given for it does not fit", input.name().c_str(),
                   describe(type).c_str(), describe(found->second).c_str());
    };
    if (!type.has_tensor_type())
      return error("input '%s' is no tensor and takes no shape", input.name().c_str());
    auto &tensor = *type.mutable_tensor_type();
    if (!tensor.has_shape())
      for (size_t i = 0; i < found->second.size(); ++i)
        tensor.mutable_shape()->add_dim();
    if (size_t(tensor.shape().dim_size()) != found->second.size())
      return mismatch();
    for (auto [dim, size] : zip(*tensor.mutable_shape()->mutable_dim(), found->second)) {
      if (dim.has_dim_value() && dim.dim_value() != size)
        return mismatch();
      if (!dim.dim_param().empty())
        if (Error e = bind(dim.dim_param(), size))
          return e;
    }
    for (auto [dim, size] : zip(*tensor.mutable_shape()->mutable_dim(), found->second))
      dim.set_dim_value(size);
    return Error::success();
  }

  Error bindParameter(const std::string &name, ArrayRef<int64_t> sizes) {
    if (used.contains(name))
      return Error::success();
    std::string inputs;
    bool known = false;
    for (const auto &input : graph.input()) {
      if (initializers.contains(input.name()))
        continue;
      inputs += (inputs.empty() ? "'" : ", '") + input.name() + "' is " + describe(input.type());
      for (const auto &dim : input.type().tensor_type().shape().dim())
        known |= dim.dim_param() == name;
    }
    if (!known && !parameters.count(name))
      return error("a shape is given for '%s', which is neither an input of the graph nor a "
                   "dimension of one: %s",
                   name.c_str(), inputs.c_str());
    if (sizes.size() != 1)
      return error("dimension '%s' takes one size, not %s", name.c_str(), describe(sizes).c_str());
    return bind(name, sizes.front());
  }

  Error bind(const std::string &parameter, int64_t size) {
    auto [at, fresh] = parameters.emplace(parameter, size);
    if (!fresh && at->second != size)
      return error("dimension '%s' is bound to %lld and to %lld", parameter.c_str(),
                   (long long)at->second, (long long)size);
    return Error::success();
  }

  void apply(::onnx::TypeProto &type) {
    if (!type.has_tensor_type() || !type.tensor_type().has_shape())
      return;
    for (auto &dim : *type.mutable_tensor_type()->mutable_shape()->mutable_dim()) {
      auto found = parameters.find(dim.dim_param());
      if (!dim.dim_param().empty() && found != parameters.end())
        dim.set_dim_value(found->second);
    }
  }

  ::onnx::GraphProto &graph;
  const ShapeBindings &shapes;
  StringSet<> initializers, used;
  std::map<std::string, int64_t> parameters;
};
} // namespace

Error bindShapes(::onnx::GraphProto &graph, ShapeBindings shapes) {
  if (Error e = bindLists(graph, shapes))
    return e;
  return Binder(graph, shapes).run();
}

} // namespace onnx
} // namespace dojo
