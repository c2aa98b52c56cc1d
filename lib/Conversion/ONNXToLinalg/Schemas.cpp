//===- Schemas.cpp - nodes against what ONNX says of their operators ------===//
#include "Schemas.h"

#include "Types.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace dojo::onnx;

namespace {

constexpr StringLiteral typeSets[] = {
#define TYPES(number, types) types,
#define OPERATOR(...)
#include "Schemas.inc"
#undef TYPES
#undef OPERATOR
};

/// By domain, name and opset.
constexpr Schema schemas[] = {
#define TYPES(number, types)
#define OPERATOR(...) {__VA_ARGS__},
#include "Schemas.inc"
#undef TYPES
#undef OPERATOR
};

/// The versions of an operator, oldest first.
ArrayRef<Schema> versionsOf(StringRef domain, StringRef op) {
  auto before = [](const Schema &schema, std::pair<StringRef, StringRef> key) {
    return std::pair(schema.domain, schema.op) < key;
  };
  auto first =
      std::lower_bound(std::begin(schemas), std::end(schemas), std::pair(domain, op), before);
  auto last = first;
  while (last != std::end(schemas) && last->domain == domain && last->op == op)
    ++last;
  return {first, last};
}

/// The version that holds in `opset`, or null.
const Schema *newest(ArrayRef<Schema> versions, int64_t opset) {
  const Schema *found = nullptr;
  for (const Schema &version : versions)
    if (version.since <= opset)
      found = &version;
  return found;
}

/// One operand or result: `name:type`, with a mark behind the name.
struct Formal {
  enum Kind { Single, Optional, Variadic } kind = Single;
  StringRef name, type;
  bool sameTypes = true; ///< each time a variadic one repeats
  unsigned least = 1;

  explicit Formal(StringRef text) {
    std::tie(name, type) = text.split(':');
    size_t mark = name.find_first_of("?*~");
    if (mark == StringRef::npos)
      return;
    kind = name[mark] == '?' ? Optional : Variadic;
    sameTypes = name[mark] != '~';
    if (name.drop_front(mark + 1).getAsInteger(10, least))
      least = 0;
    name = name.take_front(mark);
  }
};

SmallVector<StringRef> words(StringRef text) {
  SmallVector<StringRef> parts;
  text.split(parts, ' ', -1, /*KeepEmpty=*/false);
  return parts;
}

SmallVector<Formal> formals(StringRef text) {
  return llvm::map_to_vector(words(text), [](StringRef word) { return Formal(word); });
}

/// The formal of position `index`, the last one if it repeats; null beyond.
const Formal *at(ArrayRef<Formal> formals, unsigned index) {
  if (index < formals.size())
    return &formals[index];
  return !formals.empty() && formals.back().kind == Formal::Variadic ? &formals.back() : nullptr;
}

std::string countProblem(StringRef text, unsigned count, StringRef what) {
  SmallVector<Formal> all = formals(text);
  if (count && !at(all, count - 1))
    return llvm::formatv("it has {0} {1}s, at most {2} can be", count, what, all.size());
  unsigned least = 0;
  for (auto [i, formal] : llvm::enumerate(all))
    if (formal.kind != Formal::Optional && formal.least)
      least = i + formal.least;
  if (count >= least)
    return "";
  return llvm::formatv("its {0} {1}, '{2}', is missing", what, count, at(all, count)->name);
}

std::string operandProblem(const Schema &schema, NodeOp node) {
  std::string problem = countProblem(schema.operands, node.getInputs().size(), "operand");
  if (!problem.empty())
    return problem;
  SmallVector<Formal> all = formals(schema.operands);
  for (auto [i, value] : llvm::enumerate(node.getInputs()))
    if (value.getDefiningOp<NoneOp>() && at(all, i)->kind != Formal::Optional)
      return llvm::formatv("its operand {0}, '{1}', is missing", i, at(all, i)->name);
  return "";
}

struct Kind {
  char letter;
  const char *name;
  bool (*holds)(Attribute);
};

const Kind *kindOf(char letter) {
  static constexpr Kind kinds[] = {
      {'i', "an integer", [](Attribute a) { return isa<IntegerAttr>(a); }},
      {'f', "a float", [](Attribute a) { return isa<FloatAttr>(a); }},
      {'s', "a string", [](Attribute a) { return isa<StringAttr>(a); }},
      {'t', "a tensor", [](Attribute a) { return isa<ElementsAttr>(a); }},
      {'y', "a type", [](Attribute a) { return isa<TypeAttr>(a); }},
      {'I', "a list of integers", [](Attribute a) { return isa<DenseI64ArrayAttr>(a); }},
      {'F', "a list of floats", [](Attribute a) { return isa<DenseF32ArrayAttr>(a); }},
      {'S', "a list of strings",
       [](Attribute a) {
         auto list = dyn_cast<ArrayAttr>(a);
         return list && llvm::all_of(list, llvm::IsaPred<StringAttr>);
       }},
      {'g', "a graph", [](Attribute) { return false; }},
      {'x', "a sparse tensor", [](Attribute) { return false; }},
  };
  return llvm::find_if(kinds, [&](const Kind &kind) { return kind.letter == letter; });
}

std::string attributeProblem(const Schema &schema, NodeOp node) {
  llvm::StringSet<> known, bodies;
  for (Attribute body : node.getBodies().value_or(ArrayAttr::get(node.getContext(), {})))
    bodies.insert(cast<StringAttr>(body).getValue());
  for (StringRef word : words(schema.attributes)) {
    auto [name, letter] = word.split(':');
    bool required = name.consume_back("!");
    known.insert(name);
    Attribute value = node.getParams().get(name);
    bool isBody = bodies.contains(name);
    if (!value && !isBody && required)
      return llvm::formatv("its attribute '{0}' is missing", name);
    const Kind &kind = *kindOf(letter.front());
    if ((isBody && kind.letter != 'g') || (value && !kind.holds(value)))
      return llvm::formatv("its attribute '{0}' is not {1}", name, kind.name);
  }
  for (NamedAttribute attribute : node.getParams())
    bodies.insert(attribute.getName());
  SmallVector<StringRef> unknown;
  for (const auto &entry : bodies)
    if (!known.contains(entry.getKey()))
      unknown.push_back(entry.getKey());
  if (unknown.empty())
    return "";
  return llvm::formatv("the operator has no attribute '{0}'", *llvm::min_element(unknown));
}

/// The type of the tensor element that typeName() calls `name`, or null.
Type typeNamed(MLIRContext *context, StringRef name) {
  for (int64_t code = 1; code <= lastDataType; ++code)
    if (Type type = declaredType(context, code))
      if (typeName(type) == name)
        return type;
  return {};
}

} // namespace

std::optional<int64_t> dojo::onnx::newestOpset(StringRef domain) {
  std::optional<int64_t> newest;
  for (const Schema &schema : schemas)
    if (schema.domain == domain)
      newest = std::max(newest.value_or(0), schema.since);
  return newest;
}

std::string dojo::onnx::problemOf(NodeOp node, bool handled) {
  StringRef domain = node.getDomain().value_or(""), op = node.getOpType();
  ArrayRef<Schema> versions = versionsOf(domain, op);
  if (versions.empty())
    return newestOpset(domain) && !handled ? "ONNX has no such operator" : "";
  const Schema *schema = newest(versions, node.getOpset());
  if (!schema || schema->removed)
    return llvm::formatv("opset {0} has no such operator; opset {1} {2} it", node.getOpset(),
                         schema ? schema->since : versions.front().since,
                         schema ? "removed" : "brought");
  std::string problem = operandProblem(*schema, node);
  if (problem.empty())
    problem = countProblem(schema->results, node->getNumResults(), "result");
  return problem.empty() ? attributeProblem(*schema, node) : problem;
}

Signature::Signature(NodeOp node)
    : schema(newest(versionsOf(node.getDomain().value_or(""), node.getOpType()), node.getOpset())),
      context(node.getContext()) {}

/// The types that `type` may be: itself, or those of the parameter of this name.
StringRef Signature::allowed(StringRef type) const {
  for (StringRef word : words(schema->parameters)) {
    auto [name, number] = word.split('=');
    unsigned set;
    if (name == type && !number.getAsInteger(10, set))
      return typeSets[set];
  }
  return type;
}

std::string Signature::bind(ArrayRef<Type> operands) {
  if (!schema)
    return "";
  SmallVector<Formal> all = formals(schema->operands);
  for (auto [i, type] : llvm::enumerate(operands)) {
    if (!type)
      continue;
    const Formal &formal = *at(all, i);
    std::string name = typeName(type);
    if (!llvm::is_contained(words(allowed(formal.type)), name))
      return llvm::formatv("its operand {0}, '{1}', must not be {2}", i, formal.name, name);
    if (!formal.sameTypes)
      continue;
    auto [same, fresh] = bound.try_emplace(formal.type, type);
    if (!fresh && same->second != type)
      return llvm::formatv("its operand {0}, '{1}', is {2} where one before it is {3}", i,
                           formal.name, name, typeName(same->second));
  }
  return "";
}

Type Signature::result(unsigned index) const {
  SmallVector<Formal> all = formals(schema ? schema->results : "");
  const Formal *formal = at(all, index);
  if (!formal || !formal->sameTypes)
    return {};
  if (Type type = bound.lookup(formal->type))
    return type;
  return typeNamed(context, allowed(formal->type));
}
